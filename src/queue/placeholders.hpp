// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coromd/queue/job.hpp"

namespace coromd::queue {

/// A job's command with what the queue gave it and its parameters filled in. `first_core` where the
/// program may pin itself to the cores that follow it.
std::vector<std::string> filled_in(const Job& job, std::optional<int> first_core);

/// Whether the program is told its cores, and so pins itself.
bool pins_itself(const Job& job);

}  // namespace coromd::queue
