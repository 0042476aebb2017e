// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "coromd/trajectory/format.hpp"
#include "coromd/trajectory/frame_writer.hpp"
#include "coromd/trajectory/trajectory.hpp"

namespace coromd::trajectory {

/// Writes frames of other trajectories to a new file, without decoding where nothing changes.
class FrameRewriter {
public:
    /// `names` is where the names of the atoms come from, if the format stores them.
    /// `atoms`: those that `change` leaves; empty for all.
    FrameRewriter(const std::filesystem::path& out, const Trajectory& names, bool overwrite,
                  std::span<const std::int32_t> atoms = {});

    /// Writes frame `index` of `reader`, changed by `change` where there is one.
    void write(TrajectoryReader& reader, std::int64_t index, const std::function<void(Frame&)>& change);
    void close() { writer_.close(); }

private:
    const Format* format_;
    FrameWriter writer_;
    Frame frame_;
    std::vector<std::byte> encoded_;
};

}  // namespace coromd::trajectory
