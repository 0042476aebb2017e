// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sections.hpp"

namespace coromd::report {

namespace {

constexpr std::size_t kBins = 32;
/// Shorter times are drawn there: a logarithm has no 0.
constexpr double kShortest = 0.01;

double quantile(const std::vector<double>& sorted, double q) {
    return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5)];
}

std::string histogram(const std::vector<double>& sorted, double longest, const char* title, Ink ink) {
    const Axis x(title, kShortest, longest, Scale::log, true);
    std::vector<double> counts(kBins, 0.0);
    for (const double seconds : sorted) {
        const double at = x.fraction(std::max(seconds, kShortest)) * kBins;
        ++counts[static_cast<std::size_t>(std::clamp(at, 0.0, kBins - 1.0))];
    }
    Plot plot(x, Axis("attempts", 0, *std::ranges::max_element(counts), Scale::count, true), 470, 220);
    for (std::size_t i = 0; i < kBins; ++i)
        if (counts[i] > 0)
            plot.box({x.value(static_cast<double>(i) / kBins), 0},
                     {x.value(static_cast<double>(i + 1) / kBins), counts[i]}, ink, 1,
                     fmt::format("{:.0f}", counts[i]));
    return plot.svg(title);
}

void add_row(Table& table, const char* what, const std::vector<double>& sorted) {
    double sum = 0;
    for (const double seconds : sorted) sum += seconds;
    table.row({what, escape(duration_text(sum)), escape(duration_text(quantile(sorted, 0.5))),
               escape(duration_text(quantile(sorted, 0.95))), escape(duration_text(sorted.back()))});
}

std::string waiting(const Material& material) {
    std::vector<double> waited;
    std::vector<double> ran;
    for (const Span& span : material.spans) {
        if (!span.ended_ms) continue;
        waited.push_back(span.waited_seconds());
        ran.push_back(span.ran_seconds());
    }
    if (waited.empty()) return {};
    std::ranges::sort(waited);
    std::ranges::sort(ran);
    const double longest = std::max({waited.back(), ran.back(), 1.0});
    Table table({"attempts", ">in all", ">median", ">95 % below", ">longest"});
    add_row(table, "waited", waited);
    add_row(table, "ran", ran);
    return table.html() + "<div class=\"side\">" +
           figure(histogram(waited, longest, "time waited (s)", Ink::waiting),
                  "How long attempts waited, from their submission to their start; shorter than 10 ms counts "
                  "as 10 ms.") +
           figure(histogram(ran, longest, "time run (s)", Ink::series0), "How long attempts ran.") +
           "</div>\n";
}

}  // namespace

Section waiting_section() {
    return {"waiting", "Waiting and running", waiting};
}

}  // namespace coromd::report
