// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "coromd/core/registry.hpp"
#include "coromd/trajectory/frame.hpp"
#include "coromd/trajectory/input_file.hpp"
#include "coromd/trajectory/topology.hpp"

namespace coromd::trajectory {

/// Where a frame lies in its file, and what its header says.
struct FrameHeader {
    std::int64_t offset = 0;  ///< of its first byte
    std::int64_t size = 0;    ///< in bytes, header included
    std::int64_t n_atoms = 0;
    /// As the header has it. XTC and TRR hold 32 bits, which FrameIndex unwraps.
    std::int64_t step = 0;
    double time_ps = 0.0;  ///< NaN where the file does not say (GRO, PDB)
};

/// Bytes to be written over others.
struct Patch {
    std::int64_t offset = 0;
    std::vector<std::byte> bytes{};
};

/// Finds, decodes and encodes the frames of one format. Keeps buffers between calls: one codec
/// is for one thread and, while reading, for one file.
class FrameCodec {
public:
    virtual ~FrameCodec() = default;

    /// The frame that starts at `offset`, or behind what the format has before its first frame where that
    /// is 0; empty where it is not there as a whole yet: the file
    /// ends before it does, or holds zeros where a header must not (a lagging file system).
    /// Reads the header only, where the format allows it. Throws Error(input) with the byte
    /// offset where the header is corrupt.
    virtual std::optional<FrameHeader> locate(const InputFile& file, std::int64_t offset) = 0;

    /// Decodes a frame that was located. `frame` is overwritten, its buffers are reused.
    /// Throws Error(input) with the byte offset where the content is corrupt.
    virtual void decode(const InputFile& file, const FrameHeader& header, const FrameNeeds& needs,
                        Frame& frame) = 0;

    /// Compares a frame that was decoded as a whole with what the file says of it beside its numbers.
    /// Throws Error(input) where they contradict each other: bits have changed since they were written.
    virtual void verify(const InputFile& /*file*/, const FrameHeader& /*header*/, const Frame& /*frame*/) {}

    /// Appends the encoded frame to `out`; at the first call, what the format has before its first frame as
    /// well. `topology` may be null: only formats that store names
    /// need it. Throws Error(usage) where the format cannot hold the frame.
    virtual void encode(const Frame& frame, const Topology* topology, std::vector<std::byte>& out) = 0;

    /// Changes the sign of the velocities, if there are any, in the bytes of a frame that was located.
    /// False where the format cannot do that without decoding.
    virtual bool invert_velocities(const InputFile& /*file*/, const FrameHeader& /*header*/,
                                   std::span<std::byte> /*encoded*/) const {
        return false;
    }

    /// What a file that was written by encode() needs changed now that all its frames are there.
    virtual std::vector<Patch> finish(std::int64_t /*n_frames*/) { return {}; }
};

/// A file format: what it can do, and how to get it done.
struct Format {
    std::string name;                     ///< "XTC"
    std::vector<std::string> extensions;  ///< with the dot: ".xtc"
    std::string description;              ///< one line, for help and docs
    bool reads_frames = false;
    bool writes_frames = false;
    bool stores_velocities = false;
    bool stores_forces = false;
    /// Are the numbers stored as they are, without rounding?
    bool exact = false;
    /// Does a topology have to be given when writing?
    bool needs_topology = false;
    /// Is the file a row of frames and nothing else, so that they can be copied as bytes?
    bool plain_frames = true;

    /// Null where the format has no frames.
    std::function<std::unique_ptr<FrameCodec>()> make_codec;
    /// Null where the format has no atom names.
    std::function<Topology(const std::filesystem::path&)> read_topology;
};

/// All formats that are built in: immutable.
const Registry<Format>& builtin_formats();

/// The format that the extension of `path` stands for. Throws Error(usage) that lists what there is.
const Format& format_of(const std::filesystem::path& path);
/// The same, and it must have frames.
const Format& frame_format_of(const std::filesystem::path& path);

}  // namespace coromd::trajectory
