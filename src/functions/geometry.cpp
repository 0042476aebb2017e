// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The minimum image in any triclinic box.
//
// Rounding fractional coordinates finds the shortest image in rectangular boxes only. Here the
// box is first replaced by a Minkowski-reduced basis of the same lattice: no vector of it becomes
// shorter when -1, 0 or 1 times each of the others is added. Points nearer to the origin than to
// any other lattice point then have fractional coordinates between -1 and 1 (Nguyen and Stehle,
// "Low-dimensional lattice basis reduction revisited", ACM Trans. Algorithms 5, 46, 2009). So
// after rounding, which leaves coordinates between -1/2 and 1/2, the shortest image is among the
// 27 that differ by -1, 0 or 1 in each. Most differences need none of them: what is not longer
// than half of the shortest lattice vector is the shortest image already.
#include "coromd/functions/geometry.hpp"

#include <algorithm>

#include "coromd/core/error.hpp"

namespace coromd::functions {

namespace {

constexpr int kMaxReductionSteps = 1000;  // boxes of simulations take none to a few

double norm2(const Vec3& a) {
    return dot(a, a);
}

/// Shortens one vector by the two others; no step makes it longer. Returns false where that cannot
/// be done. Gains below the rounding error do not count, so that the reduction ends.
bool shorten(Vec3& vector, const Vec3& p, const Vec3& q) {
    constexpr double kGain = 1.0 - 1e-10;
    const Vec3 before = vector;
    vector = vector - std::round(dot(vector, q) / norm2(q)) * q;
    vector = vector - std::round(dot(vector, p) / norm2(p)) * p;
    for (int i = -1; i <= 1; ++i) {
        for (int j = -1; j <= 1; ++j) {
            const Vec3 candidate = vector + double(i) * p + double(j) * q;
            if (norm2(candidate) < kGain * norm2(vector)) vector = candidate;
        }
    }
    if (norm2(vector) < kGain * norm2(before)) return true;
    vector = before;
    return false;
}

bool finite(const Vec3& v) {
    return std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z);
}

}  // namespace

MinimumImage::MinimumImage(const trajectory::Box& box) {
    if (box == trajectory::Box{}) return;
    periodic_ = true;
    basis_ = {Vec3(box.a), Vec3(box.b), Vec3(box.c)};
    if (!std::ranges::all_of(basis_, finite)) fail(ErrorKind::input, "the box vectors are not finite");

    auto& [a, b, c] = basis_;
    for (int step = 0; shorten(c, a, b) || shorten(b, a, c) || shorten(a, b, c); ++step) {
        if (step == kMaxReductionSteps) fail(ErrorKind::input, "the box is too skewed for the minimum image");
    }
    std::ranges::sort(basis_, {}, norm2);
    const double volume = dot(a, cross(b, c));
    if (std::abs(volume) <= 1e-9 * norm(a) * norm(b) * norm(c)) {
        fail(ErrorKind::input, "the box has no volume: ({}, {}, {}), ({}, {}, {}), ({}, {}, {}) nm", box.a.x,
             box.a.y, box.a.z, box.b.x, box.b.y, box.b.z, box.c.x, box.c.y, box.c.z);
    }
    inverse_ = {(1.0 / volume) * cross(b, c), (1.0 / volume) * cross(c, a), (1.0 / volume) * cross(a, b)};
    safe_distance2_ = 0.25 * norm2(a);
}

Vec3 MinimumImage::operator()(const Vec3& difference) const {
    if (!periodic_ || norm2(difference) <= safe_distance2_) return difference;
    Vec3 rounded = difference;
    for (std::size_t i = 0; i < 3; ++i) {
        rounded = rounded - std::round(dot(inverse_[i], difference)) * basis_[i];
    }
    if (norm2(rounded) <= safe_distance2_) return rounded;

    Vec3 shortest = rounded;
    for (int i = -1; i <= 1; ++i) {
        for (int j = -1; j <= 1; ++j) {
            for (int k = -1; k <= 1; ++k) {
                const Vec3 image =
                    rounded + double(i) * basis_[0] + double(j) * basis_[1] + double(k) * basis_[2];
                if (norm2(image) < norm2(shortest)) shortest = image;
            }
        }
    }
    return shortest;
}

Vec3 centre_of_geometry(const trajectory::Frame& frame, std::span<const std::int32_t> atoms,
                        const MinimumImage& image) {
    const auto position = [&](std::int32_t atom) {
        return Vec3(frame.positions[static_cast<std::size_t>(atom)]);
    };
    const Vec3 first = position(atoms.front());
    Vec3 sum;
    for (const std::int32_t atom : atoms.subspan(1)) sum = sum + image(position(atom) - first);
    return first + (1.0 / static_cast<double>(atoms.size())) * sum;
}

}  // namespace coromd::functions
