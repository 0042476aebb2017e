// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

namespace coromd::queue {

/// What this process may use of the machine that it runs on.
struct Machine {
    int cores = 1;
    bool all_cores = false;  ///< nothing keeps us from any core: their numbers are the machine's own
    std::vector<int> gpus;   ///< of CUDA_VISIBLE_DEVICES; without it, of the devices that are there
    std::uint64_t memory_mib = 0;
};

Machine this_machine();

}  // namespace coromd::queue
