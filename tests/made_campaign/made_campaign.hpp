// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>

namespace coromd::tests {

/// A campaign that has never run, as its database and trajectories would be if it had: walkers that wait
/// for a cluster with a few slots, run in parts, sometimes fail and are tried again, and end in one of two
/// states. The same for the same numbers, but for the times of files.
struct MadeCampaign {
    int walkers = 1;
    int slots = 2;
    int frames = 100;                ///< at most, per walker
    int distinct_trajectories = 50;  ///< later walkers get copies of these
    double failure_rate = 0.02;      ///< of attempts
    /// Goes into names and texts of users, wherever there are any.
    const char* decoration = "";

    /// Makes it in a new directory.
    void write(const std::filesystem::path& directory) const;
};

/// When it began: 2026-03-01 08:00:00 UTC.
inline constexpr std::int64_t kMadeCampaignBegan = 1'772'352'000'000;

}  // namespace coromd::tests
