// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coromd/propagation/until.hpp"
#include "coromd/runtime/task.hpp"
#include "coromd/sampling/campaign_kind.hpp"

namespace coromd::sampling {

/// Where a walker ended, as `propagate` finds it or as an earlier run of the program has recorded it: then
/// its parts are not looked at again, and may be gone. A walker that has reached a state has the memo
/// "<name>/result"; one that gave up goes on where it may try for longer now.
///
/// `states`: the names of the conditions, by which the record knows them.
/// Cancellation: that of `propagate`.
runtime::task<propagation::UntilResult> remembered(MethodContext& context, std::string name,
                                                   std::vector<std::string> states, std::int64_t max_steps,
                                                   runtime::task<propagation::UntilResult> propagate);

}  // namespace coromd::sampling
