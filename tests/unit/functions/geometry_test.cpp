// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/functions/geometry.hpp"

#include <random>

#include <gtest/gtest.h>

#include "coromd/core/error.hpp"

namespace coromd::functions {
namespace {

using trajectory::Box;

/// The shortest of the 27 images that are up to one box away.
double shortest_of_27(const Box& box, const Vec3& difference) {
    double shortest = norm(difference);
    for (int i = -1; i <= 1; ++i) {
        for (int j = -1; j <= 1; ++j) {
            for (int k = -1; k <= 1; ++k) {
                shortest = std::min(shortest, norm(difference + double(i) * Vec3(box.a) +
                                                   double(j) * Vec3(box.b) + double(k) * Vec3(box.c)));
            }
        }
    }
    return shortest;
}

/// The shortest of all images: tries every one whose z, then y, then x alone is not too long.
double shortest_of_all(const Box& box, const Vec3& difference) {
    double shortest = norm(difference);
    const auto first = [&](double x, float step) { return std::ceil((-shortest - x) / step); };
    const auto last = [&](double x, float step) { return std::floor((shortest - x) / step); };
    for (double k = first(difference.z, box.c.z); k <= last(difference.z, box.c.z); ++k) {
        const Vec3 along_c = difference + k * Vec3(box.c);
        for (double j = first(along_c.y, box.b.y); j <= last(along_c.y, box.b.y); ++j) {
            const Vec3 along_b = along_c + j * Vec3(box.b);
            const double i = -std::round(along_b.x / box.a.x);
            shortest = std::min(shortest, norm(along_b + i * Vec3(box.a)));
        }
    }
    return shortest;
}

/// A difference of two positions inside of the box.
Vec3 random_difference(const Box& box, std::mt19937& random) {
    std::uniform_real_distribution<double> fraction(-1.0, 1.0);
    return fraction(random) * Vec3(box.a) + fraction(random) * Vec3(box.b) + fraction(random) * Vec3(box.c);
}

/// As GROMACS demands: no off-diagonal component larger than half of the diagonal.
Box random_gromacs_box(std::mt19937& random) {
    std::uniform_real_distribution<float> length(2.0F, 6.0F);
    std::uniform_real_distribution<float> half(-0.5F, 0.5F);
    Box box;
    box.a.x = length(random);
    box.b.y = length(random);
    box.c.z = length(random);
    box.b.x = half(random) * box.a.x;
    box.c.x = half(random) * box.a.x;
    box.c.y = half(random) * box.b.y;
    return box;
}

TEST(MinimumImage, is_the_shortest_of_27_images_in_boxes_of_gromacs) {
    std::mt19937 random(1);
    for (int i = 0; i < 300; ++i) {
        const Box box = random_gromacs_box(random);
        const MinimumImage image(box);
        for (int j = 0; j < 30; ++j) {
            // between fractions -1/2 and 1/2, where 27 images are enough to compare with
            const Vec3 difference = 0.5 * random_difference(box, random);
            ASSERT_NEAR(norm(image(difference)), shortest_of_27(box, difference), 1e-9);
        }
    }
}

TEST(MinimumImage, is_the_shortest_of_all_images_in_slanted_boxes) {
    std::mt19937 random(2);
    std::uniform_real_distribution<float> length(0.5F, 5.0F);
    std::uniform_real_distribution<float> slant(-6.0F, 6.0F);
    for (int i = 0; i < 1000; ++i) {
        const Box box{.a = {length(random), 0, 0},
                      .b = {slant(random), length(random), 0},
                      .c = {slant(random), slant(random), length(random)}};
        const MinimumImage image(box);
        for (int j = 0; j < 20; ++j) {
            const Vec3 difference = random_difference(box, random);
            ASSERT_NEAR(norm(image(difference)), shortest_of_all(box, difference), 1e-9)
                << box.a.x << " " << box.b.x << " " << box.b.y << " " << box.c.x << " " << box.c.y << " "
                << box.c.z;
        }
    }
}

TEST(MinimumImage, is_an_image) {
    std::mt19937 random(3);
    for (int i = 0; i < 100; ++i) {
        const Box box = random_gromacs_box(random);
        const Vec3 difference = 10.0 * random_difference(box, random);
        const Vec3 shift = MinimumImage(box)(difference) - difference;
        const double k = shift.z / box.c.z;
        const double j = (shift.y - k * box.c.y) / box.b.y;
        const double n = (shift.x - k * box.c.x - j * box.b.x) / box.a.x;
        for (const double multiple : {k, j, n}) EXPECT_NEAR(multiple, std::round(multiple), 1e-6);
    }
}

TEST(MinimumImage, holds_in_the_boxes_of_globular_proteins) {
    const float root2 = std::sqrt(2.0F);
    const Box dodecahedron{.a = {3, 0, 0}, .b = {0, 3, 0}, .c = {1.5F, 1.5F, 1.5F * root2}};
    const Box octahedron{.a = {3, 0, 0}, .b = {1, 2 * root2, 0}, .c = {-1, root2, std::sqrt(6.0F)}};
    std::mt19937 random(4);
    for (const Box& box : {dodecahedron, octahedron}) {
        const MinimumImage image(box);
        for (int j = 0; j < 1000; ++j) {
            const Vec3 difference = random_difference(box, random);
            ASSERT_NEAR(norm(image(difference)), shortest_of_all(box, difference), 1e-9);
        }
    }
}

TEST(MinimumImage, changes_nothing_without_a_box) {
    const Vec3 difference(100, -200, 300);
    EXPECT_EQ(norm(MinimumImage(Box{})(difference) - difference), 0.0);
    EXPECT_EQ(norm(MinimumImage()(difference) - difference), 0.0);
}

TEST(MinimumImage, refuses_boxes_that_are_none) {
    const float nan = std::nanf("");
    EXPECT_THROW(MinimumImage(Box{.a = {1, 0, 0}, .b = {0, 1, 0}, .c = {}}), Error);
    EXPECT_THROW(MinimumImage(Box{.a = {1, 0, 0}, .b = {2, 0, 0}, .c = {0, 0, 1}}), Error);
    EXPECT_THROW(MinimumImage(Box{.a = {1, 0, 0}, .b = {0, 1, 0}, .c = {0.31415926F, 0.27182818F, 0}}),
                 Error);
    EXPECT_THROW(MinimumImage(Box{.a = {nan, 0, 0}, .b = {0, 1, 0}, .c = {0, 0, 1}}), Error);
    EXPECT_THROW(MinimumImage(Box{.a = {1, 0, 0}, .b = {0, INFINITY, 0}, .c = {0, 0, 1}}), Error);
}

TEST(MinimumImage, survives_any_box) {
    std::mt19937 random(5);
    std::uniform_real_distribution<float> exponent(-38.0F, 38.0F);
    const auto number = [&] { return std::copysign(std::pow(10.0F, exponent(random)), exponent(random)); };
    for (int i = 0; i < 2000; ++i) {
        const Box box{.a = {number(), number(), number()},
                      .b = {number(), number(), number()},
                      .c = {number(), number(), number()}};
        try {
            const MinimumImage image(box);
            image(Vec3(number(), number(), number()));
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
        }
    }
}

TEST(CentreOfGeometry, is_the_mean_position) {
    trajectory::Frame frame;
    frame.positions = {{9, 9, 9}, {0, 0, 0}, {2, 0, 0}, {1, 3, 6}};
    const std::vector<std::int32_t> atoms = {1, 2, 3};
    const Vec3 centre = centre_of_geometry(frame, atoms, MinimumImage());
    EXPECT_NEAR(norm(centre - Vec3(1, 1, 2)), 0.0, 1e-12);
}

TEST(CentreOfGeometry, makes_a_broken_group_whole) {
    trajectory::Frame frame;
    frame.box = {.a = {4, 0, 0}, .b = {0, 4, 0}, .c = {0, 0, 4}};
    frame.positions = {{3.8F, 1, 1}, {0.2F, 1, 1}, {0.6F, 1, 1}};  // 3.8, 4.2, 4.6
    const std::vector<std::int32_t> atoms = {0, 1, 2};
    const MinimumImage image(frame.box);
    EXPECT_NEAR(norm(image(centre_of_geometry(frame, atoms, image) - Vec3(0.2, 1, 1))), 0.0, 1e-6);
}

}  // namespace
}  // namespace coromd::functions
