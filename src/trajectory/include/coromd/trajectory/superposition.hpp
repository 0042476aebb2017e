// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <array>
#include <span>

#include "coromd/trajectory/frame.hpp"

namespace coromd::trajectory {

using Vec3d = std::array<double, 3>;
/// A matrix by its rows; it takes a vector x to (row 0 . x, row 1 . x, row 2 . x).
using Matrix3 = std::array<Vec3d, 3>;

/// The rotation by an angle about an axis, counter-clockwise where the axis points at who looks. Throws
/// Error(usage) where the axis has no direction.
Matrix3 rotation_about(const Vec3d& axis, double angle_rad);

/// How one set of points is laid upon another: x goes to rotation (x - from) + to.
struct Superposition {
    Matrix3 rotation{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    Vec3d from{};          ///< nm, the centre of what is moved
    Vec3d to{};            ///< nm, the centre of the reference
    double rmsd_nm = 0.0;  ///< weighted, after the superposition
};

/// The rotation and translation of `mobile` (n) that bring it nearest to `reference` (n), in the sense of
/// the sum of the weighted (n; empty: all 1) squares of distances. A true rotation in all cases, also where a
/// reflection would come nearer. By quaternions: B. K. P. Horn, J. Opt. Soc. Am. A 4, 629 (1987).
/// Throws Error(usage) where the numbers differ, there are no points, or the weights are not positive
/// somewhere and not negative anywhere.
Superposition superpose(std::span<const Vec3f> mobile, std::span<const Vec3f> reference,
                        std::span<const double> weights = {});

/// The same without a rotation.
Superposition superpose_centres(std::span<const Vec3f> mobile, std::span<const Vec3f> reference,
                                std::span<const double> weights = {});

}  // namespace coromd::trajectory
