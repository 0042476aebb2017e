// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/campaign/snapshot.hpp"

namespace coromd::campaign {

/// Whether a program runs the campaign.
enum class Activity {
    runs,
    elsewhere,  ///< its owner is on another host, where nobody can look from here
    killed,     ///< the last program did not say good-bye
    ended,
    never  ///< no program has run it yet
};

std::string_view to_string(Activity activity) noexcept;

/// How far the walkers in one phase have come.
struct PhaseTotal {
    std::int64_t walkers = 0;
    double time_ps = 0.0;
};

/// How long the walkers that have not ended will still take, and what that is concluded from.
struct TimeLeft {
    std::optional<double> seconds;  ///< empty where it cannot be told
    std::string basis;              ///< a sentence for a person: how it was estimated, or why not
};

/// Jobs that failed for the same reason, but for numbers in it.
struct FailureGroup {
    std::string reason;  ///< of the first of them
    std::vector<std::string> jobs;
};

/// A campaign at a glance.
struct Status {
    std::filesystem::path directory;
    std::uint64_t seed = 0;
    std::int64_t created_ms = 0;
    Activity activity = Activity::never;
    std::optional<Owner> owner;
    std::optional<SessionRow> session;  ///< the last one
    std::int64_t sessions = 0;

    std::vector<WalkerRow> walkers;
    std::int64_t ended = 0;  ///< walkers that go no further
    std::map<std::string, PhaseTotal> phases;
    std::int64_t parts = 0;   ///< of MD that were begun
    double time_ps = 0.0;     ///< MD done by all walkers
    double ns_per_day = 0.0;  ///< of all parts that run now
    std::map<queue::JobState, std::int64_t> jobs;
    TimeLeft left;
    std::vector<FailureGroup> failures;  ///< the largest first
};

/// Whether a walker in that phase goes no further.
bool is_final(std::string_view phase);

/// Each walker that has not ended is taken to go on for as long as, in the mean, those did that have ended
/// and had come as far; all of them together at `ns_per_day`, which is that of the parts that run now.
TimeLeft estimate_time_left(std::span<const WalkerRow> walkers, double ns_per_day);

/// Reads the campaign in `directory`. Holds off the program that runs it for milliseconds only.
/// Throws as Snapshot does.
Status read_status(const std::filesystem::path& directory);

}  // namespace coromd::campaign
