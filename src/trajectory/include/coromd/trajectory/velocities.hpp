// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <span>

#include "coromd/core/random.hpp"
#include "coromd/trajectory/frame.hpp"

namespace coromd::trajectory {

/// Changes the sign of all velocities. Does nothing where there are none.
void invert_velocities(Frame& frame) noexcept;

/// Draws the velocities of all atoms anew: independent Gaussians with the standard deviation
/// sqrt(kB T / m) per component, after which the motion of the centre of mass is removed unless it is
/// to be kept, as where the particles do not see each other.
///
/// They are not rescaled to the exact temperature, which fluctuates as it should. Constraints
/// are not applied: the engine does that when it starts. Atoms without mass get zero.
/// Throws Error(usage) where the number of masses is not that of the positions, a mass is
/// negative or not finite, or the temperature is not positive.
void draw_velocities(Frame& frame, std::span<const double> masses_amu, double temperature_k,
                     RandomStream& random, bool keep_centre_of_mass_motion = false);

}  // namespace coromd::trajectory
