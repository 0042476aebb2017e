// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "coromd/core/random.hpp"
#include "coromd/trajectory/frame.hpp"
#include "coromd/trajectory/trajectory.hpp"
#include "coromd/trajectory/transform.hpp"

namespace coromd::trajectory {

/// What becomes of the velocities of a frame that MD starts from.
enum class VelocityMode {
    keep,              ///< as they are
    inverted,          ///< with the sign changed: the way back in time
    maxwell_boltzmann  ///< drawn anew at a temperature
};

struct ExtractOptions {
    VelocityMode velocities = VelocityMode::keep;
    double temperature_k = 0.0;      ///< for maxwell_boltzmann
    RandomStream* random = nullptr;  ///< for maxwell_boltzmann
    /// For maxwell_boltzmann: one per atom; empty: those of the structure file.
    std::vector<double> masses_amu;
    bool keep_centre_of_mass_motion = false;  ///< for maxwell_boltzmann: see draw_velocities()
    /// What is done to the frame before its velocities are changed and it is written. Where that depends on
    /// the frames before, they are read, too.
    Transformation transform;
    bool overwrite = false;
};

/// Writes one frame (a negative index counts from the end) to a file of its own, from which MD
/// can start, and returns it as a trajectory with the same structure file. What needs no change
/// is copied without decoding. The file is there as a whole or not at all.
/// Throws Error(usage) where velocities are to be inverted and the frame has none, where they are
/// to be drawn and `random` or the temperature is missing or the format cannot hold them, and as
/// Trajectory, FrameWriter, masses_of() and draw_velocities() do.
Trajectory extract_frame(const Trajectory& trajectory, std::int64_t index, const std::filesystem::path& out,
                         const ExtractOptions& options = {});

}  // namespace coromd::trajectory
