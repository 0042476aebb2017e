// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include "coromd/queue/queue.hpp"

namespace coromd::queue {

// One per kind of queue, each in the source of its name.
QueueKind local_kind();
QueueKind slurm_kind();
QueueKind srun_kind();

}  // namespace coromd::queue
