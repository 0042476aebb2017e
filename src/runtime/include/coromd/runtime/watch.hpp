// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "coromd/runtime/task.hpp"

namespace coromd::runtime {

/// Waits until `path` is a regular file of more than `known_size` bytes and returns its size. A file
/// that is not there yet, or that has shrunk, is waited for. Asks for the size every
/// `poll_interval`: inotify does not see what other nodes write. Throws Error(system) where the
/// path cannot be looked at.
///
/// Cancellation: throws Cancelled at once.
task<std::uintmax_t> wait_until_grown(std::filesystem::path path, std::uintmax_t known_size,
                                      std::chrono::nanoseconds poll_interval);

}  // namespace coromd::runtime
