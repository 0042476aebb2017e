// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>

namespace coromd::queue {

/// Where the streams of an attempt go, in its directory. They do not move with its outputs.
inline constexpr const char* kStdoutFile = "job.out";
inline constexpr const char* kStderrFile = "job.err";
inline constexpr std::size_t kStreamTail = 16 << 10;

}  // namespace coromd::queue
