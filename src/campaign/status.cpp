// SPDX-License-Identifier: LGPL-3.0-or-later
//
// How the time left is estimated. Walkers end by chance, so the mean over those that have ended is not what
// the others will take: of a walker that has come to t, only those tell something that came further. The
// mean of what they went on for is the walker's share (the empirical mean residual life); all shares
// are divided by the rate at which all parts together run now. Where a walker has come further than
// every one that has ended, nobody knows, and that is said.
#include "coromd/campaign/status.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace coromd::campaign {

namespace {

/// 1 ns/day in ps/s.
constexpr double kPsPerSecond = 1000.0 / 86400.0;

Activity activity_of(const std::optional<Owner>& owner, const std::optional<SessionRow>& last) {
    if (owner) {
        switch (owner->life) {
            case Owner::Life::runs:
                return Activity::runs;
            case Owner::Life::unknown:
                return Activity::elsewhere;
            case Owner::Life::dead:
                return Activity::killed;
        }
    }
    if (!last) return Activity::never;
    return last->ended_ms ? Activity::ended : Activity::killed;
}

/// A reason without what differs between one job and the next.
std::string kind_of(const std::string& reason) {
    std::string kind;
    for (const char c : reason) {
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_digit)
            kind += c;
        else if (!kind.ends_with('#'))
            kind += '#';
    }
    return kind;
}

std::vector<FailureGroup> group(const std::vector<JobRow>& failed) {
    std::vector<FailureGroup> groups;
    std::unordered_map<std::string, std::size_t> known;
    for (const JobRow& job : failed) {
        const auto [at, is_new] = known.emplace(kind_of(job.reason), groups.size());
        if (is_new) groups.push_back({job.reason, {}});
        groups[at->second].jobs.push_back(job.key);
    }
    std::ranges::stable_sort(groups, std::greater<>(), [](const FailureGroup& g) { return g.jobs.size(); });
    return groups;
}

}  // namespace

std::string_view to_string(Activity activity) noexcept {
    switch (activity) {
        case Activity::runs:
            return "runs";
        case Activity::elsewhere:
            return "elsewhere";
        case Activity::killed:
            return "killed";
        case Activity::ended:
            return "ended";
        default:
            return "never";
    }
}

bool is_final(std::string_view phase) {
    return phase.starts_with("reached ") || phase == "failed";
}

TimeLeft estimate_time_left(std::span<const WalkerRow> walkers, double ns_per_day) {
    std::vector<double> ended;  // MD time of those that reached something
    std::vector<double> living;
    for (const WalkerRow& walker : walkers) {
        const Progress& progress = walker.progress;
        if (!is_final(progress.phase))
            living.push_back(progress.time_ps);
        else if (progress.phase != "failed")
            ended.push_back(progress.time_ps);
    }
    if (walkers.empty()) return {std::nullopt, "unknown: no walker has been heard of"};
    if (living.empty()) return {0.0, "all walkers have ended"};
    if (ended.empty()) return {std::nullopt, "unknown: no walker has reached its end yet"};
    if (!(ns_per_day > 0.0)) return {std::nullopt, "unknown: no part of MD tells its rate at present"};

    std::ranges::sort(ended);
    std::vector<double> further(ended.size() + 1, 0.0);  // the sum of ended[i] and all after it
    for (std::size_t i = ended.size(); i-- > 0;) further[i] = further[i + 1] + ended[i];
    double left_ps = 0.0;
    std::int64_t beyond = 0;
    for (const double time_ps : living) {
        const auto first = static_cast<std::size_t>(std::ranges::upper_bound(ended, time_ps) - ended.begin());
        const auto count = ended.size() - first;
        if (count == 0)
            ++beyond;
        else
            left_ps += further[first] / static_cast<double>(count) - time_ps;
    }
    if (beyond == std::ssize(living))
        return {std::nullopt, "unknown: all that are left have gone further than any walker that has ended"};
    std::string basis = fmt::format(
        "if each goes on as the {} that have ended did from where it is, at the present rate of {:.1f} "
        "ns/day",
        ended.size(), ns_per_day);
    if (beyond > 0) basis += fmt::format("; without {} that went further than any that has ended", beyond);
    return {left_ps / (ns_per_day * kPsPerSecond), std::move(basis)};
}

Status read_status(const std::filesystem::path& directory) {
    Status status;
    std::vector<JobRow> failed;
    {
        // No longer than it takes to read: the owner cannot write meanwhile.
        const Snapshot snapshot(directory);
        status.directory = snapshot.directory();
        status.seed = snapshot.seed();
        status.created_ms = snapshot.created_ms();
        std::vector<SessionRow> sessions = snapshot.sessions();
        status.sessions = std::ssize(sessions);
        if (!sessions.empty()) status.session = std::move(sessions.back());
        status.walkers = snapshot.walkers();
        status.jobs = snapshot.job_counts();
        failed = snapshot.jobs_in(queue::JobState::failed, std::numeric_limits<std::int64_t>::max());
    }
    status.owner = owner_of(status.directory);
    status.activity = activity_of(status.owner, status.session);
    for (const WalkerRow& walker : status.walkers) {
        const Progress& progress = walker.progress;
        PhaseTotal& phase = status.phases[progress.phase];
        ++phase.walkers;
        phase.time_ps += progress.time_ps;
        status.ended += is_final(progress.phase) ? 1 : 0;
        status.parts += progress.part;
        status.time_ps += progress.time_ps;
        // What a program that is gone said last of its parts is no rate any more.
        if (status.activity == Activity::runs || status.activity == Activity::elsewhere)
            status.ns_per_day += progress.phase == "running" ? progress.ns_per_day : 0.0;
    }
    status.left = estimate_time_left(status.walkers, status.ns_per_day);
    if (!status.left.seconds && status.ended < std::ssize(status.walkers) &&
        (status.activity == Activity::ended || status.activity == Activity::killed))
        status.left.basis = "unknown: no program runs the campaign";
    status.failures = group(failed);
    return status;
}

}  // namespace coromd::campaign
