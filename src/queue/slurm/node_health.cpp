// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm/node_health.hpp"

#include <algorithm>

#include "coromd/core/error.hpp"

namespace coromd::queue::slurm {

NodeHealth::NodeHealth(const NodeHealthOptions& options) : options_(options) {
    if (options.failures < 1 || options.successes < 1 || options.exclusion < options.exclusion.zero())
        fail(ErrorKind::usage,
             "nodes are excluded after at least one failure, forgiven after at least one "
             "success, and for no negative time");
}

bool NodeHealth::is_excluded(const Node& node, Time now) const {
    return node.failures.size() >= static_cast<std::size_t>(options_.failures) && now < node.excluded_until;
}

std::optional<ClusterLevel> NodeHealth::ended(std::string_view attempt, std::span<const std::string> nodes,
                                              FailureClass failure, Time now) {
    for (const std::string& name : nodes) {
        if (failure == FailureClass::infrastructure) {
            Node& node = nodes_[name];
            if (std::ranges::find(node.failures, attempt) != node.failures.end()) continue;
            node.failures.emplace_back(attempt);
            const auto most = static_cast<std::size_t>(options_.failures);
            // Only so many are ever needed, and the one that goes is the oldest.
            if (node.failures.size() > most) node.failures.erase(node.failures.begin());
            if (node.failures.size() == most) node.excluded_until = now + options_.exclusion;
        } else if (failure == FailureClass::none) {
            const auto at = nodes_.find(name);
            if (at == nodes_.end() || ++at->second.successes < options_.successes) continue;
            at->second.successes = 0;
            at->second.failures.erase(at->second.failures.begin());
            if (at->second.failures.empty()) nodes_.erase(at);
        }
    }
    return level_change(now);
}

std::vector<std::string> NodeHealth::excluded(Time now) const {
    std::vector<std::string> out;
    for (const auto& [name, node] : nodes_)
        if (is_excluded(node, now)) out.push_back(name);
    return out;
}

ClusterLevel NodeHealth::level(Time now) const {
    const std::size_t n = excluded(now).size();
    if (cluster_nodes_ == 0 || n == 0) return ClusterLevel::none;
    if (4 * n >= 3 * cluster_nodes_) return ClusterLevel::stop;
    if (2 * n >= cluster_nodes_) return ClusterLevel::warn_half;
    return 4 * n >= cluster_nodes_ ? ClusterLevel::warn_quarter : ClusterLevel::none;
}

std::optional<ClusterLevel> NodeHealth::level_change(Time now) {
    const ClusterLevel level = this->level(now);
    if (level == reported_) return {};
    reported_ = level;
    return level;
}

}  // namespace coromd::queue::slurm
