// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Two pictures: how many attempts wait and run at each time, which is of the same size for any number
// of them; and a chart with a row per walker, for a sample where there are many.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "sections.hpp"

namespace coromd::report {

namespace {

using queue::JobState;

constexpr int kBins = 300;
constexpr std::size_t kMostRows = 40;
constexpr std::size_t kMostFailedRows = 10;
constexpr std::size_t kMostBars = 2'500;

/// The mean number of what goes on, in bins of equal width from 0 to `end`.
class Occupancy {
public:
    explicit Occupancy(double end) : width_(end / kBins), mean_(kBins, 0.0) {}

    void add(double from, double to) {
        from = std::max(from, 0.0);
        to = std::min(to, width_ * kBins);
        for (int bin = std::min(static_cast<int>(from / width_), kBins - 1); bin < kBins && bin * width_ < to;
             ++bin) {
            const double overlap = std::min(to, (bin + 1) * width_) - std::max(from, bin * width_);
            mean_[static_cast<std::size_t>(bin)] += std::max(overlap, 0.0) / width_;
        }
    }
    const std::vector<double>& mean() const noexcept { return mean_; }

private:
    double width_;
    std::vector<double> mean_;
};

/// Where an attempt ends in the picture; empty where nobody knows.
std::optional<std::int64_t> end_of(const Span& span, const Material& material) {
    if (span.ended_ms) return span.ended_ms;
    if (material.runs()) return material.now_ms;
    return std::nullopt;
}

std::string occupancy(const Material& material, const Clock& clock) {
    Occupancy waiting(clock.end);
    Occupancy running(clock.end);
    Occupancy open(clock.end);
    bool any_open = false;
    for (const Span& span : material.spans) {
        const std::optional<std::int64_t> end = end_of(span, material);
        if (!end) continue;
        if (!span.ended_ms) {
            open.add(clock.at(span.submitted_ms), clock.at(*end));
            any_open = true;
            continue;
        }
        waiting.add(clock.at(span.submitted_ms), clock.at(*span.started_ms));
        running.add(clock.at(*span.started_ms), clock.at(*end));
    }
    std::vector<double> x;
    std::vector<double> zero;
    std::vector<double> run;
    std::vector<double> unknown;
    std::vector<double> wait;
    double most = 1;
    // Two points per bin, so that the bins are steps.
    for (std::size_t bin = 0; bin < kBins; ++bin)
        for (const std::size_t edge : {bin, bin + 1}) {
            x.push_back(clock.end * static_cast<double>(edge) / kBins);
            zero.push_back(0);
            run.push_back(running.mean()[bin]);
            unknown.push_back(run.back() + open.mean()[bin]);
            wait.push_back(unknown.back() + waiting.mean()[bin]);
            most = std::max(most, wait.back());
        }
    Plot plot(clock.axis(), Axis("attempts", 0, most, Scale::count, true), 960, 240);
    plot.band(x, unknown, wait, Ink::waiting);
    if (any_open) plot.band(x, run, unknown, Ink::series1);
    plot.band(x, zero, run, Ink::series0);
    plot.legend(Ink::series0, "running");
    plot.legend(Ink::waiting, "waiting");
    if (any_open) plot.legend(Ink::series1, "not ended: waiting or running");
    return figure(plot.svg("Attempts that run and wait over time"),
                  "How many attempts at jobs ran and waited at each time (mean over each step).");
}

/// The attempts of each walker.
using Subjects = std::map<std::string, std::vector<const Span*>, NaturalOrder>;

/// Which walkers get a row: all, or some of those with failures and else an even sample.
std::vector<std::string> rows_of(const Subjects& subjects) {
    std::set<std::string, NaturalOrder> chosen;
    if (subjects.size() > kMostRows) {
        for (const auto& [subject, spans] : subjects) {
            if (chosen.size() == kMostFailedRows) break;
            if (std::ranges::any_of(spans, [](const Span* span) { return span->state == JobState::failed; }))
                chosen.insert(subject);
        }
    }
    const std::size_t stride =
        subjects.size() <= kMostRows ? 1 : subjects.size() / (kMostRows - chosen.size());
    std::size_t i = 0;
    for (const auto& [subject, spans] : subjects)
        if (i++ % stride == 0 && chosen.size() < kMostRows) chosen.insert(subject);
    return {chosen.begin(), chosen.end()};
}

Ink ink_of(JobState state) {
    switch (state) {
        case JobState::finished:
            return Ink::series0;
        case JobState::failed:
            return Ink::bad;
        default:
            return Ink::series1;
    }
}

std::string chart(const Material& material, const Clock& clock) {
    Subjects subjects;
    for (const Span& span : material.spans) subjects[span.subject].push_back(&span);
    const std::vector<std::string> rows = rows_of(subjects);
    std::vector<std::string> names;
    for (const std::string& row : rows) names.push_back(shortened(row, 20));
    Plot plot(clock.axis(), Axis::of_names("", names), 960, 62 + 16 * static_cast<double>(rows.size()));
    std::size_t bars = 0;
    std::size_t left_out = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const double place = static_cast<double>(row);
        for (const Span* span : subjects[rows[row]]) {
            const std::optional<std::int64_t> end = end_of(*span, material);
            if (!end) continue;
            if (++bars > kMostBars) {
                ++left_out;
                continue;
            }
            const double began = clock.at(span->submitted_ms);
            if (!span->ended_ms) {
                plot.box({began, place - 0.2}, {clock.at(*end), place + 0.2}, Ink::series1, 0.5,
                         fmt::format("{}, attempt {}: not ended", span->key, span->attempt));
                continue;
            }
            const double started = clock.at(*span->started_ms);
            if (started > began) plot.box({began, place - 0.2}, {started, place + 0.2}, Ink::waiting);
            plot.box({started, place - 0.36}, {clock.at(*end), place + 0.36}, ink_of(span->state), 1,
                     fmt::format("{}, attempt {}: {}, waited {}, ran {}", span->key, span->attempt,
                                 to_string(span->state), duration_text(span->waited_seconds()),
                                 duration_text(span->ran_seconds())));
        }
    }
    plot.legend(Ink::waiting, "waiting");
    plot.legend(Ink::series0, "ran, finished");
    plot.legend(Ink::bad, "ran, failed");
    plot.legend(Ink::series1, "interrupted, cancelled or not ended");
    std::string html = figure(plot.svg("Timeline of attempts by walker"),
                              "Each attempt from its submission to its end, a row per walker.");
    if (rows.size() < subjects.size())
        html += paragraph(
            fmt::format("{} of {} are shown: up to {} with failures, and an even sample of all.", rows.size(),
                        count_text(static_cast<std::int64_t>(subjects.size())), kMostFailedRows),
            "left-out");
    if (left_out > 0)
        html += paragraph(fmt::format("{} attempts of these are not drawn.",
                                      count_text(static_cast<std::int64_t>(left_out))),
                          "left-out");
    return html;
}

std::string timeline(const Material& material) {
    if (material.spans.empty()) return {};
    const Clock clock(material);
    return occupancy(material, clock) + chart(material, clock);
}

}  // namespace

Section timeline_section() {
    return {"timeline", "Timeline", timeline};
}

}  // namespace coromd::report
