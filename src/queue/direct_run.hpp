// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "coromd/queue/queue.hpp"

namespace coromd::queue {

/// Runs the program of an attempt as a plain child of this process, a group of its own. Throws,
/// returns and is cancelled as Backend::execute().
runtime::task<JobExit> run_directly(runtime::Context& context, Attempt attempt,
                                    std::vector<std::string> command, Submitted submitted);

/// Ends such a child that an earlier program left, if it still runs: SIGTERM, after the job's grace
/// SIGKILL. `submission` is empty where the crash came before it was recorded.
/// Cancellation: stops waiting, throws Cancelled.
runtime::task<void> end_leftover_child(runtime::Context& context, Attempt attempt, std::string submission);

/// What run_directly() hands to `submitted` begins with this.
inline constexpr const char* kDirectly = "child ";

}  // namespace coromd::queue
