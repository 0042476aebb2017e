// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/queue/queue.hpp"
#include "kinds.hpp"

namespace coromd::queue {

Registry<QueueKind> builtin_queues() {
    Registry<QueueKind> registry("queue kind");
    registry.add(local_kind());
    registry.add(slurm_kind());
    registry.add(srun_kind());
    return registry;
}

}  // namespace coromd::queue
