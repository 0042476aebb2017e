// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>

#include "coromd/runtime/task.hpp"

namespace coromd::runtime {

/// Waits for `duration` (steady clock). Zero or less lets everything run that is ready.
///
/// Cancellation: throws Cancelled at once.
task<void> sleep_for(std::chrono::nanoseconds duration);

}  // namespace coromd::runtime
