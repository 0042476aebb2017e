// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace coromd {

/// Owns a file descriptor.
class FileDescriptor {
public:
    FileDescriptor() = default;
    explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
    FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept;
    ~FileDescriptor() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    int release() noexcept { return std::exchange(fd_, -1); }
    void reset() noexcept;

private:
    int fd_ = -1;
};

/// Opens a file (O_CLOEXEC is added). Throws Error(system) that names the path.
FileDescriptor open_file(const std::filesystem::path& path, int flags, unsigned mode = 0666);

/// Fills `buffer` from where `file` stands; returns less than its size only at the end of the file.
/// Throws Error(system) that names `path`.
std::size_t read_fully(const FileDescriptor& file, std::span<char> buffer, const std::filesystem::path& path);

/// Writes all of `content` to where `file` stands. Throws Error(system) that names `path`.
void write_fully(const FileDescriptor& file, std::string_view content, const std::filesystem::path& path);

/// A whole file as text. Throws Error(system) where it cannot be read, Error(input) above `limit`.
std::string read_text_file(const std::filesystem::path& path, std::size_t limit = std::size_t{64} << 20);

/// The last `limit` bytes of a file; empty where there is no file. Throws Error(system) where it
/// cannot be read.
std::string read_tail(const std::filesystem::path& path, std::size_t limit);

/// Replaces `path` as a whole: written to a temporary name beside it, synced, renamed, and the
/// directory synced. After a crash there is the old content or the new, never a part.
/// Throws Error(system), with `path` as it was unless only the last step, the sync of the directory,
/// failed. A symbolic link is replaced, not followed.
void write_file_durably(const std::filesystem::path& path, std::string_view content);

/// Makes a directory, with its parents, that is still there after a power loss. Those that were there
/// are taken for durable. `directory` does not end with a slash. Throws Error(system).
void make_directories_durably(const std::filesystem::path& directory);

/// fsync of a file or directory; nothing on file systems that have none for it. Throws Error(system).
void sync_path(const std::filesystem::path& path);

}  // namespace coromd
