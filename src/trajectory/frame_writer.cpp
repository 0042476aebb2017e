// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A trajectory gets its name when it is complete, and durably:
//
//   frames -> temporary file beside the target -> fsync -> rename -> fsync of the folder
//
// Where nothing may be overwritten, the rename must not replace a file that somebody else created
// meanwhile: renameat2(RENAME_NOREPLACE), or link and unlink on file systems that do not have it.
// A crash may leave a temporary file behind: its name starts with a dot and ends with ".tmp".
#include "coromd/trajectory/frame_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"

namespace coromd::trajectory {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kWriteSize = std::size_t{1} << 20;
constexpr std::int64_t kWritebackSize = std::int64_t{16} << 20;

[[noreturn]] void fail_because_it_exists(const fs::path& path) {
    fail(ErrorKind::usage, "'{}' exists and is not overwritten unless asked for", path.string());
}

/// 0 or an errno value; EEXIST where `to` is there.
int rename_without_replacing(const fs::path& from, const fs::path& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    if (::link(from.c_str(), to.c_str()) != 0) return errno;
    ::unlink(from.c_str());
    return 0;
}

}  // namespace

class FrameWriter::File {
public:
    File(fs::path path, bool overwrite) : path_(std::move(path)), overwrite_(overwrite) {
        std::error_code error;
        if (!overwrite_ && fs::exists(fs::symlink_status(path_, error))) fail_because_it_exists(path_);
        create_temporary();
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (fd_) ::unlink(temporary_.c_str());
    }

    void write(std::span<const std::byte> bytes) {
        if (!fd_) fail(ErrorKind::usage, "'{}' is closed: no frame can be written", path_.string());
        write_fully(fd_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path_);
        start_writing_back(static_cast<std::int64_t>(bytes.size()));
    }

    /// Returns how much was copied: all of it, or less where the file systems cannot do it.
    std::int64_t copy_within_kernel(const InputFile& from, std::int64_t offset, std::int64_t size) {
        std::int64_t copied = 0;
        while (fd_ && copied < size) {
            off_t at = static_cast<off_t>(offset + copied);
            const ssize_t n =
                ::copy_file_range(from.fd(), &at, fd_.get(), nullptr,
                                  static_cast<std::size_t>(std::min(size - copied, kWritebackSize)), 0);
            if (n == 0 || (n < 0 && errno != EINTR)) break;
            if (n > 0) {
                copied += n;
                start_writing_back(n);
            }
        }
        return copied;
    }

    void patch(const Patch& patch) {
        std::size_t done = 0;
        while (fd_ && done < patch.bytes.size()) {
            const ssize_t written = ::pwrite(fd_.get(), patch.bytes.data() + done, patch.bytes.size() - done,
                                             static_cast<off_t>(patch.offset) + static_cast<off_t>(done));
            if (written < 0 && errno != EINTR)
                fail_errno(errno, fmt::format("cannot write '{}'", path_.string()));
            if (written > 0) done += static_cast<std::size_t>(written);
        }
    }

    void close() {
        if (!fd_) return;
        if (::fsync(fd_.get()) != 0) fail_errno(errno, fmt::format("cannot sync '{}'", path_.string()));
        int error = 0;
        if (!overwrite_) {
            error = rename_without_replacing(temporary_, path_);
        } else if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
            error = errno;
        }
        if (error == EEXIST) fail_because_it_exists(path_);
        if (error != 0) fail_errno(error, fmt::format("cannot rename a file to '{}'", path_.string()));
        fd_.reset();
        sync_path(path_.has_parent_path() ? path_.parent_path() : fs::path("."));
    }

    const fs::path& path() const noexcept { return path_; }

private:
    /// The disk works while the next frames come, so that little is left for fsync.
    void start_writing_back(std::int64_t n_new) {
        n_unwritten_ += n_new;
        if (n_unwritten_ < kWritebackSize) return;
        ::sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
        n_unwritten_ = 0;
    }

    void create_temporary() {
        constexpr int kAttempts = 1000;
        int error = EEXIST;
        for (int attempt = 0; attempt < kAttempts && error == EEXIST; ++attempt) {
            temporary_ = path_;
            temporary_.replace_filename(
                fmt::format(".{}.{}-{}.tmp", path_.filename().string(), ::getpid(), attempt));
            fd_ = FileDescriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
            if (fd_) return;
            error = errno;
        }
        fail_errno(error, fmt::format("cannot create a file beside '{}'", path_.string()));
    }

    fs::path path_;
    fs::path temporary_;
    FileDescriptor fd_;
    std::int64_t n_unwritten_ = 0;
    bool overwrite_;
};

FrameWriter::FrameWriter(fs::path path, WriteOptions options) : topology_(std::move(options.topology)) {
    const Format& format = frame_format_of(path);
    if (!format.writes_frames) {
        fail(ErrorKind::usage, "'{}' cannot be written: {} is only read", path.string(), format.name);
    }
    if (format.needs_topology && !topology_ && !options.encoded_only) {
        fail(ErrorKind::usage, "'{}' cannot be written without a topology: {} stores the names of the atoms",
             path.string(), format.name);
    }
    codec_ = format.make_codec();
    file_ = std::make_unique<File>(std::move(path), options.overwrite);
}
FrameWriter::FrameWriter(FrameWriter&&) noexcept = default;
FrameWriter& FrameWriter::operator=(FrameWriter&&) noexcept = default;
FrameWriter::~FrameWriter() = default;

const fs::path& FrameWriter::path() const noexcept {
    return file_->path();
}

void FrameWriter::write(const Frame& frame) {
    if (n_atoms_ < 0) n_atoms_ = frame.n_atoms();
    if (frame.n_atoms() != n_atoms_) {
        fail(ErrorKind::usage, "frame {} has {} atoms, those in '{}' have {}", n_frames_, frame.n_atoms(),
             path().string(), n_atoms_);
    }
    const std::size_t before = buffer_.size();
    try {
        codec_->encode(frame, topology_.get(), buffer_);
    } catch (Error& error) {
        buffer_.resize(before);
        error.add_context(fmt::format("while writing frame {} to '{}'", n_frames_, path().string()));
        throw;
    }
    ++n_frames_;
    flush_above(kWriteSize);
}

bool FrameWriter::write_encoded(std::int64_t size, const std::function<bool(std::span<std::byte>)>& fill) {
    const std::size_t before = buffer_.size();
    buffer_.resize(before + static_cast<std::size_t>(size));
    if (!fill(std::span(buffer_).subspan(before))) {
        buffer_.resize(before);
        return false;
    }
    ++n_frames_;
    flush_above(kWriteSize);
    return true;
}

void FrameWriter::copy_encoded(const InputFile& from, std::int64_t offset, std::int64_t size,
                               std::int64_t n_frames) {
    n_frames_ += n_frames;
    std::int64_t copied = 0;
    if (size >= static_cast<std::int64_t>(kWriteSize)) {
        flush_above(0);
        copied = file_->copy_within_kernel(from, offset, size);
    }
    while (copied < size) {
        const auto n = static_cast<std::size_t>(
            std::min<std::int64_t>(size - copied, static_cast<std::int64_t>(kWriteSize)));
        const std::size_t before = buffer_.size();
        buffer_.resize(before + n);
        from.read_exactly(offset + copied, std::span(buffer_).subspan(before));
        copied += static_cast<std::int64_t>(n);
        flush_above(kWriteSize);
    }
}

void FrameWriter::flush_above(std::size_t limit) {
    if (buffer_.size() <= limit) return;
    file_->write(buffer_);
    buffer_.clear();
}

void FrameWriter::close() {
    flush_above(0);
    for (const Patch& patch : codec_->finish(n_frames_)) file_->patch(patch);
    file_->close();
}

void write_frame(const fs::path& path, const Frame& frame, WriteOptions options) {
    FrameWriter writer(path, std::move(options));
    writer.write(frame);
    writer.close();
}

}  // namespace coromd::trajectory
