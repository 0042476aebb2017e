// SPDX-License-Identifier: LGPL-3.0-or-later
#include <cmath>
#include <numbers>
#include <random>

#include <gtest/gtest.h>

#include "coromd/core/units.hpp"
#include "coromd/functions/collective_variable.hpp"
#include "coromd/functions/geometry.hpp"

namespace coromd::functions {
namespace {

using std::numbers::pi;
using trajectory::Box;
using trajectory::Frame;
using trajectory::Topology;
using trajectory::Vec3f;

Vec3f single(const Vec3& v) {
    return {static_cast<float>(v.x), static_cast<float>(v.y), static_cast<float>(v.z)};
}

double evaluate(const std::string& text, const Frame& frame) {
    const FrameFunctionPtr function = collective_variable(builtin_collective_variables(), "test", text);
    const Topology topology(std::vector<trajectory::Atom>(frame.positions.size()));
    return (*function->bind(topology))(frame);
}

Frame frame_of(std::vector<Vec3f> positions, Box box = {}) {
    Frame frame;
    frame.positions = std::move(positions);
    frame.box = box;
    return frame;
}

const std::string kDihedral = R"(dihedral("index 0", "index 1", "index 2", "index 3"))";

/// A chain of four atoms with this torsion.
std::vector<Vec3f> chain(double torsion) {
    const auto cosine = static_cast<float>(std::cos(torsion));
    const auto sine = static_cast<float>(std::sin(torsion));
    // Looking along z, from B to C: x to y is clockwise.
    return {{1, 0, 0}, {0, 0, 0}, {0, 0, 1}, {cosine, sine, 1}};
}

TEST(Distance, between_two_atoms) {
    EXPECT_NEAR(evaluate(R"(distance("index 0", "index 1"))", frame_of({{1, 2, 3}, {4, 6, 15}})), 13.0,
                1e-12);
}

TEST(Distance, between_two_centres_of_geometry) {
    const Frame frame = frame_of({{0, 0, 0}, {2, 0, 0}, {1, 3, 0}, {1, 5, 0}});
    EXPECT_NEAR(evaluate(R"(distance("index 0 1", "index 2 3"))", frame), 4.0, 1e-12);
}

TEST(Distance, is_to_the_nearest_image) {
    const Frame frame =
        frame_of({{0.5F, 1, 1}, {4.5F, 1, 1}}, {.a = {5, 0, 0}, .b = {0, 5, 0}, .c = {0, 0, 5}});
    EXPECT_NEAR(evaluate(R"(distance("index 0", "index 1"))", frame), 1.0, 1e-6);
    EXPECT_NEAR(evaluate(R"(distance("index 0", "index 1", pbc=false))", frame), 4.0, 1e-6);
    EXPECT_NEAR(evaluate(R"(distance("index 0", "index 1", pbc=true))", frame), 1.0, 1e-6);
}

TEST(Coordinate, is_that_of_the_centre_of_geometry) {
    const Frame frame = frame_of({{1, 2, 3}, {4, 6, -15}});
    EXPECT_NEAR(evaluate(R"(x("index 0"))", frame), 1.0, 1e-12);
    EXPECT_NEAR(evaluate(R"(y("index 1"))", frame), 6.0, 1e-12);
    EXPECT_NEAR(evaluate(R"(x("index 0 1"))", frame), 2.5, 1e-12);
    EXPECT_NEAR(evaluate(R"(z("index 0 1"))", frame), -6.0, 1e-12);
}

TEST(Coordinate, takes_the_nearest_images_of_the_atoms_of_its_selection) {
    const Frame frame =
        frame_of({{0.5F, 1, 1}, {4.5F, 1, 1}}, {.a = {5, 0, 0}, .b = {0, 5, 0}, .c = {0, 0, 5}});
    EXPECT_NEAR(evaluate(R"(x("index 0 1"))", frame), 0.0, 1e-6);
    EXPECT_NEAR(evaluate(R"(x("index 0 1", pbc=false))", frame), 2.5, 1e-6);
}

TEST(Angle, is_that_of_the_geometry) {
    const std::string text = R"(angle("index 0", "index 1", "index 2"))";
    EXPECT_NEAR(evaluate(text, frame_of({{2, 0, 0}, {0, 0, 0}, {0, 3, 0}})), pi / 2, 1e-12);
    EXPECT_NEAR(evaluate(text, frame_of({{1, 0, 0}, {0, 0, 0}, {5, 5, 0}})), pi / 4, 1e-12);
    EXPECT_NEAR(evaluate(text, frame_of({{1, 0, 0}, {0, 0, 0}, {-7, 0, 0}})), pi, 1e-12);
    EXPECT_NEAR(evaluate(text, frame_of({{1, 0, 0}, {0, 0, 0}, {4, 0, 0}})), 0.0, 1e-12);
}

TEST(Angle, is_precise_where_it_is_almost_straight) {
    const std::string text = R"(angle("index 0", "index 1", "index 2"))";
    const float tiny = 1e-6F;
    EXPECT_NEAR(pi - evaluate(text, frame_of({{1, 0, 0}, {0, 0, 0}, {-1, tiny, 0}})), tiny, 1e-12);
}

TEST(Angle, is_undefined_where_atoms_coincide) {
    const std::string text = R"(angle("index 0", "index 1", "index 2"))";
    EXPECT_TRUE(std::isnan(evaluate(text, frame_of({{1, 0, 0}, {1, 0, 0}, {5, 5, 0}}))));
    EXPECT_TRUE(std::isnan(evaluate(text, frame_of({{1, 0, 0}, {5, 5, 0}, {5, 5, 0}}))));
}

TEST(Dihedral, has_the_sign_of_iupac) {
    for (const double degrees : {-179.0, -120.0, -90.0, -60.0, -1.0, 0.0, 1.0, 30.0, 60.0, 90.0, 179.0}) {
        EXPECT_NEAR(evaluate(kDihedral, frame_of(chain(degrees * units::kDegree))), degrees * units::kDegree,
                    1e-6)
            << degrees;
    }
}

TEST(Dihedral, of_trans_is_plus_pi) {
    // Both signs of zero of the last y.
    EXPECT_EQ(evaluate(kDihedral, frame_of({{1, 0, 0}, {0, 0, 0}, {0, 0, 1}, {-1, 0.0F, 1}})), pi);
    EXPECT_EQ(evaluate(kDihedral, frame_of({{1, 0, 0}, {0, 0, 0}, {0, 0, 1}, {-1, -0.0F, 1}})), pi);
    EXPECT_EQ(evaluate(kDihedral, frame_of({{1, 0, 0}, {0, 0, 0}, {0, 0, -1}, {-1, 0.0F, -1}})), pi);
    // So close to the other side that the angle is rounded to -pi.
    EXPECT_EQ(evaluate(kDihedral, frame_of({{1, 0, 0}, {0, 0, 0}, {0, 0, 1}, {-1, -1e-20F, 1}})), pi);
}

TEST(Dihedral, of_an_l_amino_acid_in_an_alpha_helix_is_negative) {
    // C, N, CA, C of an ideal right-handed helix: phi is -57 degrees. Made by hand: the last atom
    // is reached from the first by turning counterclockwise, seen along N-CA.
    EXPECT_NEAR(evaluate(kDihedral, frame_of({{0, 1, 0}, {0, 0, 0}, {1, 0, 0}, {1.3F, 0.5446F, -0.8387F}})) /
                    units::kDegree,
                -57.0, 0.01);
}

TEST(Dihedral, does_not_depend_on_where_the_molecule_is_broken) {
    std::mt19937 random(7);
    std::uniform_real_distribution<double> uniform(-pi, pi);
    std::uniform_int_distribution<int> boxes(-2, 2);
    const Box box{.a = {4, 0, 0}, .b = {1.5F, 4.5F, 0}, .c = {-1.9F, 2.0F, 5}};
    for (int i = 0; i < 200; ++i) {
        const double torsion = uniform(random);
        std::vector<Vec3f> positions = chain(torsion);
        for (Vec3f& position : positions) {
            position = single(Vec3(position) + double(boxes(random)) * Vec3(box.a) +
                              double(boxes(random)) * Vec3(box.b) + double(boxes(random)) * Vec3(box.c));
        }
        EXPECT_NEAR(std::remainder(evaluate(kDihedral, frame_of(positions, box)) - torsion, 2 * pi), 0.0,
                    1e-5);
    }
}

TEST(Dihedral, is_undefined_where_atoms_lie_in_a_line) {
    EXPECT_TRUE(std::isnan(evaluate(kDihedral, frame_of({{0, 0, 0}, {1, 0, 0}, {2, 0, 0}, {3, 1, 0}}))));
    EXPECT_TRUE(std::isnan(evaluate(kDihedral, frame_of({{0, 1, 0}, {1, 0, 0}, {2, 0, 0}, {3, 0, 0}}))));
}

TEST(Builtin, kinds_describe_themselves) {
    const auto kinds = builtin_collective_variables();
    EXPECT_EQ(kinds.names(), "distance, angle, dihedral, x, y, z");
    for (const CollectiveVariableKind& kind : kinds.entries()) {
        EXPECT_TRUE(kind.usage.starts_with(kind.name + "("));
        EXPECT_FALSE(kind.description.empty());
        EXPECT_FALSE(kind.units.empty());
    }
}

TEST(Builtin, kinds_name_the_atoms_they_read) {
    const auto kinds = builtin_collective_variables();
    const Topology topology(std::vector<trajectory::Atom>(20));
    const auto evaluator =
        collective_variable(kinds, "phi", R"(dihedral("index 14", "index 6", "index 8", "index 4 6"))")
            ->bind(topology);
    EXPECT_EQ(evaluator->atoms(), (std::vector<std::int32_t>{4, 6, 8, 14}));
    EXPECT_EQ(evaluator->needs().atoms, 15);
    EXPECT_FALSE(evaluator->needs().velocities);
    EXPECT_FALSE(evaluator->needs().forces);
}

}  // namespace
}  // namespace coromd::functions
