// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string_view>

namespace coromd::queue {

/// Where standard output and error of an attempt go, in its directory: to files, so that the program
/// does not depend on ours being alive. They do not move with its outputs, and stay beside a failed
/// attempt for a person to read.
inline constexpr const char* kStdoutFile = "job.out";
inline constexpr const char* kStderrFile = "job.err";
/// How much of their ends is kept with the result.
inline constexpr std::size_t kStreamTail = 16 << 10;

inline bool is_stream(std::string_view name) {
    return name == kStdoutFile || name == kStderrFile;
}

}  // namespace coromd::queue
