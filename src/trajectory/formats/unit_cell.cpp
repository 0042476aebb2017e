// SPDX-License-Identifier: LGPL-3.0-or-later
#include "formats/unit_cell.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace coromd::trajectory {

std::optional<Box> box_of(const UnitCell& cell) {
    if (cell.lengths_nm == std::array<double, 3>{}) return Box{};
    // What a float can hold; NaN fails too.
    constexpr double kMaxLength = 1e30;
    const auto is_length = [](double length) { return length >= 0.0 && length < kMaxLength; };
    const auto is_cosine = [](double cosine) { return cosine > -1.0 && cosine < 1.0; };
    if (!std::ranges::all_of(cell.lengths_nm, is_length) || !std::ranges::all_of(cell.cosines, is_cosine)) {
        return std::nullopt;
    }
    const auto [a, b, c] = cell.lengths_nm;
    const auto [cos_alpha, cos_beta, cos_gamma] = cell.cosines;
    const double sin_gamma = std::sqrt(1.0 - cos_gamma * cos_gamma);
    const double c_y = (cos_alpha - cos_beta * cos_gamma) / sin_gamma;
    const double c_z_squared = 1.0 - cos_beta * cos_beta - c_y * c_y;
    if (!(c_z_squared > 0.0)) return std::nullopt;
    const auto vector = [](double x, double y, double z) {
        return Vec3f{static_cast<float>(x), static_cast<float>(y), static_cast<float>(z)};
    };
    return Box{vector(a, 0.0, 0.0), vector(b * cos_gamma, b * sin_gamma, 0.0),
               vector(c * cos_beta, c * c_y, c * std::sqrt(c_z_squared))};
}

UnitCell unit_cell_of(const Box& box) {
    const auto dot = [](const Vec3f& u, const Vec3f& v) {
        return static_cast<double>(u.x) * v.x + static_cast<double>(u.y) * v.y +
               static_cast<double>(u.z) * v.z;
    };
    UnitCell cell;
    cell.lengths_nm = {std::sqrt(dot(box.a, box.a)), std::sqrt(dot(box.b, box.b)),
                       std::sqrt(dot(box.c, box.c))};
    const auto [a, b, c] = cell.lengths_nm;
    const auto cosine = [&](const Vec3f& u, const Vec3f& v, double lengths) {
        return lengths > 0.0 ? dot(u, v) / lengths : 0.0;
    };
    cell.cosines = {cosine(box.b, box.c, b * c), cosine(box.a, box.c, a * c), cosine(box.a, box.b, a * b)};
    return cell;
}

double cosine_of_degrees(double angle) {
    if (!(angle > 0.0 && angle < 180.0)) return std::numeric_limits<double>::quiet_NaN();
    return angle == 90.0 ? 0.0 : std::cos(angle * std::numbers::pi / 180.0);
}

double degrees_of_cosine(double cosine) {
    // Rounding may take the cosine of parallel vectors past 1.
    return cosine == 0.0 ? 90.0 : std::acos(std::clamp(cosine, -1.0, 1.0)) * 180.0 / std::numbers::pi;
}

}  // namespace coromd::trajectory
