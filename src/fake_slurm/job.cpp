// SPDX-License-Identifier: LGPL-3.0-or-later
#include "job.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "text.hpp"

namespace coromd::fake_slurm {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 24> kStates = {{
    {"BOOT_FAIL", "BF"},      {"CANCELLED", "CA"},   {"COMPLETED", "CD"},    {"CONFIGURING", "CF"},
    {"COMPLETING", "CG"},     {"DEADLINE", "DL"},    {"FAILED", "F"},        {"NODE_FAIL", "NF"},
    {"OUT_OF_MEMORY", "OOM"}, {"PENDING", "PD"},     {"PREEMPTED", "PR"},    {"RUNNING", "R"},
    {"RESV_DEL_HOLD", "RD"},  {"REQUEUE_FED", "RF"}, {"REQUEUE_HOLD", "RH"}, {"REQUEUED", "RQ"},
    {"RESIZING", "RS"},       {"REVOKED", "RV"},     {"SIGNALING", "SI"},    {"SPECIAL_EXIT", "SE"},
    {"STAGE_OUT", "SO"},      {"STOPPED", "ST"},     {"SUSPENDED", "S"},     {"TIMEOUT", "TO"},
}};

}  // namespace

std::string Job::shown_id(std::size_t limit) const {
    if (!is_array()) return task >= 0 ? fmt::format("{}_{}", array_id, task) : fmt::format("{}", id);
    std::string list = tasks.text();
    if (limit > 0 && list.size() > limit) {
        const auto comma = list.rfind(',', limit - 1);
        list = list.substr(0, comma == std::string::npos ? limit : comma + 1) + "...";
    }
    const std::string throttle = spec->throttle > 0 ? fmt::format("%{}", spec->throttle) : "";
    return fmt::format("{}_[{}{}]", array_id, list, throttle);
}

int Job::node_count() const {
    return shares.empty() ? std::max(1, spec->nodes) : static_cast<int>(shares.size());
}

int Job::core_count() const {
    if (shares.empty()) {
        const int per_node = std::max(1, spec->nodes) * std::max(1, spec->tasks_per_node);
        return (spec->tasks > 0 ? spec->tasks : per_node) * std::max(1, spec->cores_per_task);
    }
    int cores = 0;
    for (const Share& share : shares) cores += share.cores;
    return cores;
}

std::string compact_state(std::string_view state) {
    for (const auto& [full, compact] : kStates)
        if (full == state) return std::string(compact);
    return upper(state.substr(0, 2));
}

std::string full_state(std::string_view state) {
    std::string name = upper(state);
    for (const auto& [full, compact] : kStates)
        if (full == name || compact == name) return std::string(full);
    return name;
}

}  // namespace coromd::fake_slurm
