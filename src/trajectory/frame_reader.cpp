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

void FrameReader::read_encoded(const FrameHeader& header, std::vector<std::byte>& out) const {
    out.resize(static_cast<std::size_t>(header.size));
    file_.read_exactly(header.offset, out);
}

}  // namespace coromd::trajectory
