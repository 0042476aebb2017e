// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "coromd/trajectory/frame.hpp"
#include "coromd/trajectory/superposition.hpp"
#include "coromd/trajectory/transform.hpp"

namespace coromd::trajectory {

inline Vec3d to_double(const Vec3f& v) noexcept {
    return {v.x, v.y, v.z};
}
inline Vec3f to_float(const Vec3d& v) noexcept {
    return {static_cast<float>(v[0]), static_cast<float>(v[1]), static_cast<float>(v[2])};
}
inline Vec3d operator+(const Vec3d& a, const Vec3d& b) noexcept {
    return {a[0] + b[0], a[1] + b[1], a[2] + b[2]};
}
inline Vec3d operator-(const Vec3d& a, const Vec3d& b) noexcept {
    return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}
inline Vec3d operator*(double factor, const Vec3d& a) noexcept {
    return {factor * a[0], factor * a[1], factor * a[2]};
}
inline double dot(const Vec3d& a, const Vec3d& b) noexcept {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
inline Vec3d cross(const Vec3d& a, const Vec3d& b) noexcept {
    return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
inline Vec3d operator*(const Matrix3& m, const Vec3d& v) noexcept {
    return {dot(m[0], v), dot(m[1], v), dot(m[2], v)};
}

/// The images of a periodic box of any shape.
class Lattice {
public:
    /// Throws Error(usage) where the box is not periodic, Error(input) where it has no volume.
    explicit Lattice(const Box& box);

    /// The coordinates of x in units of the box vectors, and back.
    Vec3d fractional(const Vec3d& x) const noexcept { return inverse_ * x; }
    Vec3d cartesian(const Vec3d& s) const noexcept {
        return s[0] * edges_[0] + (s[1] * edges_[1] + s[2] * edges_[2]);
    }
    const Matrix3& edges() const noexcept { return edges_; }
    Vec3d centre() const noexcept { return cartesian({0.5, 0.5, 0.5}); }

    /// The shortest of all images of a difference; exact for every box.
    Vec3d shortest(const Vec3d& difference) const noexcept;
    /// The image of x in the cell.
    Vec3d into(const Vec3d& x, CellShape shape) const noexcept;

private:
    Matrix3 edges_{};
    Matrix3 inverse_{};      ///< row i is the gradient of the i-th fractional coordinate
    Matrix3 short_edges_{};  ///< of the same lattice, as short as can be
    Matrix3 short_inverse_{};
    double safe_distance2_ = 0.0;  ///< what is not longer has no shorter image
    bool upright_ = false;         ///< a along x, b in the xy plane
};

}  // namespace coromd::trajectory
