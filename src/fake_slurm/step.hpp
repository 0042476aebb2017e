// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <nlohmann/json.hpp>

namespace coromd::fake_slurm {

/// Runs the tasks of a step below this process, which is srun, and gives srun's exit code: the largest
/// of the tasks'. Signals that srun gets go on to them.
int run_step(const nlohmann::json& launch);

}  // namespace coromd::fake_slurm
