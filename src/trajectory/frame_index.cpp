// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/frame_index.hpp"

#include <algorithm>

#include "coromd/core/error.hpp"

namespace coromd::trajectory {

std::int64_t StepUnwrapper::unwrap(std::int64_t stored_step, double time_ps) noexcept {
    constexpr std::int64_t kHalfTurn = std::int64_t{1} << 31;
    constexpr std::int64_t kTurn = std::int64_t{1} << 32;

    if (!first_ && time_ps > previous_time_ps_ && stored_step < previous_ - kHalfTurn) offset_ += kTurn;
    if (!first_ && time_ps < previous_time_ps_ && stored_step > previous_ + kHalfTurn) offset_ -= kTurn;
    if (stored_step + offset_ < 0 && time_ps >= 0.0) offset_ += kTurn;
    first_ = false;
    previous_ = stored_step;
    previous_time_ps_ = time_ps;
    return stored_step + offset_;
}

FrameIndex::FrameIndex(std::filesystem::path path)
    : path_(std::move(path)), codec_(frame_format_of(path_).make_codec()) {}
FrameIndex::FrameIndex(FrameIndex&&) noexcept = default;
FrameIndex& FrameIndex::operator=(FrameIndex&&) noexcept = default;
FrameIndex::~FrameIndex() = default;

std::int64_t FrameIndex::end_offset() const noexcept {
    return frames_.empty() ? 0 : frames_.back().offset + frames_.back().size;
}

namespace {

/// To hop from header to header is to wait for memory. Frames are much alike in size, so that it is
/// known well enough where the headers to come will be.
void prefetch_header_after(const FrameHeader& header, const InputFile& file) {
    constexpr std::int64_t kFramesAhead = 4;
    constexpr std::int64_t kUncertainty = 48;
    constexpr std::int64_t kHeaderSize = 96;
    file.prefetch(header.offset + kFramesAhead * header.size - kUncertainty, kHeaderSize + 2 * kUncertainty);
}

}  // namespace

std::int64_t FrameIndex::refresh() {
    const InputFile file(path_);
    if (file.size() < end_offset()) {
        fail(ErrorKind::input, "'{}' has shrunk to {} bytes: frames were read up to byte {}", path_.string(),
             file.size(), end_offset());
    }
    const std::int64_t before = size();
    file_size_ = file.size();
    while (end_offset() < file_size_) {
        std::optional<FrameHeader> header = codec_->locate(file, end_offset());
        if (!header) break;
        prefetch_header_after(*header, file);
        if (!frames_.empty() && header->n_atoms != n_atoms()) {
            fail(ErrorKind::input, "'{}' is corrupt at byte {}: frame {} has {} atoms, the first has {}",
                 path_.string(), header->offset, size(), header->n_atoms, n_atoms());
        }
        header->step = unwrapper_.unwrap(header->step, header->time_ps);
        if (frames_.size() == frames_.capacity()) make_room_for_all_like(*header);
        frames_.push_back(*header);
    }
    return size() - before;
}

/// Memory that is not used costs nothing, and to grow step by step copies all several times.
void FrameIndex::make_room_for_all_like(const FrameHeader& frame) {
    const std::int64_t expected = size() + (file_size_ - end_offset()) / frame.size + 1;
    frames_.reserve(std::max(static_cast<std::size_t>(expected + expected / 64), frames_.size() * 3 / 2 + 1));
}

const FrameHeader& FrameIndex::at(std::int64_t index) const {
    if (index < 0 || index >= size()) {
        fail(ErrorKind::usage, "there is no frame {} in '{}', which has {}", index, path_.string(), size());
    }
    return frames_[static_cast<std::size_t>(index)];
}

}  // namespace coromd::trajectory
