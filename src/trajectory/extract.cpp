// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/extract.hpp"

#include "coromd/core/error.hpp"
#include "coromd/trajectory/velocities.hpp"
#include "rewrite.hpp"

namespace coromd::trajectory {

namespace {

/// The transformation, as it is at frame `index`; empty for none.
Transformation::Change transform_at(const Trajectory& trajectory, std::int64_t index,
                                    const Transformation& transform) {
    if (!transform) return nullptr;
    Transformation::Change change = transform.begin();
    if (!transform.needs_order()) return change;
    trajectory.step(index);  // says so where it is out of range
    if (index < 0) index += trajectory.n_frames();
    TrajectoryReader reader = trajectory.reader();
    Frame before;
    for (std::int64_t i = 0; i < index; ++i) {
        reader.read(i, before, {.velocities = false, .forces = false});
        change(before);
    }
    return change;
}

/// What is to be done to the frame, `transform` first; empty for nothing.
Transformation::Change change_of(const Trajectory& trajectory, const ExtractOptions& options,
                                 const Transformation::Change& transform) {
    switch (options.velocities) {
        case VelocityMode::keep:
            return transform;
        case VelocityMode::inverted:
            return [transform](Frame& frame) {
                if (transform) transform(frame);
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
    return [&options, transform,
            masses = given ? options.masses_amu : masses_of(*trajectory.topology()).amu](Frame& frame) {
        if (transform) transform(frame);
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
    FrameRewriter writer(out, trajectory, options.overwrite);
    const Transformation::Change change =
        change_of(trajectory, options, transform_at(trajectory, index, options.transform));
    TrajectoryReader reader = trajectory.reader();
    writer.write(reader, index, false, change);
    writer.close();
    return Trajectory(out, trajectory.structure());
}

}  // namespace coromd::trajectory
