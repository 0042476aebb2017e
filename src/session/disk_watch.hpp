// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace coromd::session {

/// What can still be written.
struct DiskSpace {
    std::uint64_t bytes = 0;
    std::uint64_t inodes = 0;
};

/// What is free for this user where `directory` is: of the file system, and of the user's quota where the
/// kernel knows one. File systems without a number of inodes have as many as one wants.
/// Throws Error(system).
DiskSpace disk_space(const std::filesystem::path& directory);

/// Below this nothing new is begun, and what runs is stopped while it still can write its checkpoint.
struct DiskLimits {
    std::uint64_t bytes = std::uint64_t{500} << 20;
    std::uint64_t inodes = 1000;
};

/// Why there is too little; empty where there is enough. A file system that cannot be asked has enough.
std::string disk_shortage(const std::filesystem::path& directory, const DiskLimits& limits,
                          const std::function<DiskSpace(const std::filesystem::path&)>& ask = disk_space);

}  // namespace coromd::session
