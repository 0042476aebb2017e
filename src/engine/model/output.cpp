// SPDX-License-Identifier: LGPL-3.0-or-later
#include "output.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "coromd/core/error.hpp"

namespace coromd::engine::model {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t kFlushSize = std::size_t{256} << 10;
constexpr auto kFlushInterval = std::chrono::milliseconds(100);

}  // namespace

GrowingFile::GrowingFile(fs::path path, std::optional<std::uint64_t> keep) : path_(std::move(path)) {
    std::error_code error;
    if (!keep) {
        if (fs::exists(fs::symlink_status(path_, error)))
            fail(ErrorKind::usage, "'{}' exists: go on from its checkpoint (-cpi), or move it out of the way",
                 path_.string());
        file_ = open_file(path_, O_WRONLY | O_CREAT | O_EXCL);
        return;
    }
    const std::uintmax_t size = fs::file_size(path_, error);
    if (error || size < *keep)
        fail(ErrorKind::usage,
             "'{}' should have at least {} bytes to append to, as when the checkpoint was written: {}; "
             "-noappend "
             "begins new files",
             path_.string(), *keep, error ? error.message() : fmt::format("it has {}", size));
    file_ = open_file(path_, O_WRONLY | O_APPEND);
    if (::ftruncate(file_.get(), static_cast<off_t>(*keep)) != 0)
        fail_errno(errno, fmt::format("cannot shorten '{}'", path_.string()));
    size_ = *keep;
}

void GrowingFile::append(std::string_view bytes) {
    write_fully(file_, bytes, path_);
    size_ += bytes.size();
}

void GrowingFile::sync() const {
    if (::fsync(file_.get()) != 0) fail_errno(errno, fmt::format("cannot sync '{}'", path_.string()));
}

GrowingTrajectory::GrowingTrajectory(const fs::path& path, std::optional<std::uint64_t> keep)
    : file_(path, keep),
      codec_(trajectory::frame_format_of(path).make_codec()),
      flushed_(steady_clock::now()) {}

void GrowingTrajectory::write(const trajectory::Frame& frame) {
    codec_->encode(frame, nullptr, buffer_);
    if (buffer_.size() >= kFlushSize || steady_clock::now() - flushed_ >= kFlushInterval) flush();
}

std::uint64_t GrowingTrajectory::sync() {
    flush();
    file_.sync();
    return file_.size();
}

void GrowingTrajectory::flush() {
    file_.append({reinterpret_cast<const char*>(buffer_.data()), buffer_.size()});
    buffer_.clear();
    flushed_ = steady_clock::now();
}

}  // namespace coromd::engine::model
