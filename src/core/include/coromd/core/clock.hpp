// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>

namespace coromd {

/// Unix time in milliseconds, by the clock of this machine.
std::int64_t now_ms();

}  // namespace coromd
