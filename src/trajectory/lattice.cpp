// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The shortest image of a difference. A vector is the shortest of its images when none of the lattice vectors
// that bound the Voronoi cell shortens it. In a reduced basis (Minkowski) all of these have the coefficients
// -1, 0 and 1. So: take off whole edges by rounding, then go on with each of the 26 that shortens, until none
// does.
#include "lattice.hpp"

#include "coromd/core/error.hpp"

namespace coromd::trajectory {

namespace {

/// Of a basis that is reduced already, 1 part in 10^12 is rounding.
constexpr double kShorter = 1.0 - 1e-12;

/// Calls `fn` with all sums of the edges with coefficients -1, 0 and 1 but the first and their opposites.
template <typename Fn>
void for_each_neighbour(const Matrix3& edges, const Fn& fn) {
    for (int i = -1; i <= 1; ++i)
        for (int j = -1; j <= 1; ++j)
            for (int k = -1; k <= 1; ++k)
                if (i != 0 || j != 0 || k != 0) fn(i * edges[0] + (j * edges[1] + k * edges[2]));
}

/// Takes off v what it has of `other`, in whole multiples; has it become shorter?
bool shorten(Vec3d& v, const Vec3d& other) {
    const double n = std::round(dot(v, other) / dot(other, other));
    const Vec3d shorter = v - n * other;
    if (!(dot(shorter, shorter) < kShorter * dot(v, v))) return false;
    v = shorter;
    return true;
}

void sort_by_length(Matrix3& edges) {
    std::ranges::sort(edges, {}, [](const Vec3d& v) { return dot(v, v); });
}

/// A basis of the same lattice whose vectors are as short as can be.
Matrix3 reduced(Matrix3 edges) {
    constexpr int kMostRounds = 1000;  // each makes a vector shorter: a few are enough
    for (int round = 0; round < kMostRounds; ++round) {
        sort_by_length(edges);
        if (shorten(edges[1], edges[0])) continue;
        bool shorter = false;
        for (const int i : {-1, 0, 1})
            for (const int j : {-1, 0, 1}) {
                const Vec3d sum = edges[2] + (i * edges[0] + j * edges[1]);
                if (dot(sum, sum) >= kShorter * dot(edges[2], edges[2])) continue;
                edges[2] = sum;
                shorter = true;
            }
        if (shorten(edges[2], edges[1]) || shorten(edges[2], edges[0]) || shorter) continue;
        break;
    }
    return edges;
}

Matrix3 inverse_of(const Matrix3& edges) {
    const auto& [a, b, c] = edges;
    const double volume = dot(a, cross(b, c));
    if (!(std::abs(volume) > 1e-9 * std::sqrt(dot(a, a) * dot(b, b) * dot(c, c)))) {
        fail(ErrorKind::input, "the box has no volume: ({}, {}, {}), ({}, {}, {}), ({}, {}, {}) nm", a[0],
             a[1], a[2], b[0], b[1], b[2], c[0], c[1], c[2]);
    }
    return {(1 / volume) * cross(b, c), (1 / volume) * cross(c, a), (1 / volume) * cross(a, b)};
}

}  // namespace

Lattice::Lattice(const Box& box) : edges_{to_double(box.a), to_double(box.b), to_double(box.c)} {
    if (!box.periodic()) fail(ErrorKind::usage, "the frame has no periodic box");
    inverse_ = inverse_of(edges_);
    short_edges_ = reduced(edges_);
    short_inverse_ = inverse_of(short_edges_);
    safe_distance2_ = 0.25 * dot(short_edges_[0], short_edges_[0]);
    upright_ = box.a.y == 0 && box.a.z == 0 && box.b.z == 0 && box.a.x > 0 && box.b.y > 0 && box.c.z > 0;
}

Vec3d Lattice::shortest(const Vec3d& difference) const noexcept {
    Vec3d best = difference;
    double length2 = dot(best, best);
    if (length2 <= safe_distance2_ || !std::isfinite(length2)) return best;
    const Vec3d s = short_inverse_ * difference;
    for (std::size_t i = 0; i < 3; ++i) best = best - std::round(s[i]) * short_edges_[i];
    length2 = dot(best, best);
    // A few rounds are enough, unless the numbers are so large that a box is below their rounding.
    constexpr int kMostRounds = 64;
    bool shorter = length2 > safe_distance2_;
    for (int round = 0; shorter && round < kMostRounds; ++round) {
        shorter = false;
        const Vec3d from = best;
        for_each_neighbour(short_edges_, [&](const Vec3d& step) {
            const Vec3d image = from + step;
            const double image_length2 = dot(image, image);
            if (!(image_length2 < kShorter * length2)) return;
            best = image;
            length2 = image_length2;
            shorter = true;
        });
    }
    return best;
}

Vec3d Lattice::into(const Vec3d& x, CellShape shape) const noexcept {
    if (shape == CellShape::compact) return centre() + shortest(x - centre());
    Vec3d image = x;
    if (shape == CellShape::brick && upright_) {
        for (const std::size_t i : {2U, 1U, 0U})
            image = image - std::floor(image[i] / edges_[i][i]) * edges_[i];
        return image;
    }
    const Vec3d s = fractional(x);
    for (std::size_t i = 0; i < 3; ++i) image = image - std::floor(s[i]) * edges_[i];
    return image;
}

}  // namespace coromd::trajectory
