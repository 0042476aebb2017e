// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/engine/md_engine.hpp"

#include "coromd/core/error.hpp"

namespace coromd::engine {

RunLimits& RunLimits::total_steps(std::int64_t steps) {
    if (steps < 0) fail(ErrorKind::usage, "{} is no number of steps", steps);
    total_steps_ = steps;
    return *this;
}

RunLimits& RunLimits::walltime(std::chrono::milliseconds walltime) {
    if (walltime.count() <= 0)
        fail(ErrorKind::usage, "a wall time of {} ms is not positive", walltime.count());
    walltime_ = walltime;
    return *this;
}

}  // namespace coromd::engine
