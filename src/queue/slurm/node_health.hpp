// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/queue/job.hpp"

namespace coromd::queue::slurm {

struct NodeHealthOptions {
    int failures = 3;    ///< so many exclude a node; at least 1
    int successes = 50;  ///< so many in between forgive one failure; at least 1
    std::chrono::milliseconds exclusion = std::chrono::hours(1);
};

/// How much of the cluster is excluded.
enum class ClusterLevel {
    none,
    warn_quarter,  ///< at least 1/4 of the nodes
    warn_half,     ///< at least 1/2
    stop           ///< at least 3/4: what fails is hardly the nodes
};

/// Counts which nodes fail jobs, so that no job is sent to one that fails them all, and a broken cluster
/// stops the campaign rather than its jobs.
///
/// A node is excluded for a time after so many failures that are its own (infrastructure); what a
/// user's program does counts for nothing. After that time it is on probation: one more failure
/// excludes it again. Successes forgive failures, of an excluded node too. No clock: `now` is told,
/// and does not go back.
class NodeHealth {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// Throws Error(usage) for options that make no sense.
    explicit NodeHealth(const NodeHealthOptions& options = {});

    /// How many nodes jobs can run on; 0 for unknown, when the level stays none.
    void cluster_nodes(std::size_t number) noexcept { cluster_nodes_ = number; }

    /// An attempt ended on `nodes`: a success for `none`, a failure of each node for `infrastructure`,
    /// nothing otherwise. `attempt` names it: a failure that is told again is not counted again.
    /// Returns the level where it changed, as level_change() does.
    std::optional<ClusterLevel> ended(std::string_view attempt, std::span<const std::string> nodes,
                                      FailureClass failure, Time now);

    /// Sorted names for --exclude.
    std::vector<std::string> excluded(Time now) const;
    ClusterLevel level(Time now) const;
    /// The level, where it is another one than was returned last (none at first): each change is
    /// reported once, those for the better too.
    std::optional<ClusterLevel> level_change(Time now);

private:
    struct Node {
        std::vector<std::string> failures;  // attempts, oldest first
        int successes = 0;
        Time excluded_until{};
    };
    bool is_excluded(const Node& node, Time now) const;

    NodeHealthOptions options_;
    std::size_t cluster_nodes_ = 0;
    ClusterLevel reported_ = ClusterLevel::none;
    std::map<std::string, Node, std::less<>> nodes_;  // those with failures
};

}  // namespace coromd::queue::slurm
