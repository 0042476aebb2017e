// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Durable replacement, as POSIX file systems want it:
//
//   1. create a temporary file beside the target (O_EXCL: two writers never share one)
//   2. write all of it, fsync it      - else the rename may reach the disk before the content
//   3. rename it over the target      - readers see the old file or the new one
//   4. fsync the directory            - else a crash may bring the old name back
//
// A failure before step 3 removes the temporary file and leaves the target as it was. A crash may
// leave a temporary file behind: its name starts with a dot and ends with ".tmp".
#include "coromd/core/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "coromd/core/error.hpp"
#include "coromd/core/fault.hpp"

namespace coromd {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_on(const fs::path& path, std::string_view action, int error_number) {
    fail_errno(error_number, fmt::format("cannot {} '{}'", action, path.string()));
}

/// open(2) with EINTR retried; empty with errno set where it fails.
FileDescriptor try_open(const fs::path& path, int flags, unsigned mode) {
    for (;;) {
        const int fd = ::open(path.c_str(), flags | O_CLOEXEC, static_cast<mode_t>(mode));
        if (fd >= 0 || errno != EINTR) return FileDescriptor(fd);
    }
}

/// fsync(2) with EINTR retried: 0 or an errno value.
int sync_descriptor(const FileDescriptor& file) {
    for (;;) {
        if (::fsync(file.get()) == 0) return 0;
        if (errno != EINTR) return errno;
    }
}

std::size_t file_size(const FileDescriptor& file, const fs::path& path) {
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) fail_on(path, "stat", errno);
    return static_cast<std::size_t>(status.st_size);
}

struct TemporaryFile {
    FileDescriptor file;
    fs::path path;
};

TemporaryFile create_beside(const fs::path& target) {
    // Names are taken by other writers of this process, or of another host with the same pid.
    constexpr int kAttempts = 1000;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        fs::path path = target;
        path.replace_filename(fmt::format(".{}.{}-{}.tmp", target.filename().string(), ::getpid(), attempt));
        if (FileDescriptor file = try_open(path, O_WRONLY | O_CREAT | O_EXCL, 0666)) {
            return {std::move(file), std::move(path)};
        }
        if (errno != EEXIST) fail_on(path, "create", errno);
    }
    fail_on(target, "create a temporary file beside", EEXIST);
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
        reset();
        fd_ = other.release();
    }
    return *this;
}

void FileDescriptor::reset() noexcept {
    // Linux closes the descriptor even where it reports EINTR: never close twice.
    if (fd_ >= 0) ::close(release());
}

FileDescriptor open_file(const fs::path& path, int flags, unsigned mode) {
    FileDescriptor file = try_open(path, flags, mode);
    if (!file) fail_on(path, "open", errno);
    return file;
}

std::size_t read_fully(const FileDescriptor& file, std::span<char> buffer, const fs::path& path) {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
        const ssize_t got = ::read(file.get(), buffer.data() + filled, buffer.size() - filled);
        if (got == 0) break;
        if (got > 0) {
            filled += static_cast<std::size_t>(got);
        } else if (errno != EINTR) {
            fail_on(path, "read", errno);
        }
    }
    return filled;
}

void write_fully(const FileDescriptor& file, std::string_view content, const fs::path& path) {
    while (!content.empty()) {
        const ssize_t written = ::write(file.get(), content.data(), content.size());
        if (written >= 0) {
            content.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            fail_on(path, "write", errno);
        }
    }
}

std::string read_text_file(const fs::path& path, std::size_t limit) {
    constexpr std::size_t kChunk = std::size_t{64} << 10;
    const FileDescriptor file = open_file(path, O_RDONLY);
    std::string text;
    // The size that stat reports is no guide: it is 0 in /proc, and the file may be growing.
    for (std::size_t got = kChunk; got == kChunk;) {
        const std::size_t before = text.size();
        text.resize(before + kChunk);
        got = read_fully(file, std::span(text).subspan(before), path);
        text.resize(before + got);
        if (text.size() > limit) {
            fail(ErrorKind::input, "'{}' is larger than {} bytes", path.string(), limit);
        }
    }
    return text;
}

std::string read_tail(const fs::path& path, std::size_t limit) {
    const FileDescriptor file = try_open(path, O_RDONLY, 0);
    if (!file) {
        if (errno == ENOENT || errno == ENOTDIR) return {};
        fail_on(path, "open", errno);
    }
    const std::size_t size = file_size(file, path);
    std::string tail(std::min(size, limit), '\0');
    if (::lseek(file.get(), static_cast<off_t>(size - tail.size()), SEEK_SET) < 0)
        fail_on(path, "seek in", errno);
    tail.resize(read_fully(file, tail, path));
    return tail;
}

void write_file_durably(const fs::path& path, std::string_view content) {
    auto [file, temporary] = create_beside(path);
    try {
        fault_point("file.created");
        write_fully(file, content, temporary);
        fault_point("file.written");
        if (const int error_number = sync_descriptor(file)) fail_on(temporary, "sync", error_number);
        file.reset();
        fault_point("file.synced");
        if (::rename(temporary.c_str(), path.c_str()) != 0) fail_on(path, "replace", errno);
        fault_point("file.renamed");
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
    sync_path(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

void make_directories_durably(const fs::path& directory) {
    std::error_code error;
    if (fs::is_directory(directory, error)) return;
    const fs::path parent = directory.has_parent_path() ? directory.parent_path() : fs::path(".");
    if (parent != directory) make_directories_durably(parent);
    // Somebody else may make it at this very moment, and be slower to sync it.
    fs::create_directory(directory, error);
    if (error) fail(ErrorKind::system, "cannot create '{}': {}", directory.string(), error.message());
    sync_path(parent);
}

void sync_path(const fs::path& path) {
    const FileDescriptor file = open_file(path, O_RDONLY);
    const int error_number = sync_descriptor(file);
    // EINVAL: a file system without fsync for directories (SMB, some FUSE); nothing can be done.
    if (error_number != 0 && error_number != EINVAL) fail_on(path, "sync", error_number);
}

}  // namespace coromd
