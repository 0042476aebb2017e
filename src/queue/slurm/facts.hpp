// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include "coromd/queue/queue.hpp"
#include "slurm/client.hpp"

namespace coromd::queue::slurm {

/// What SLURM says of itself: version, limits, accounting, partitions, GPUs.
/// Cancellation: throws Cancelled.
runtime::task<QueueFacts> cluster_facts(Client client);

/// `sacctmgr ... show assoc` for this user.
std::vector<std::string> assoc_words();

}  // namespace coromd::queue::slurm
