// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <vector>

#include <sys/types.h>

#include "coromd/queue/job_file.hpp"

namespace coromd::agent {

/// Starts the program of a job in `directory`, in the process group of this process, so that whoever
/// signals or kills the job as a whole reaches it. It dies with this process. Its standard output and
/// error go to files in there. Throws Error(system) where it cannot be started.
pid_t start_program(const queue::JobFile& job, const std::filesystem::path& directory);

/// All living processes below this one.
std::vector<pid_t> descendants();
/// Those of them that have no children: what a script runs, not the shells above.
std::vector<pid_t> leaf_descendants();

}  // namespace coromd::agent
