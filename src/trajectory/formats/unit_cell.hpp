// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <array>
#include <optional>

#include "coromd/trajectory/frame.hpp"

namespace coromd::trajectory {

constexpr double kAngstromPerNm = 10.0;

/// A periodic box as crystallography describes it.
struct UnitCell {
    std::array<double, 3> lengths_nm{};  ///< of a, b, c; all 0 where the system is not periodic
    /// Cosines of alpha (between b and c), beta (a and c) and gamma (a and b).
    std::array<double, 3> cosines{};
};

/// The cell with a along x and b in the xy plane; empty where there is no such cell. Where it is not
/// periodic, the cosines are not looked at.
std::optional<Box> box_of(const UnitCell& cell);
UnitCell unit_cell_of(const Box& box);

/// Exactly 0 for 90 degrees, so that a rectangular box stays one; NaN where there is no such angle
/// between two vectors.
double cosine_of_degrees(double angle);
double degrees_of_cosine(double cosine);

}  // namespace coromd::trajectory
