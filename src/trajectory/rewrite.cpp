// SPDX-License-Identifier: LGPL-3.0-or-later
#include "rewrite.hpp"

#include "coromd/trajectory/velocities.hpp"

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

void FrameRewriter::write(TrajectoryReader& reader, std::int64_t index, bool invert,
                          const std::function<void(Frame&)>& change) {
    const auto& [file, header] = reader.place_of(index);
    const bool as_bytes = !change && format_->plain_frames && &format_of(file) == format_;
    if (as_bytes && write_encoded(file, header, invert)) return;
    finish_run();
    reader.read(index, frame_);
    if (invert) invert_velocities(frame_);
    if (change) change(frame_);
    writer_.write(frame_);
}

bool FrameRewriter::write_encoded(const std::filesystem::path& file, const FrameHeader& header, bool invert) {
    if (!source_ || source_->file().path() != file) {
        finish_run();
        source_.emplace(file);
    }
    if (invert && format_->stores_velocities) {
        finish_run();
        return writer_.write_encoded(header.size, [&](std::span<std::byte> bytes) {
            return source_->read_encoded_inverted(header, bytes);
        });
    }
    if (header.offset != run_.offset + run_.size) finish_run();
    if (run_.n_frames == 0) run_.offset = header.offset;
    run_.size += header.size;
    ++run_.n_frames;
    return true;
}

void FrameRewriter::finish_run() {
    if (run_.n_frames == 0) return;
    writer_.copy_encoded(source_->file(), run_.offset, run_.size, run_.n_frames);
    run_ = {};
}

void FrameRewriter::close() {
    finish_run();
    writer_.close();
}

}  // namespace coromd::trajectory
