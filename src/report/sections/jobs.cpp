// SPDX-License-Identifier: LGPL-3.0-or-later
#include <map>

#include <fmt/format.h>

#include "sections.hpp"

namespace coromd::report {

namespace {

using queue::JobState;

Ink ink_of(JobState state) {
    switch (state) {
        case JobState::finished:
            return Ink::good;
        case JobState::failed:
            return Ink::bad;
        case JobState::started:
            return Ink::series0;
        default:
            return Ink::faint;
    }
}

/// The kind of a job by its key: "md" of "walkers/003/md.part0004".
std::string kind_of(const std::string& key) {
    const std::string leaf = key.substr(key.rfind('/') + 1);
    return leaf.substr(0, leaf.find('.'));
}

struct KindSums {
    std::map<JobState, std::int64_t> attempts;
    double waited = 0;
    double ran = 0;
};

std::string jobs(const Material& material) {
    if (material.job_counts.empty()) return {};
    std::vector<std::string> names;
    double most = 0;
    for (const auto& [state, count] : material.job_counts) {
        names.push_back(fmt::format("{} ({})", to_string(state), count_text(count)));
        most = std::max(most, static_cast<double>(count));
    }
    Plot plot(Axis("jobs", 0, most, Scale::count), Axis::of_names("", names), 560,
              56 + 28 * static_cast<double>(names.size()));
    double place = 0;
    for (const auto& [state, count] : material.job_counts) {
        plot.box({0, place - 0.35}, {static_cast<double>(count), place + 0.35}, ink_of(state));
        ++place;
    }
    std::map<std::string, KindSums> kinds;
    for (const Span& span : material.spans) {
        KindSums& sums = kinds[kind_of(span.key)];
        ++sums.attempts[span.state];
        sums.waited += span.waited_seconds();
        sums.ran += span.ran_seconds();
    }
    Table table({"attempts at", ">all", ">finished", ">failed", ">interrupted", ">cancelled", ">no end known",
                 ">waited", ">ran"});
    for (auto& [kind, sums] : kinds) {
        std::int64_t all = 0;
        for (const auto& [state, count] : sums.attempts) all += count;
        table.row(
            {escape(kind), count_text(all), count_text(sums.attempts[JobState::finished]),
             count_text(sums.attempts[JobState::failed]), count_text(sums.attempts[JobState::interrupted]),
             count_text(sums.attempts[JobState::cancelled]), count_text(sums.attempts[JobState::started]),
             escape(duration_text(sums.waited)), escape(duration_text(sums.ran))});
    }
    return figure(plot.svg("Jobs by state"),
                  "Jobs by their state. A job that failed is tried again at the next start.") +
           table.html();
}

}  // namespace

Section jobs_section() {
    return {"jobs", "Jobs", jobs};
}

}  // namespace coromd::report
