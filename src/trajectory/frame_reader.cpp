// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/frame_reader.hpp"

namespace coromd::trajectory {

FrameReader::FrameReader(const std::filesystem::path& path)
    : file_(path), codec_(frame_format_of(path).make_codec()) {}

void FrameReader::read(const FrameHeader& header, Frame& frame, const FrameNeeds& needs) {
    codec_->decode(file_, header, needs, frame);
    frame.step = header.step;
    frame.time_ps = header.time_ps;
}

void FrameReader::prefetch(const FrameHeader& header) const noexcept {
    constexpr std::int64_t kBytes = 384;
    file_.prefetch(header.offset, kBytes);
}

bool FrameReader::read_encoded_inverted(const FrameHeader& header, std::span<std::byte> out) const {
    file_.read_exactly(header.offset, out);
    return codec_->invert_velocities(file_, header, out);
}

}  // namespace coromd::trajectory
