// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/concatenate.hpp"

#include <algorithm>

#include "coromd/core/error.hpp"
#include "rewrite.hpp"

namespace coromd::trajectory {

std::vector<std::int64_t> Slice::indices(std::int64_t size) const {
    const std::int64_t by = step.value_or(1);
    if (by == 0) fail(ErrorKind::usage, "the step of a slice must not be 0");
    // As Python does: negative ends count from the end, and what lies outside is cut off. Backwards,
    // "before the first" is -1.
    const std::int64_t lowest = by > 0 ? 0 : -1;
    const std::int64_t highest = by > 0 ? size : size - 1;
    const auto bounded = [&](const std::optional<std::int64_t>& end, std::int64_t fallback) {
        if (!end) return fallback;
        return std::clamp(*end < 0 ? *end + size : *end, lowest, highest);
    };
    const std::int64_t from = bounded(start, by > 0 ? lowest : highest);
    const std::int64_t to = bounded(stop, by > 0 ? highest : lowest);

    std::vector<std::int64_t> indices;
    const std::int64_t distance = by > 0 ? to - from : from - to;
    // The count first, so that a step of any size does not overflow.
    const std::uint64_t stride = by > 0 ? static_cast<std::uint64_t>(by) : 0 - static_cast<std::uint64_t>(by);
    if (distance <= 0) return indices;
    const std::uint64_t count = (static_cast<std::uint64_t>(distance) - 1) / stride + 1;
    indices.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) indices.push_back(from + static_cast<std::int64_t>(i) * by);
    return indices;
}

Trajectory concatenate(const std::vector<Piece>& pieces, const std::filesystem::path& out,
                       const ConcatenateOptions& options) {
    if (pieces.empty()) fail(ErrorKind::usage, "there is nothing to concatenate to '{}'", out.string());

    const std::int64_t n_atoms = pieces.front().trajectory.n_atoms();
    for (const Piece& piece : pieces) {
        if (piece.trajectory.n_atoms() != n_atoms) {
            fail(ErrorKind::usage, "'{}' has {} atoms, but '{}' has {}: they cannot be concatenated",
                 piece.trajectory.files().front().string(), piece.trajectory.n_atoms(),
                 pieces.front().trajectory.files().front().string(), n_atoms);
        }
    }

    const Trajectory& first = pieces.front().trajectory;
    FrameRewriter writer(out, first, options.overwrite, options.atoms);
    const Transformation::Change transform = options.transform ? options.transform.begin() : nullptr;
    bool any = false;
    std::int64_t last_step = 0;
    double last_time_ps = 0.0;
    for (const Piece& piece : pieces) {
        TrajectoryReader reader = piece.trajectory.reader();
        const bool invert = piece.slice.reversed() && options.invert_velocities_when_reversed;
        std::function<void(Frame&)> change;
        if (transform || !options.atoms.empty())
            change = [&](Frame& frame) {
                if (transform) transform(frame);
                if (!options.atoms.empty()) keep_atoms(frame, options.atoms);
            };
        for (const std::int64_t i : piece.slice.indices(piece.trajectory.n_frames())) {
            const std::int64_t step = piece.trajectory.step(i);
            const double time_ps = piece.trajectory.time_ps(i);
            const bool double_frame = any && step == last_step && time_ps == last_time_ps;
            if (double_frame && options.remove_double_frames) continue;
            writer.write(reader, i, invert, change);
            any = true;
            last_step = step;
            last_time_ps = time_ps;
        }
    }
    if (!any) fail(ErrorKind::usage, "no frame is selected for '{}'", out.string());
    writer.close();
    return Trajectory(out, options.atoms.empty() ? first.structure() : std::filesystem::path());
}

}  // namespace coromd::trajectory
