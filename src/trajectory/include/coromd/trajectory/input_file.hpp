// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "coromd/core/file.hpp"

namespace coromd::trajectory {

class Mapping;

/// A file that is read at given offsets. Const members may be called from several threads.
///
/// Large files on local disks are mapped into memory, so that to read a few bytes costs no system
/// call. For that, the first one opened installs a handler for SIGBUS, which passes on what is not its own.
class InputFile {
public:
    /// Throws Error(system) where it cannot be opened.
    explicit InputFile(std::filesystem::path path);
    InputFile(InputFile&&) noexcept;
    InputFile& operator=(InputFile&&) noexcept;
    ~InputFile();

    const std::filesystem::path& path() const noexcept { return path_; }
    /// The size when it was opened: what is written later is not seen.
    std::int64_t size() const noexcept { return size_; }

    /// Reads as much of `out` as there is from `offset` on, up to size(), and returns how much that was.
    /// Throws Error(system); Error(input) where the file has become shorter since it was opened.
    std::size_t read_some(std::int64_t offset, std::span<std::byte> out) const;
    /// Fills `out`. Throws Error(input) where the file ends before.
    void read_exactly(std::int64_t offset, std::span<std::byte> out) const;

    /// Its descriptor, for copies within the kernel.
    int fd() const noexcept { return fd_.get(); }

    /// Says what is likely to be read soon; costs next to nothing where it is wrong.
    void prefetch(std::int64_t offset, std::int64_t size) const noexcept;

private:
    std::filesystem::path path_;
    FileDescriptor fd_;
    std::int64_t size_ = 0;
    std::unique_ptr<Mapping> mapping_;
};

}  // namespace coromd::trajectory
