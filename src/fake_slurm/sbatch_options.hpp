// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <span>

#include "options.hpp"

namespace coromd::fake_slurm {

/// The options of sbatch 22.05. What makes no difference here is accepted and ignored.
std::span<const Option> sbatch_options();

}  // namespace coromd::fake_slurm
