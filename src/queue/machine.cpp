// SPDX-License-Identifier: LGPL-3.0-or-later
#include "machine.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include <sched.h>
#include <unistd.h>

namespace coromd::queue {

namespace {

/// Ids as plain numbers; empty where they are none (UUIDs), or a -1 says that there are none.
std::vector<int> parse_ids(std::string_view list) {
    std::vector<int> ids;
    while (!list.empty()) {
        const std::string_view word = list.substr(0, list.find(','));
        list.remove_prefix(std::min(list.size(), word.size() + 1));
        int id = -1;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
        if (error != std::errc() || end != word.data() + word.size() || id < 0) return {};
        ids.push_back(id);
    }
    return ids;
}

std::vector<int> visible_gpus() {
    if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) return parse_ids(visible);
    std::vector<int> ids;
    std::error_code ignored;
    while (std::filesystem::exists("/dev/nvidia" + std::to_string(ids.size()), ignored))
        ids.push_back(static_cast<int>(ids.size()));
    return ids;
}

}  // namespace

Machine this_machine() {
    Machine machine;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) == 0) {
        machine.cores = std::max(1, CPU_COUNT(&set));
        machine.all_cores = machine.cores == ::sysconf(_SC_NPROCESSORS_CONF);
    }
    machine.gpus = visible_gpus();
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page = ::sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0)
        machine.memory_mib = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page) >> 20;
    return machine;
}

}  // namespace coromd::queue
