// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "coromd/trajectory/format.hpp"

namespace coromd::trajectory {

struct WriteOptions {
    bool overwrite = false;  ///< replace a file that is there
    /// The names for formats that store them (GRO, PDB).
    std::shared_ptr<const Topology> topology;
    bool encoded_only = false;  ///< only write_encoded() and copy_encoded() are called, which need no names
};

/// Writes a trajectory file that is there as a whole or not at all: frames go to a temporary
/// name beside `path`, which close() syncs and renames. A writer that is destroyed before
/// removes what it wrote.
class FrameWriter {
public:
    /// The format follows from the extension. Throws Error(usage) where it cannot be written, or
    /// a file is there and must not be overwritten; Error(system) where the folder cannot be written.
    explicit FrameWriter(std::filesystem::path path, WriteOptions options = {});
    FrameWriter(FrameWriter&&) noexcept;
    FrameWriter& operator=(FrameWriter&&) noexcept;
    ~FrameWriter();

    /// Throws Error(usage) where the format cannot hold the frame (no positions, coordinates too
    /// large for the precision, another number of atoms than before), Error(system) where the
    /// disk is full.
    void write(const Frame& frame);
    /// Appends a frame that is encoded already, in the same format, which must be one of plain frames:
    /// `fill` puts its bytes there. Returns what `fill` does; with false, nothing is appended.
    bool write_encoded(std::int64_t size, const std::function<bool(std::span<std::byte>)>& fill);
    /// Appends `n_frames` such frames, which are the bytes from `offset` on of a file.
    void copy_encoded(const InputFile& from, std::int64_t offset, std::int64_t size, std::int64_t n_frames);
    /// Gives the file its name, durably. Throws Error(system), or Error(usage) where somebody
    /// else has created the file meanwhile; nothing is left under the name that was not there.
    void close();

    std::int64_t n_frames() const noexcept { return n_frames_; }
    const std::filesystem::path& path() const noexcept;

private:
    class File;

    void flush_above(std::size_t limit);

    std::unique_ptr<File> file_;
    std::unique_ptr<FrameCodec> codec_;
    std::shared_ptr<const Topology> topology_;
    std::vector<std::byte> buffer_;
    std::int64_t n_frames_ = 0;
    std::int64_t n_atoms_ = -1;
};

/// Writes a single frame, as FrameWriter does.
void write_frame(const std::filesystem::path& path, const Frame& frame, WriteOptions options = {});

}  // namespace coromd::trajectory
