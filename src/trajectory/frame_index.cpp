// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/frame_index.hpp"

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
        if (!frames_.empty() && header->n_atoms != n_atoms()) {
            fail(ErrorKind::input, "'{}' is corrupt at byte {}: frame {} has {} atoms, the first has {}",
                 path_.string(), header->offset, size(), header->n_atoms, n_atoms());
        }
        header->step = unwrapper_.unwrap(header->step, header->time_ps);
        frames_.push_back(*header);
    }
    return size() - before;
}

const FrameHeader& FrameIndex::at(std::int64_t index) const {
    if (index < 0 || index >= size()) {
        fail(ErrorKind::usage, "there is no frame {} in '{}', which has {}", index, path_.string(), size());
    }
    return frames_[static_cast<std::size_t>(index)];
}

}  // namespace coromd::trajectory
