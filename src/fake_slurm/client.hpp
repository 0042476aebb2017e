// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace coromd::fake_slurm {

/// Runs a command of SLURM's, or one of our own, in the controller of the cluster in `directory`, which
/// is started where none lives; prints its answer. Gives the exit code. Throws Error.
int run_command(const std::filesystem::path& directory, const std::string& command,
                const std::vector<std::string>& arguments);

/// Whether a controller lives.
bool controller_lives(const std::filesystem::path& directory);

}  // namespace coromd::fake_slurm
