// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The rotation that maximises the sum of w y.(R x) is the quaternion that maximises q.(N q), with a symmetric
// 4x4 matrix N of the sums of products (Horn 1987): the eigenvector of the largest eigenvalue, which is found
// by Jacobi rotations. A unit quaternion is a rotation and never a reflection.
#include "coromd/trajectory/superposition.hpp"

#include <algorithm>
#include <cmath>

#include "coromd/core/error.hpp"
#include "lattice.hpp"

namespace coromd::trajectory {

namespace {

using Vec4 = std::array<double, 4>;
using Matrix4 = std::array<Vec4, 4>;

/// Makes m[p][q] zero by a rotation in the plane of p and q, and turns `vectors` with it.
void eliminate(Matrix4& m, Matrix4& vectors, std::size_t p, std::size_t q) {
    if (m[p][q] == 0.0) return;
    const double theta = (m[q][q] - m[p][p]) / (2 * m[p][q]);
    const double t = std::copysign(1.0, theta) / (std::abs(theta) + std::hypot(theta, 1.0));
    const double c = 1 / std::hypot(t, 1.0);
    const double s = t * c;
    const auto turn = [&](double& at_p, double& at_q) {
        const double old = at_p;
        at_p = c * old - s * at_q;
        at_q = s * old + c * at_q;
    };
    for (std::size_t k = 0; k < 4; ++k) turn(m[k][p], m[k][q]);
    for (std::size_t k = 0; k < 4; ++k) turn(m[p][k], m[q][k]);
    for (std::size_t k = 0; k < 4; ++k) turn(vectors[k][p], vectors[k][q]);
}

/// The eigenvector of the largest eigenvalue of a symmetric matrix.
Vec4 largest_eigenvector(Matrix4 m) {
    Matrix4 vectors{{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};
    constexpr int kSweeps = 50;  // it converges quadratically: less than ten are enough
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
        double off = 0.0;
        double all = 0.0;
        for (std::size_t p = 0; p < 4; ++p)
            for (std::size_t q = 0; q < 4; ++q) {
                all += m[p][q] * m[p][q];
                if (p != q) off += m[p][q] * m[p][q];
            }
        if (off <= 1e-32 * all) break;
        for (std::size_t p = 0; p < 4; ++p)
            for (std::size_t q = p + 1; q < 4; ++q) eliminate(m, vectors, p, q);
    }
    std::size_t best = 0;
    for (std::size_t i = 1; i < 4; ++i)
        if (m[i][i] > m[best][best]) best = i;
    return {vectors[0][best], vectors[1][best], vectors[2][best], vectors[3][best]};
}

Matrix3 rotation_of(const Vec4& q) {
    const auto [w, x, y, z] = q;
    return {{{w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)},
             {2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)},
             {2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z}}};
}

Matrix3 best_rotation(const Matrix3& s) {
    const auto& [x, y, z] = s;  // s[i][k]: sum of w mobile_i reference_k
    return rotation_of(largest_eigenvector({{{x[0] + y[1] + z[2], y[2] - z[1], z[0] - x[2], x[1] - y[0]},
                                             {y[2] - z[1], x[0] - y[1] - z[2], x[1] + y[0], z[0] + x[2]},
                                             {z[0] - x[2], x[1] + y[0], -x[0] + y[1] - z[2], y[2] + z[1]},
                                             {x[1] - y[0], z[0] + x[2], y[2] + z[1], -x[0] - y[1] + z[2]}}}));
}

void check(std::span<const Vec3f> mobile, std::span<const Vec3f> reference, std::span<const double> weights) {
    if (mobile.empty() || mobile.size() != reference.size())
        fail(ErrorKind::usage, "{} points cannot be laid upon {}", mobile.size(), reference.size());
    if (weights.empty()) return;
    double sum = 0.0;
    for (const double w : weights) {
        if (!(w >= 0.0) || !std::isfinite(w)) fail(ErrorKind::usage, "there cannot be a weight of {}", w);
        sum += w;
    }
    if (weights.size() != mobile.size() || !(sum > 0.0))
        fail(ErrorKind::usage, "{} weights, of {} in all, do not fit {} points", weights.size(), sum,
             mobile.size());
}

double weight(std::span<const double> weights, std::size_t i) {
    return weights.empty() ? 1.0 : weights[i];
}

Vec3d centre_of(std::span<const Vec3f> points, std::span<const double> weights) {
    Vec3d sum{};
    double total = 0.0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        sum = sum + weight(weights, i) * to_double(points[i]);
        total += weight(weights, i);
    }
    return (1 / total) * sum;
}

double rmsd(const Superposition& how, std::span<const Vec3f> mobile, std::span<const Vec3f> reference,
            std::span<const double> weights) {
    double sum = 0.0;
    double total = 0.0;
    for (std::size_t i = 0; i < mobile.size(); ++i) {
        const Vec3d d = how.rotation * (to_double(mobile[i]) - how.from) - (to_double(reference[i]) - how.to);
        sum += weight(weights, i) * dot(d, d);
        total += weight(weights, i);
    }
    return std::sqrt(sum / total);
}

}  // namespace

Matrix3 rotation_about(const Vec3d& axis, double angle_rad) {
    const double length = std::sqrt(dot(axis, axis));
    if (!(length > 0.0) || !std::isfinite(length) || !std::isfinite(angle_rad))
        fail(ErrorKind::usage, "there is no rotation by {} rad about ({}, {}, {})", angle_rad, axis[0],
             axis[1], axis[2]);
    const Vec3d u = (std::sin(angle_rad / 2) / length) * axis;
    return rotation_of({std::cos(angle_rad / 2), u[0], u[1], u[2]});
}

Superposition superpose_centres(std::span<const Vec3f> mobile, std::span<const Vec3f> reference,
                                std::span<const double> weights) {
    check(mobile, reference, weights);
    Superposition how;
    how.from = centre_of(mobile, weights);
    how.to = centre_of(reference, weights);
    how.rmsd_nm = rmsd(how, mobile, reference, weights);
    return how;
}

Superposition superpose(std::span<const Vec3f> mobile, std::span<const Vec3f> reference,
                        std::span<const double> weights) {
    Superposition how = superpose_centres(mobile, reference, weights);
    Matrix3 products{};
    for (std::size_t n = 0; n < mobile.size(); ++n) {
        const Vec3d x = to_double(mobile[n]) - how.from;
        const Vec3d y = to_double(reference[n]) - how.to;
        for (std::size_t i = 0; i < 3; ++i) products[i] = products[i] + (weight(weights, n) * x[i]) * y;
    }
    how.rotation = best_rotation(products);
    how.rmsd_nm = rmsd(how, mobile, reference, weights);
    return how;
}

}  // namespace coromd::trajectory
