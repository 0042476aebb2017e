// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/trajectory/input_file.hpp"

namespace coromd::trajectory {

/// Throws Error(input) that names the file and the byte at which the broken structure starts.
template <typename... Args>
[[noreturn]] void fail_corrupt(const InputFile& file, std::int64_t offset, fmt::format_string<Args...> format,
                               Args&&... args) {
    fail(ErrorKind::input, "'{}' is corrupt at byte {}: {}", file.path().string(), offset,
         fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace coromd::trajectory
