// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A cell list in fractional coordinates. A sphere of radius r reaches r / width along each, where
// the width is the distance between two faces of the box. So the cells that a sphere touches are a
// block of consecutive ones, which may extend beyond the box, any number of times: cell i stands for
// an image of the cell i mod n, shifted by floor(i / n) boxes. No minimum image is computed, and the
// radius may be larger than the box.
//
// Without a periodic box, the cells divide the bounding box of the references, and only those within
// it are looked at.
#include "neighbours.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "coromd/core/error.hpp"

namespace coromd::trajectory {

namespace {

using Vec3 = std::array<double, 3>;

Vec3 to_double(const Vec3f& v) {
    return {v.x, v.y, v.z};
}

bool is_finite(const Vec3f& v) {
    return std::isfinite(v.x) && std::isfinite(v.y) && std::isfinite(v.z);
}

double dot(const Vec3& a, const Vec3& b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

Vec3 cross(const Vec3& a, const Vec3& b) {
    return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

double norm(const Vec3& a) {
    return std::sqrt(dot(a, a));
}

/// The parallelepiped that is divided into cells.
struct Region {
    bool periodic = false;
    Vec3 origin{};
    std::array<Vec3, 3> edges{};    ///< nm
    std::array<Vec3, 3> inverse{};  ///< 1/nm: fractional coordinate i is dot(inverse[i], x - origin)
    Vec3 widths{};                  ///< nm, between opposite faces
};

Region region_of(const std::array<Vec3, 3>& edges) {
    Region region;
    region.edges = edges;
    const auto& [a, b, c] = region.edges;
    const double volume = dot(a, cross(b, c));
    if (!(std::abs(volume) > 1e-9 * norm(a) * norm(b) * norm(c))) {
        fail(ErrorKind::input, "the box has no volume: ({}, {}, {}), ({}, {}, {}), ({}, {}, {}) nm", a[0],
             a[1], a[2], b[0], b[1], b[2], c[0], c[1], c[2]);
    }
    const std::array<Vec3, 3> normals{cross(b, c), cross(c, a), cross(a, b)};
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t k = 0; k < 3; ++k) region.inverse[i][k] = normals[i][k] / volume;
        region.widths[i] = std::abs(volume) / norm(normals[i]);
    }
    return region;
}

/// Takes off `vector` what it has of `other`, in whole multiples.
void shorten(Vec3& vector, const Vec3& other) {
    const double length2 = dot(other, other);
    if (length2 == 0.0) return;
    const double n = std::round(dot(vector, other) / length2);
    for (std::size_t k = 0; k < 3; ++k) vector[k] -= n * other[k];
}

Region periodic_region(const Box& box) {
    std::array<Vec3, 3> edges{to_double(box.a), to_double(box.b), to_double(box.c)};
    // The same lattice with less skewed cells, of which a sphere touches fewer.
    shorten(edges[1], edges[0]);
    shorten(edges[2], edges[1]);
    shorten(edges[2], edges[0]);
    Region region = region_of(edges);
    region.periodic = true;
    return region;
}

Region bounding_region(std::span<const Vec3f> references) {
    constexpr double kSmallestEdge = 1e-3;
    Vec3 low = to_double(references.front());
    Vec3 high = low;
    for (const Vec3f& reference : references) {
        const Vec3 x = to_double(reference);
        for (std::size_t i = 0; i < 3; ++i) {
            low[i] = std::min(low[i], x[i]);
            high[i] = std::max(high[i], x[i]);
        }
    }
    std::array<Vec3, 3> edges{};
    for (std::size_t i = 0; i < 3; ++i) edges[i][i] = std::max(high[i] - low[i], kSmallestEdge);
    Region region = region_of(edges);
    region.origin = low;
    return region;
}

class CellList {
public:
    CellList(const Region& region, std::span<const Vec3f> references, double radius)
        : region_(region), radius2_(radius * radius) {
        // More cells than references would only be empty.
        const double most = std::max(1.0, std::cbrt(static_cast<double>(references.size())));
        for (std::size_t i = 0; i < 3; ++i) {
            // Rounding must not move what is just within the radius out of reach.
            reach_[i] = radius / region.widths[i] + kRounding;
            n_[i] = static_cast<std::int64_t>(std::clamp(1.0 / reach_[i], 1.0, most));
        }
        sort_into_cells(references);
    }

    bool is_near(const Vec3f& point) const {
        const Vec3 s = fractional(point);
        std::array<std::int64_t, 3> low{};
        std::array<std::int64_t, 3> high{};
        for (std::size_t i = 0; i < 3; ++i) {
            const auto n = static_cast<double>(n_[i]);
            double first = std::floor((s[i] - reach_[i]) * n);
            double last = std::floor((s[i] + reach_[i]) * n);
            if (!region_.periodic) {
                if (last < 0.0 || first > n) return false;
                first = std::max(first, 0.0);
                last = std::min(last, n - 1.0);
                // The highest reference lies on the upper face, in the last cell.
                first = std::min(first, last);
            }
            low[i] = static_cast<std::int64_t>(first);
            high[i] = static_cast<std::int64_t>(last);
        }
        for (std::int64_t i = low[0]; i <= high[0]; ++i) {
            for (std::int64_t j = low[1]; j <= high[1]; ++j) {
                for (std::int64_t k = low[2]; k <= high[2]; ++k) {
                    if (is_near_in_cell(s, {i, j, k})) return true;
                }
            }
        }
        return false;
    }

private:
    static constexpr double kRounding = 1e-9;

    /// Between 0 and 1 in a periodic region.
    Vec3 fractional(const Vec3f& point) const {
        Vec3 x = to_double(point);
        for (std::size_t i = 0; i < 3; ++i) x[i] -= region_.origin[i];
        Vec3 s{};
        for (std::size_t i = 0; i < 3; ++i) {
            s[i] = dot(region_.inverse[i], x);
            if (region_.periodic) s[i] -= std::floor(s[i]);
        }
        return s;
    }

    std::size_t cell_of(const Vec3& s) const {
        std::int64_t cell = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            const auto index = static_cast<std::int64_t>(s[i] * static_cast<double>(n_[i]));
            cell = cell * n_[i] + std::clamp<std::int64_t>(index, 0, n_[i] - 1);
        }
        return static_cast<std::size_t>(cell);
    }

    void sort_into_cells(std::span<const Vec3f> references) {
        std::vector<Vec3> unsorted;
        unsorted.reserve(references.size());
        starts_.assign(static_cast<std::size_t>(n_[0] * n_[1] * n_[2]) + 1, 0);
        for (const Vec3f& reference : references) {
            unsorted.push_back(fractional(reference));
            ++starts_[cell_of(unsorted.back()) + 1];
        }
        for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
        std::vector<std::size_t> next = starts_;
        sorted_.resize(unsorted.size());
        for (const Vec3& s : unsorted) sorted_[next[cell_of(s)]++] = s;
    }

    bool is_near_in_cell(const Vec3& s, const std::array<std::int64_t, 3>& cell) const {
        Vec3 target = s;  // moved to where the cell itself, not its image, is
        std::int64_t index = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            std::int64_t shift = cell[i] / n_[i];
            if (cell[i] % n_[i] < 0) --shift;
            target[i] -= static_cast<double>(shift);
            index = index * n_[i] + (cell[i] - shift * n_[i]);
        }
        const auto at = static_cast<std::size_t>(index);
        for (std::size_t m = starts_[at]; m < starts_[at + 1]; ++m) {
            Vec3 difference{};
            for (std::size_t i = 0; i < 3; ++i) {
                const double ds = sorted_[m][i] - target[i];
                for (std::size_t k = 0; k < 3; ++k) difference[k] += ds * region_.edges[i][k];
            }
            if (dot(difference, difference) <= radius2_) return true;
        }
        return false;
    }

    Region region_;
    double radius2_;
    Vec3 reach_{};  ///< of the radius, in fractional coordinates
    std::array<std::int64_t, 3> n_{};
    std::vector<std::size_t> starts_;  ///< of each cell in sorted_, and the end
    std::vector<Vec3> sorted_;         ///< fractional coordinates of the references, by cell
};

}  // namespace

std::vector<bool> find_near(std::span<const Vec3f> points, std::span<const Vec3f> references, const Box& box,
                            double radius_nm) {
    std::vector<bool> near(points.size());
    std::vector<Vec3f> finite;
    std::ranges::copy_if(references, std::back_inserter(finite), is_finite);
    if (finite.empty()) return near;

    const Region region = box.periodic() ? periodic_region(box) : bounding_region(finite);
    // No point is farther from the nearest image of another than half of the edges together.
    const double farthest = 0.5 * (norm(region.edges[0]) + norm(region.edges[1]) + norm(region.edges[2]));
    const bool all = region.periodic && radius_nm >= farthest;
    const CellList cells(region, finite, all ? 0.0 : radius_nm);
    for (std::size_t i = 0; i < points.size(); ++i) {
        near[i] = is_finite(points[i]) && (all || cells.is_near(points[i]));
    }
    return near;
}

}  // namespace coromd::trajectory
