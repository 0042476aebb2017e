// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "coromd/trajectory/format.hpp"
#include "coromd/trajectory/frame_reader.hpp"
#include "coromd/trajectory/frame_writer.hpp"
#include "coromd/trajectory/trajectory.hpp"

namespace coromd::trajectory {

/// Writes frames of other trajectories to a new file, without decoding where nothing changes but the
/// sign of the velocities.
class FrameRewriter {
public:
    /// `names` is where the names of the atoms come from, if the format stores them.
    /// `atoms`: those that `change` leaves; empty for all.
    FrameRewriter(const std::filesystem::path& out, const Trajectory& names, bool overwrite,
                  std::span<const std::int32_t> atoms = {});

    /// Writes frame `index` of `reader`, with its velocities inverted if asked for, and then changed by
    /// `change` where there is one.
    void write(TrajectoryReader& reader, std::int64_t index, bool invert,
               const std::function<void(Frame&)>& change);
    void close();

private:
    /// Frames that follow each other in a file, and are to be copied as they are.
    struct Run {
        std::int64_t offset = 0;
        std::int64_t size = 0;
        std::int64_t n_frames = 0;
    };

    bool write_encoded(const std::filesystem::path& file, const FrameHeader& header, bool invert);
    void finish_run();

    const Format* format_;
    FrameWriter writer_;
    std::optional<FrameReader> source_;
    Run run_;  ///< of `source_`
    Frame frame_;
};

}  // namespace coromd::trajectory
