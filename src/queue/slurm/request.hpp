// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include "slurm/cluster.hpp"

// How a job becomes a request to SLURM.

namespace coromd::queue::slurm {

/// The queue's options with the job's over them. Throws Error(usage) for what sbatch would refuse.
SbatchOptions options_of(const Settings& settings, const Job& job);

/// Touches no file.
Request make_request(const Settings& settings, const Spool& spool, const Attempt& attempt, Submitted record);

/// Puts the job file, and the script where there is a template, into the attempt's directory.
void write_request(const Settings& settings, Request& request);

}  // namespace coromd::queue::slurm
