// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "coromd/core/error.hpp"

namespace coromd::trajectory {

// O_NONBLOCK: to open a pipe by mistake must not hang.
InputFile::InputFile(std::filesystem::path path)
    : path_(std::move(path)), fd_(open_file(path_, O_RDONLY | O_NONBLOCK)) {
    struct stat status {};
    if (::fstat(fd_.get(), &status) != 0) fail_errno(errno, fmt::format("cannot stat '{}'", path_.string()));
    if (!S_ISREG(status.st_mode)) fail(ErrorKind::system, "'{}' is not a regular file", path_.string());
    size_ = status.st_size;
}

std::size_t InputFile::read_some(std::int64_t offset, std::span<std::byte> out) const {
    std::size_t filled = 0;
    while (filled < out.size()) {
        const ssize_t got = ::pread(fd_.get(), out.data() + filled, out.size() - filled,
                                    static_cast<off_t>(offset + static_cast<std::int64_t>(filled)));
        if (got == 0) break;
        if (got > 0) {
            filled += static_cast<std::size_t>(got);
        } else if (errno != EINTR) {
            fail_errno(errno, fmt::format("cannot read '{}' at byte {}", path_.string(), offset));
        }
    }
    return filled;
}

void InputFile::read_exactly(std::int64_t offset, std::span<std::byte> out) const {
    const std::size_t got = read_some(offset, out);
    if (got < out.size()) {
        fail(ErrorKind::input, "'{}' ends at byte {}, where {} bytes more are expected", path_.string(),
             offset + static_cast<std::int64_t>(got), out.size() - got);
    }
}

}  // namespace coromd::trajectory
