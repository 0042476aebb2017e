// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <span>

#include "coromd/trajectory/frame.hpp"

namespace coromd::functions {

/// Three doubles: what positions are computed with, in nm.
struct Vec3 {
    double x = 0.0;
    double y = 0.0;
    double z = 0.0;

    Vec3() = default;
    Vec3(double x_, double y_, double z_) : x(x_), y(y_), z(z_) {}
    explicit Vec3(const trajectory::Vec3f& v) : x(v.x), y(v.y), z(v.z) {}

    friend Vec3 operator+(const Vec3& a, const Vec3& b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
    friend Vec3 operator-(const Vec3& a, const Vec3& b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
    friend Vec3 operator*(double s, const Vec3& a) { return {s * a.x, s * a.y, s * a.z}; }
};

inline double dot(const Vec3& a, const Vec3& b) {
    return a.x * b.x + a.y * b.y + a.z * b.z;
}
inline Vec3 cross(const Vec3& a, const Vec3& b) {
    return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline double norm(const Vec3& a) {
    return std::sqrt(dot(a, a));
}

/// The minimum image convention: of all periodic images of a difference of two positions, the
/// shortest. Exact for every box, also for triclinic ones that GROMACS would not take (a box of
/// long, slanted vectors): the box is reduced first.
class MinimumImage {
public:
    /// No periodicity: every difference stays as it is.
    MinimumImage() = default;
    /// Throws Error(input) where the box vectors are not finite, or are not all zero and yet span
    /// no volume.
    explicit MinimumImage(const trajectory::Box& box);

    /// The shortest image of `difference`.
    Vec3 operator()(const Vec3& difference) const;

private:
    bool periodic_ = false;
    std::array<Vec3, 3> basis_;    // Minkowski reduced, the shortest first
    std::array<Vec3, 3> inverse_;  // rows of its inverse: fractional coordinates
    double safe_distance2_ = 0.0;  // what is not longer than this has no shorter image
};

/// The centre of geometry of some atoms (at least one). Each atom counts with its image nearest
/// to the first of them, so that a group is right as long as it reaches less than half of the
/// box from there, wherever it lies.
Vec3 centre_of_geometry(const trajectory::Frame& frame, std::span<const std::int32_t> atoms,
                        const MinimumImage& image);

}  // namespace coromd::functions
