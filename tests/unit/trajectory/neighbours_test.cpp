// SPDX-License-Identifier: LGPL-3.0-or-later
#include "neighbours.hpp"

#include "testing.hpp"

namespace coromd::trajectory {
namespace {

std::vector<Vec3f> random_points(std::size_t n, const Box& box, const std::string& name) {
    RandomStream random(11, name);
    std::vector<Vec3f> points;
    for (std::size_t i = 0; i < n; ++i) {
        // Also outside of the box, as molecules are that were made whole.
        const auto u = static_cast<float>(2.0 * random.uniform() - 0.5);
        const auto v = static_cast<float>(2.0 * random.uniform() - 0.5);
        const auto w = static_cast<float>(2.0 * random.uniform() - 0.5);
        points.push_back({u * box.a.x + v * box.b.x + w * box.c.x, u * box.a.y + v * box.b.y + w * box.c.y,
                          u * box.a.z + v * box.b.z + w * box.c.z});
    }
    return points;
}

/// All images in `n_images` boxes to each side.
double distance(const Vec3f& p, const Vec3f& q, const Box& box, int n_images) {
    double shortest = INFINITY;
    for (int i = -n_images; i <= n_images; ++i) {
        for (int j = -n_images; j <= n_images; ++j) {
            for (int k = -n_images; k <= n_images; ++k) {
                const auto along = [&](float Vec3f::*x) {
                    return double{p.*x} - double{q.*x} + i * double{box.a.*x} + j * double{box.b.*x} +
                           k * double{box.c.*x};
                };
                shortest =
                    std::min(shortest, std::hypot(along(&Vec3f::x), along(&Vec3f::y), along(&Vec3f::z)));
            }
        }
    }
    return shortest;
}

void expect_brute_force(const std::vector<Vec3f>& points, const std::vector<Vec3f>& references,
                        const Box& box, int n_images) {
    std::vector<double> distances;
    for (const Vec3f& p : points) {
        double shortest = INFINITY;
        for (const Vec3f& q : references) shortest = std::min(shortest, distance(p, q, box, n_images));
        distances.push_back(shortest);
    }
    for (const double radius : {0.0, 0.05, 0.2, 0.4, 0.9, 1.7, 3.0, 8.0}) {
        const std::vector<bool> near = find_near(points, references, box, radius);
        ASSERT_EQ(near.size(), points.size());
        for (std::size_t i = 0; i < points.size(); ++i) {
            EXPECT_EQ(near[i], distances[i] <= radius) << radius << ' ' << i << ' ' << distances[i];
        }
    }
}

const std::vector<Box> kBoxes{
    {{2.5F, 0, 0}, {0, 2.1F, 0}, {0, 0, 3.0F}},                               // rectangular
    {{2.5F, 0, 0}, {0, 2.5F, 0}, {1.25F, 1.25F, 1.76777F}},                   // rhombic dodecahedron
    {{2.5F, 0, 0}, {0.83333F, 2.35702F, 0}, {-0.83333F, 1.1785F, 2.04124F}},  // truncated octahedron
    {{2.0F, 0, 0}, {0.9F, 1.5F, 0}, {-0.95F, 0.7F, 4.0F}},                    // triclinic
    {{1.0F, 0, 0}, {1.9F, 1.5F, 0}, {-2.2F, 2.9F, 2.0F}},  // more skewed than GROMACS allows
};

TEST(Neighbours, BruteForceInTriclinicBoxes) {
    for (const Box& box : kBoxes) {
        const std::vector<Vec3f> points = random_points(60, box, "points");
        for (const std::size_t n : {1U, 7U, 60U}) {
            expect_brute_force(points, random_points(n, box, "references"), box, 6);
        }
    }
}

TEST(Neighbours, BruteForceWithoutABox) {
    const std::vector<Vec3f> points = random_points(300, kBoxes[3], "points");
    for (const std::size_t n : {1U, 7U, 300U}) {
        expect_brute_force(points, random_points(n, kBoxes[0], "references"), Box(), 0);
    }
    const std::vector<Vec3f> on_a_line{{0, 0, 0}, {1, 0, 0}, {2, 0, 0}};
    expect_brute_force(on_a_line, on_a_line, Box(), 0);
}

TEST(Neighbours, LargeSystemsTakeNoSquare) {
    // All pairs would be 4e10.
    const Box box{{12, 0, 0}, {4, 12, 0}, {4, 4, 12}};
    const std::vector<Vec3f> points = random_points(200000, box, "points");
    const std::vector<Vec3f> references = random_points(200000, box, "references");
    const std::vector<bool> near = find_near(points, references, box, 0.03);
    const double fraction = static_cast<double>(std::ranges::count(near, true)) / 200000.0;
    // The chance of at least one of so many at random within the sphere.
    const double volume = 4.0 / 3.0 * std::acos(-1.0) * 0.03 * 0.03 * 0.03;
    EXPECT_NEAR(fraction, 1.0 - std::exp(-200000.0 * volume / (12.0 * 12.0 * 12.0)), 0.002);
}

TEST(Neighbours, OddPositionsAndBoxes) {
    const std::vector<Vec3f> odd{{NAN, 0, 0}, {0, INFINITY, 0}, {3e38F, -3e38F, 1}, {0, 0, 0}};
    const std::vector<bool> far_away = find_near(odd, odd, Box(), 1.0);
    EXPECT_EQ(far_away, (std::vector<bool>{false, false, true, true}));
    EXPECT_EQ(find_near(odd, odd, kBoxes[0], 100.0), (std::vector<bool>{false, false, true, true}));
    EXPECT_EQ(find_near(odd, {}, kBoxes[0], 1.0), std::vector<bool>(4));
    EXPECT_EQ(find_near({}, odd, kBoxes[0], 1.0), std::vector<bool>());
    const Box flat{{1, 0, 0}, {0, 0, 0}, {0, 0, 1}};
    EXPECT_EQ(error_of([&] { find_near(odd, odd, flat, 1.0); }).kind(), ErrorKind::input);
    const Box no_number{{NAN, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    EXPECT_EQ(error_of([&] { find_near(odd, odd, no_number, 1.0); }).kind(), ErrorKind::input);
}

}  // namespace
}  // namespace coromd::trajectory
