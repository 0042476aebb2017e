// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "coromd/trajectory/frame_writer.hpp"
#include "coromd/trajectory/trajectory.hpp"
#include "coromd/trajectory/transform.hpp"

namespace coromd::trajectory {

/// Which elements of a sequence, with the meaning of Python's slice(start, stop, step).
struct Slice {
    std::optional<std::int64_t> start;
    std::optional<std::int64_t> stop;
    std::optional<std::int64_t> step;

    /// The indices that it selects out of `size` elements, in order. Throws Error(usage) where
    /// the step is 0.
    std::vector<std::int64_t> indices(std::int64_t size) const;
    /// Does it run backwards?
    bool reversed() const noexcept { return step.value_or(1) < 0; }
};

/// A part of a trajectory.
struct Piece {
    Trajectory trajectory;
    Slice slice;
};

struct ConcatenateOptions {
    /// Leave out a frame that has the time and the step of the frame written before it.
    bool remove_double_frames = true;
    /// A piece that is read backwards has its velocities inverted.
    bool invert_velocities_when_reversed = true;
    /// Only these atoms, in this order; empty: all.
    std::vector<std::int32_t> atoms{};
    /// What is done to each frame before it is written, with all its atoms. Pieces are one pass: what
    /// depends on the frames before sees them in the order in which they are written.
    Transformation transform{};
    bool overwrite = false;
};

/// Writes the pieces one after the other to `out` and returns it as a trajectory, with the
/// structure file of the first piece (with none where only some atoms were kept). Frames that need no change
/// are copied as they are, without decoding. The file is there as a whole or not at all.
/// Throws Error(usage) where there is no piece, no frame is selected, the numbers of atoms
/// differ, or `out` exists and must not be overwritten; Error(input), Error(system) as a
/// Trajectory and a FrameWriter do.
Trajectory concatenate(const std::vector<Piece>& pieces, const std::filesystem::path& out,
                       const ConcatenateOptions& options = {});

}  // namespace coromd::trajectory
