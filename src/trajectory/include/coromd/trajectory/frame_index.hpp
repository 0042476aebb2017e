// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "coromd/trajectory/format.hpp"

namespace coromd::trajectory {

/// Undoes the 32-bit wrap of the steps in XTC and TRR files.
///
/// Where time goes on and the step falls by more than 2^31, it has wrapped (and the other way
/// round, for what was cut together backwards); a negative step at a time that is not negative
/// has wrapped at least once. A file that begins after the step 2^32 on its own cannot be told
/// from one that begins at the step minus 2^32.
class StepUnwrapper {
public:
    std::int64_t unwrap(std::int64_t stored_step, double time_ps) noexcept;

private:
    std::int64_t previous_ = 0;
    double previous_time_ps_ = 0.0;
    std::int64_t offset_ = 0;
    bool first_ = true;
};

/// Where the whole frames of one file are, found by hopping from header to header.
///
/// The file may still grow: a frame counts when all of it is there. The file is open only during
/// refresh(), so that thousands of indices hold no descriptors, and network file systems are
/// asked for the true size each time. Not thread-safe.
class FrameIndex {
public:
    /// Reads nothing yet. Throws Error(usage) where no format has frames for that extension.
    explicit FrameIndex(std::filesystem::path path);
    FrameIndex(FrameIndex&&) noexcept;
    FrameIndex& operator=(FrameIndex&&) noexcept;
    ~FrameIndex();

    /// Goes on from where the last call ended, and returns the number of frames found anew.
    /// Throws Error(system) where the file cannot be read, Error(input) with the byte offset
    /// where a header is corrupt, the number of atoms changes, or the file has become shorter
    /// than what was indexed. The frames found before stay.
    std::int64_t refresh();

    const std::filesystem::path& path() const noexcept { return path_; }
    std::int64_t size() const noexcept { return static_cast<std::int64_t>(frames_.size()); }
    /// 0 as long as there is no frame.
    std::int64_t n_atoms() const noexcept { return frames_.empty() ? 0 : frames_.front().n_atoms; }
    /// All frames; the steps are unwrapped.
    const std::vector<FrameHeader>& frames() const& noexcept { return frames_; }
    std::vector<FrameHeader> frames() && noexcept { return std::move(frames_); }
    /// Throws Error(usage) where the index is out of range.
    const FrameHeader& at(std::int64_t index) const;
    /// Where the last whole frame ends.
    std::int64_t end_offset() const noexcept;
    /// What followed it at the last refresh(): a frame being written, or one that was cut off.
    std::int64_t trailing_bytes() const noexcept { return file_size_ - end_offset(); }

private:
    void make_room_for_all_like(const FrameHeader& frame);

    std::filesystem::path path_;
    std::unique_ptr<FrameCodec> codec_;
    std::vector<FrameHeader> frames_;
    StepUnwrapper unwrapper_;
    std::int64_t file_size_ = 0;
};

}  // namespace coromd::trajectory
