// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "coromd/core/proportion.hpp"
#include "sections.hpp"

namespace coromd::report {

namespace {

constexpr std::size_t kMostOutcomes = 20;
constexpr std::size_t kMostSteps = 400;

/// The times after which walkers came to each condition, ascending. A walker in which several hold counts
/// for the first of them, as in the committor.
using Times = std::map<std::string, std::vector<double>>;

Times times_of(const Material& material, std::vector<double>& without) {
    Times times;
    for (const WalkerResult& result : material.results)
        (result.conditions.empty() ? without : times[result.conditions.front()]).push_back(result.time_ps);
    for (auto& [name, values] : times) std::ranges::sort(values);
    return times;
}

double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
}

std::string table_of(const Times& times, std::int64_t reached, const std::vector<double>& without) {
    Table table({"outcome", ">walkers", ">share", ">95 % interval", ">mean time"});
    for (const auto& [name, values] : times) {
        const Proportion share = wilson(static_cast<std::int64_t>(values.size()), reached);
        table.row({escape(name), count_text(share.successes), fmt::format("{:.3f}", share.estimate),
                   fmt::format("{:.3f} \u2013 {:.3f}", share.low, share.high),
                   escape(md_time_text(mean(values)))});
    }
    if (!without.empty())
        table.row({"no condition held", count_text(static_cast<std::int64_t>(without.size())), "", "",
                   escape(md_time_text(mean(without)))});
    return table.html();
}

std::string shares(const Times& times, std::int64_t reached) {
    std::vector<std::string> names;
    for (const auto& [name, values] : times)
        if (names.size() < kMostOutcomes) names.push_back(shortened(name, 16));
    Plot plot(Axis("share of walkers", 0, 1), Axis::of_names("", names), 470,
              60 + 30 * static_cast<double>(names.size()));
    std::size_t n = 0;
    for (const auto& [name, values] : times) {
        if (n == kMostOutcomes) break;
        const Proportion share = wilson(static_cast<std::int64_t>(values.size()), reached);
        const double place = static_cast<double>(n);
        const Ink ink = series_ink(n++);
        plot.box({0, place - 0.3}, {share.estimate, place + 0.3}, ink, 0.35);
        plot.whisker({share.low, place}, {share.high, place}, ink);
        plot.dot({share.estimate, place}, ink, fmt::format("{}: {:.3f}", name, share.estimate));
    }
    return figure(
        plot.svg("Shares of the outcomes"),
        "Where walkers ended, of those that came to a condition: share, and 95 % interval of Wilson.");
}

std::string passage_times(const Times& times, std::int64_t reached) {
    double last = 0;
    for (const auto& [name, values] : times) last = std::max(last, values.back());
    Plot plot(Axis("MD time (ps)", 0, last), Axis("share of walkers", 0, 1), 470, 260);
    std::size_t n = 0;
    for (const auto& [name, values] : times) {
        if (n == 8) break;
        std::vector<Point> steps{{0, 0}};
        const std::size_t stride = values.size() / kMostSteps + 1;
        for (std::size_t i = 0; i < values.size(); i += stride) {
            const double share =
                static_cast<double>(std::min(i + stride, values.size())) / static_cast<double>(reached);
            steps.push_back({values[i], steps.back().y});
            steps.push_back({values[i], share});
        }
        steps.push_back({last, steps.back().y});
        plot.line(steps, series_ink(n), 2, name);
        plot.legend(series_ink(n++), shortened(name, 20));
    }
    return figure(plot.svg("Share of walkers over MD time"),
                  "How long it took: the share of walkers that have come to each end, over their MD time.");
}

std::string phases(const Material& material) {
    std::map<std::string, std::pair<std::int64_t, double>> counts;
    for (const campaign::WalkerRow& walker : material.walkers) {
        auto& [count, ps] = counts[walker.progress.phase];
        ++count;
        ps += walker.progress.time_ps;
    }
    Table table({"walkers are", ">walkers", ">MD time"});
    for (const auto& [phase, sums] : counts)
        table.row({escape(phase), count_text(sums.first), escape(md_time_text(sums.second))});
    return table.empty() ? "" : table.html();
}

std::string outcomes(const Material& material) {
    std::string html = phases(material);
    if (material.results.empty()) return html;
    std::vector<double> without;
    const Times times = times_of(material, without);
    const auto reached = static_cast<std::int64_t>(material.results.size() - without.size());
    html += table_of(times, reached, without);
    if (times.empty()) return html;
    html += "<div class=\"side\">" + shares(times, reached);
    if (reached > 1) html += passage_times(times, reached);
    return html + "</div>\n";
}

}  // namespace

Section outcomes_section() {
    return {"outcomes", "Outcomes", outcomes};
}

}  // namespace coromd::report
