// SPDX-License-Identifier: LGPL-3.0-or-later
#include "rewrite.hpp"

namespace coromd::trajectory {

namespace {

WriteOptions write_options(const Format& format, const Trajectory& names, bool overwrite,
                           std::span<const std::int32_t> atoms) {
    WriteOptions options;
    options.overwrite = overwrite;
    if (format.needs_topology) options.topology = names.topology();
    if (options.topology && !atoms.empty())
        options.topology = std::make_shared<const Topology>(subset(*options.topology, atoms));
    return options;
}

}  // namespace

FrameRewriter::FrameRewriter(const std::filesystem::path& out, const Trajectory& names, bool overwrite,
                             std::span<const std::int32_t> atoms)
    : format_(&frame_format_of(out)), writer_(out, write_options(*format_, names, overwrite, atoms)) {}

void FrameRewriter::write(TrajectoryReader& reader, std::int64_t index,
                          const std::function<void(Frame&)>& change) {
    if (!change && format_->plain_frames && &format_of(reader.file_of(index)) == format_) {
        reader.read_encoded(index, encoded_);
        writer_.write_encoded(encoded_);
        return;
    }
    reader.read(index, frame_);
    if (change) change(frame_);
    writer_.write(frame_);
}

}  // namespace coromd::trajectory
