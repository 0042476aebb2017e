// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace coromd::trajectory {

/// A file's content in memory that may be cut off while it is read: by copy() that is noticed, where a
/// plain access would end the process (SIGBUS). Const members may be called from several threads.
class Mapping {
public:
    /// Null where the file is not worth it, or better read with system calls: it is small, or on a
    /// file system whose other clients change what this machine has in memory.
    static std::unique_ptr<Mapping> of(int fd, std::int64_t size);
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping();

    /// Is it faster than a system call, given what was read before?
    bool is_faster_for(std::int64_t offset, std::size_t size) const noexcept;
    /// Copies bytes that were within the size at the start. False where they are not certain to be
    /// the file's any more.
    bool copy(std::int64_t offset, std::span<std::byte> out) const noexcept;
    /// Asks the processor for bytes that are about to be read. They may lie outside.
    void prefetch(std::int64_t offset, std::int64_t size) const noexcept;

private:
    Mapping(int fd, std::byte* begin, std::size_t size) : fd_(fd), begin_(begin), size_(size) {}
    bool still_as_long() const noexcept;

    int fd_;
    std::byte* begin_;
    std::size_t size_;
    mutable std::atomic<bool> cut_off_{false};
    mutable std::atomic<std::int64_t> last_offset_{0};
};

}  // namespace coromd::trajectory
