// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/engine/model/potential.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "unit/core/fixtures.hpp"
#include "unit/engine/model_fixtures.hpp"

namespace coromd::engine::model {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::map<std::string, Potential> kAll{
    {"harmonic", Harmonic{{3.0, 7.0}, {0.2, -0.4}}},
    {"harmonic of x", Harmonic{{3.0, 0.0}, {0.2, 0.0}}},
    {"double well", DoubleWell{5.0, 1.3, 4.0}},
    {"double well of x", DoubleWell{5.0, 1.0, 0.0}},
    {"Mueller and Brown", MuellerBrown{0.1}},
    {"Gaussians",
     Gaussians{1.0, {{-1.0, -12.0, 3.0, -9.0, {0.5, 0.1}}, {2.0, -1.0, 0.0, -1.0, {-1.0, 0.0}}}}},
    {"formula", Formula("5*(x^2-1)^2 + exp(-y)*sin(x*y) + (x > 0 ? x^3 : 0)")},
};

TEST(ModelPotential, ForcesAreMinusTheGradient) {
    constexpr double h = 1e-5;
    for (const auto& [name, potential] : kAll) {
        for (const Vec2 r : {Vec2{0.3, 0.7}, Vec2{-1.1, 0.2}, Vec2{0.01, -0.9}}) {
            const Vec2 f = force(potential, r);
            const double fx =
                -(energy(potential, {r.x + h, r.y}) - energy(potential, {r.x - h, r.y})) / (2 * h);
            const double fy =
                -(energy(potential, {r.x, r.y + h}) - energy(potential, {r.x, r.y - h})) / (2 * h);
            EXPECT_NEAR(f.x, fx, 1e-6 * (1.0 + std::abs(fx))) << name << " at " << r.x << ", " << r.y;
            EXPECT_NEAR(f.y, fy, 1e-6 * (1.0 + std::abs(fy))) << name << " at " << r.x << ", " << r.y;
        }
    }
}

TEST(ModelPotential, KnowsItsDimensions) {
    for (const auto& [name, potential] : kAll)
        EXPECT_EQ(dimensions(potential), name.ends_with("of x") ? 1 : 2) << name;
    EXPECT_EQ(dimensions(Formula("x^4 - max(x, 3)")), 1);
}

TEST(ModelPotential, OfMuellerAndBrownIsThatOfThePaper) {
    // The minima and the saddles between them, as usually quoted.
    const MuellerBrown potential;
    EXPECT_NEAR(potential.energy({-0.558224, 1.441726}), -146.6995, 1e-3);
    EXPECT_NEAR(potential.energy({-0.050011, 0.466694}), -80.7678, 1e-3);
    EXPECT_NEAR(potential.energy({0.623499, 0.028038}), -108.1667, 1e-3);
    EXPECT_NEAR(potential.energy({-0.822002, 0.624313}), -40.6648, 1e-3);
    EXPECT_NEAR(potential.energy({0.212487, 0.292988}), -72.2489, 1e-3);
    for (const Vec2 r : {Vec2{-0.558224, 1.441726}, Vec2{0.623499, 0.028038}, Vec2{-0.822002, 0.624313}})
        EXPECT_LT(std::hypot(potential.force(r).x, potential.force(r).y), 2e-2);
}

TEST(ModelPotential, ReadsBackToTheLastBit) {
    for (const auto& [name, potential] : kAll) {
        SCOPED_TRACE(to_toml(potential));
        const TomlText text(to_toml(potential));
        SettingsReader table = text.top.table("potential");
        const Potential again = read_potential(table);
        table.finish();
        EXPECT_EQ(to_toml(again), to_toml(potential));
        for (const Vec2 r : {Vec2{0.3, 0.7}, Vec2{-1.1, 0.2}}) {
            EXPECT_EQ(energy(again, r), energy(potential, r));
            EXPECT_EQ(force(again, r), force(potential, r));
        }
    }
}

TEST(ModelPotential, TakesAGaussianByItsWidth) {
    const TomlText text(
        "[potential]\nkind = 'gaussians'\ngaussians = [{ height = -2, x = 1, y = 0, width = 0.5 }]\n");
    SettingsReader table = text.top.table("potential");
    EXPECT_DOUBLE_EQ(energy(read_potential(table), {1.5, 0.0}), -2.0 * std::exp(-0.5));
}

TEST(ModelPotential, ComplainsWithTheLine) {
    const auto complaint = [](const std::string& lines) {
        const TomlText text("[potential]\n" + lines);
        SettingsReader table = text.top.table("potential");
        const Error error = error_of([&] { read_potential(table); });
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return std::string(error.what());
    };
    EXPECT_THAT(complaint("kind = 'square'"), AllOf(HasSubstr("test.toml:2"), HasSubstr("double_well")));
    EXPECT_THAT(complaint("kind = 'formula'\nv = 'x^'"), HasSubstr("test.toml:3"));
    EXPECT_THAT(complaint("kind = 'formula'\nv = 'x + z'"), HasSubstr("column 5"));
    EXPECT_THAT(complaint("kind = 'formula'\nv = 'x = 3'"), HasSubstr("assigned"));
    EXPECT_THAT(complaint("kind = 'formula'\nv = 'x, y'"), HasSubstr("2 results"));
    EXPECT_THAT(complaint("kind = 'double_well'\nheight = 1\na = 0"), HasSubstr("test.toml:4"));
    EXPECT_THAT(complaint("kind = 'gaussians'\ngaussians = [3]"), HasSubstr("test.toml:3"));
    EXPECT_THAT(complaint("kind = 'gaussians'\ngaussians = [{ height = 1, x = 0, y = 0, width = 1, b = 2 }]"),
                HasSubstr("gaussians[0].b"));
}

TEST(ModelPotential, TakesNoFormulaWithoutALimit) {
    EXPECT_THAT(error_of([] { Formula(std::string(100'000, '(')); }).what(), HasSubstr("too long"));
}

}  // namespace
}  // namespace coromd::engine::model
