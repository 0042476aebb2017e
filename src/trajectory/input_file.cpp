// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "coromd/core/error.hpp"
#include "mapping.hpp"

namespace coromd::trajectory {

// O_NONBLOCK: to open a pipe by mistake must not hang.
InputFile::InputFile(std::filesystem::path path)
    : path_(std::move(path)), fd_(open_file(path_, O_RDONLY | O_NONBLOCK)) {
    struct stat status {};
    if (::fstat(fd_.get(), &status) != 0) fail_errno(errno, fmt::format("cannot stat '{}'", path_.string()));
    if (!S_ISREG(status.st_mode)) fail(ErrorKind::system, "'{}' is not a regular file", path_.string());
    size_ = status.st_size;
    mapping_ = Mapping::of(fd_.get(), size_);
}
InputFile::InputFile(InputFile&&) noexcept = default;
InputFile& InputFile::operator=(InputFile&&) noexcept = default;
InputFile::~InputFile() = default;

std::size_t InputFile::read_some(std::int64_t offset, std::span<std::byte> out) const {
    const std::int64_t available = std::max<std::int64_t>(size_ - offset, 0);
    out = out.first(std::min(out.size(), static_cast<std::size_t>(available)));
    if (mapping_ && mapping_->is_faster_for(offset, out.size()) && mapping_->copy(offset, out))
        return out.size();

    std::size_t filled = 0;
    while (filled < out.size()) {
        const ssize_t got = ::pread(fd_.get(), out.data() + filled, out.size() - filled,
                                    static_cast<off_t>(offset + static_cast<std::int64_t>(filled)));
        if (got == 0) {
            fail(ErrorKind::input,
                 "'{}' was cut off while it was read: it ends at byte {}, and had {} before", path_.string(),
                 offset + static_cast<std::int64_t>(filled), size_);
        }
        if (got > 0) {
            filled += static_cast<std::size_t>(got);
        } else if (errno != EINTR) {
            fail_errno(errno, fmt::format("cannot read '{}' at byte {}", path_.string(), offset));
        }
    }
    return filled;
}

void InputFile::prefetch(std::int64_t offset, std::int64_t size) const noexcept {
    if (mapping_) mapping_->prefetch(offset, size);
}

void InputFile::read_exactly(std::int64_t offset, std::span<std::byte> out) const {
    const std::size_t got = read_some(offset, out);
    if (got < out.size()) {
        fail(ErrorKind::input, "'{}' ends at byte {}, where {} bytes more are expected", path_.string(),
             offset + static_cast<std::int64_t>(got), out.size() - got);
    }
}

}  // namespace coromd::trajectory
