// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <span>
#include <vector>

#include "coromd/trajectory/frame.hpp"

namespace coromd::trajectory {

/// For each of `points`: is any image of any of `references` not farther than `radius_nm`? Exact
/// for any radius and any triclinic box; without images where the box is not periodic. A position
/// that is not finite is near nothing. Takes time in proportion to the number of pairs that are
/// about as near as the radius. Throws Error(input) where a periodic box has no volume.
std::vector<bool> find_near(std::span<const Vec3f> points, std::span<const Vec3f> references, const Box& box,
                            double radius_nm);

}  // namespace coromd::trajectory
