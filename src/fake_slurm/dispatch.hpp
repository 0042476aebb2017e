// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include "cluster.hpp"
#include "wire.hpp"

namespace coromd::fake_slurm {

/// An answer and what the controller does with it.
struct Reply {
    Answer answer;
    double delay = 0.0;  ///< seconds before it is sent
    bool stops = false;  ///< the controller leaves
};

/// From a request to its answer: the log of calls, the faults that strike any command, the command.
Reply dispatch(Cluster& cluster, const Request& request, int connection);

}  // namespace coromd::fake_slurm
