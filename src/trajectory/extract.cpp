// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/extract.hpp"

#include "coromd/core/error.hpp"
#include "coromd/trajectory/velocities.hpp"
#include "rewrite.hpp"

namespace coromd::trajectory {

namespace {

/// What is to be done to the frame; empty for nothing.
std::function<void(Frame&)> change_of(const Trajectory& trajectory, const ExtractOptions& options) {
    switch (options.velocities) {
        case VelocityMode::keep:
            return options.transform;
        case VelocityMode::inverted:
            return [&options](Frame& frame) {
                if (options.transform) options.transform(frame);
                if (!frame.has_velocities()) {
                    fail(ErrorKind::usage, "the velocities cannot be inverted: the frame has none");
                }
                invert_velocities(frame);
            };
        case VelocityMode::maxwell_boltzmann:
            break;
    }
    if (!options.random) fail(ErrorKind::usage, "a random stream is needed to draw velocities from");
    const bool given = !options.masses_amu.empty();
    return [&options,
            masses = given ? options.masses_amu : masses_of(*trajectory.topology()).amu](Frame& frame) {
        if (options.transform) options.transform(frame);
        draw_velocities(frame, masses, options.temperature_k, *options.random,
                        options.keep_centre_of_mass_motion);
    };
}

}  // namespace

Trajectory extract_frame(const Trajectory& trajectory, std::int64_t index, const std::filesystem::path& out,
                         const ExtractOptions& options) {
    if (options.velocities != VelocityMode::keep && !frame_format_of(out).stores_velocities) {
        fail(ErrorKind::usage, "'{}' cannot hold velocities: {} stores none", out.string(),
             frame_format_of(out).name);
    }
    const std::function<void(Frame&)> change = change_of(trajectory, options);
    TrajectoryReader reader = trajectory.reader();
    FrameRewriter writer(out, trajectory, options.overwrite);
    writer.write(reader, index, false, change);
    writer.close();
    return Trajectory(out, trajectory.structure());
}

}  // namespace coromd::trajectory
