// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "coromd/core/file.hpp"

namespace coromd::trajectory {

/// A file that is read at given offsets. Const members may be called from several threads.
class InputFile {
public:
    /// Throws Error(system) where it cannot be opened.
    explicit InputFile(std::filesystem::path path);

    const std::filesystem::path& path() const noexcept { return path_; }
    /// The size when it was opened: what is written later is not seen.
    std::int64_t size() const noexcept { return size_; }

    /// Reads as much of `out` as there is from `offset` on and returns how much that was.
    /// Throws Error(system).
    std::size_t read_some(std::int64_t offset, std::span<std::byte> out) const;
    /// Fills `out`. Throws Error(input) where the file ends before.
    void read_exactly(std::int64_t offset, std::span<std::byte> out) const;

private:
    std::filesystem::path path_;
    FileDescriptor fd_;
    std::int64_t size_ = 0;
};

}  // namespace coromd::trajectory
