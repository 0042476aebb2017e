// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/report/axis.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sections/sections.hpp"

namespace coromd::report {
namespace {

using testing::ElementsAre;

std::vector<std::string> labels(const Axis& axis, int most) {
    std::vector<std::string> out;
    for (const Tick& tick : axis.ticks(most)) out.push_back(tick.label);
    return out;
}

TEST(Axis, HasTicksAtRoundNumbers) {
    EXPECT_THAT(labels(Axis("", 0, 10), 5), ElementsAre("0", "2", "4", "6", "8", "10"));
    EXPECT_THAT(labels(Axis("", -0.31, 0.42), 4), ElementsAre("\u22120.2", "0", "0.2", "0.4"));
    EXPECT_THAT(labels(Axis("", 0, 30'000), 3),
                ElementsAre("0", "10\u202f000", "20\u202f000", "30\u202f000"));
}

TEST(Axis, EndsAtTicksWhereItIsRounded) {
    const Axis axis("", 0.03, 0.97, Scale::linear, true);
    EXPECT_EQ(axis.low(), 0.0);
    EXPECT_EQ(axis.high(), 1.0);
    EXPECT_EQ(axis.ticks(2).back().label, "1.0") << "however little room there is";
}

TEST(Axis, CountsInWholeNumbers) {
    EXPECT_THAT(labels(Axis("", 0, 2, Scale::count), 8), ElementsAre("0", "1", "2"));
    EXPECT_THAT(labels(Axis("", 0, 1, Scale::count, true), 8), ElementsAre("0", "1"));
}

TEST(Axis, HasPowersOfTenOnALogarithm) {
    EXPECT_THAT(labels(Axis("", 0.05, 200, Scale::log, true), 8),
                ElementsAre("0.01", "0.1", "1", "10", "100", "1000"));
    const Axis axis("", 1, 100, Scale::log);
    EXPECT_DOUBLE_EQ(axis.fraction(10), 0.5);
    EXPECT_DOUBLE_EQ(axis.value(0.5), 10);
    EXPECT_LT(axis.fraction(0), 0) << "what has no logarithm is outside";
}

TEST(Axis, HasPartsOfPiForAngles) {
    const double pi = std::numbers::pi;
    EXPECT_THAT(labels(Axis("", -pi, pi, Scale::pi), 4),
                ElementsAre("\u2212\u03c0", "\u2212\u03c0/2", "0", "\u03c0/2", "\u03c0"));
    EXPECT_THAT(labels(Axis("", 0, 0.1, Scale::pi), 2), ElementsAre("0", "0.05", "0.10"));
}

TEST(Axis, CanBeDrawnWhateverTheRange) {
    const double inf = std::numeric_limits<double>::infinity();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const Scale scale : {Scale::linear, Scale::count, Scale::log, Scale::pi})
        for (const bool round : {false, true})
            for (const auto& [low, high] :
                 {std::pair(0.0, 0.0), std::pair(5.0, 5.0), std::pair(-3.0, -3.0), std::pair(nan, 1.0),
                  std::pair(-inf, inf), std::pair(2.0, 1.0), std::pair(1e300, 1e300),
                  std::pair(-1e308, 1e308), std::pair(1e-300, 2e-300)}) {
                const Axis axis("", low, high, scale, round);
                EXPECT_LT(axis.low(), axis.high()) << low << ' ' << high;
                EXPECT_TRUE(std::isfinite(axis.fraction(axis.low()))) << low << ' ' << high;
                EXPECT_LT(axis.ticks(5).size(), 30u) << low << ' ' << high;
            }
}

TEST(Axis, PutsTheFirstOfItsNamesOnTop) {
    const Axis axis = Axis::of_names("", {"a", "b"});
    EXPECT_GT(axis.fraction(0), axis.fraction(1));
    EXPECT_THAT(labels(axis, 1), ElementsAre("a", "b"));
}

TEST(NaturalOrder, PutsNumbersByTheirValue) {
    const NaturalOrder before;
    EXPECT_TRUE(before("walkers/999", "walkers/1000"));
    EXPECT_FALSE(before("walkers/1000", "walkers/999"));
    EXPECT_TRUE(before("walkers/009", "walkers/10"));
    EXPECT_TRUE(before("a2b10", "a2b11"));
    EXPECT_TRUE(before("a", "a1"));
    EXPECT_NE(before("01", "1"), before("1", "01")) << "two names are never the same";
    EXPECT_FALSE(before("x7", "x7"));
}

}  // namespace
}  // namespace coromd::report
