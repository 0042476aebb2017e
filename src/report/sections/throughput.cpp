// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "sections.hpp"

namespace coromd::report {

namespace {

constexpr std::size_t kBins = 60;

/// A rate per hour over time, as steps.
std::string rate_plot(const Clock& clock, const std::vector<double>& amounts, const char* title, Ink ink,
                      const char* caption) {
    const double width = clock.end / kBins;
    const double hours = width * clock.unit.seconds / 3600;
    double most = 0;
    for (const double amount : amounts) most = std::max(most, amount / hours);
    Plot plot(clock.axis(), Axis(title, 0, most, Scale::linear, true), 720, 220);
    for (std::size_t i = 0; i < kBins; ++i)
        if (amounts[i] > 0) {
            const double from = width * static_cast<double>(i);
            plot.box({from, 0}, {from + width, amounts[i] / hours}, ink, 1,
                     fmt::format("{:.4g}", amounts[i] / hours));
        }
    return figure(plot.svg(title), caption);
}

std::string throughput(const Material& material) {
    const Clock clock(material);
    const auto bin_of = [&](double at) {
        return static_cast<std::size_t>(std::clamp(at / clock.end * kBins, 0.0, kBins - 1.0));
    };
    std::unordered_map<std::string, const Span*> finished;
    std::vector<double> jobs(kBins, 0.0);
    for (const Span& span : material.spans) {
        if (span.state != queue::JobState::finished || !span.ended_ms) continue;
        finished[span.key] = &span;
        ++jobs[bin_of(clock.at(*span.ended_ms))];
    }
    if (finished.empty()) return {};
    std::vector<double> md(kBins, 0.0);
    double all_ns = 0;
    for (const MdDone& done : material.md) {
        const auto at = finished.find(done.key);
        if (at == finished.end()) continue;
        // The MD of a job is spread over the time in which it ran.
        const double from = clock.at(*at->second->started_ms);
        const double to = std::max(clock.at(*at->second->ended_ms), from + clock.end * 1e-6);
        const double width = clock.end / kBins;
        all_ns += done.ps / 1000;
        for (std::size_t bin = bin_of(from); bin <= bin_of(to); ++bin) {
            const double low = width * static_cast<double>(bin);
            const double overlap = std::min(to, low + width) - std::max(from, low);
            md[bin] += done.ps / 1000 * std::max(overlap, 0.0) / (to - from);
        }
    }
    std::string html;
    if (all_ns > 0)
        html += rate_plot(clock, md, "MD (ns per hour)", Ink::series0,
                          "MD that was done per hour of wall time, by all jobs that finished.");
    return html + rate_plot(clock, jobs, "jobs per hour", Ink::series2,
                            "Jobs that finished, per hour of wall time.");
}

}  // namespace

Section throughput_section() {
    return {"throughput", "Throughput", throughput};
}

}  // namespace coromd::report
