// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>

namespace coromd::fake_slurm {

/// The process that stands in for slurmctld and slurmd: it owns all jobs, starts them, and answers the
/// commands over a socket in DIR/state. The first command starts it. It leaves when told to, when DIR
/// is removed, and after a minute in which no job waits or runs and nobody asks.
/// Returns at once where another one serves the directory.
int serve(const std::filesystem::path& directory);

}  // namespace coromd::fake_slurm
