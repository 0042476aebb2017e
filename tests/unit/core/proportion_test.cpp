// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/proportion.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "coromd/core/error.hpp"
#include "unit/core/fixtures.hpp"

namespace coromd {
namespace {

struct Published {
    std::int64_t successes;
    std::int64_t trials;
    double low;
    double high;
};

class Wilson : public testing::TestWithParam<Published> {};

TEST_P(Wilson, AgreesWithPublishedValues) {
    const Published& published = GetParam();
    const Proportion p = wilson(published.successes, published.trials);
    EXPECT_NEAR(p.low, published.low, 0.00005);
    EXPECT_NEAR(p.high, published.high, 0.00005);
    EXPECT_DOUBLE_EQ(p.estimate,
                     static_cast<double>(published.successes) / static_cast<double>(published.trials));
    EXPECT_EQ(p.successes, published.successes);
    EXPECT_EQ(p.trials, published.trials);
}

// R. G. Newcombe, Statistics in Medicine 17, 857 (1998), table I, method 3 (score without
// continuity correction).
INSTANTIATE_TEST_SUITE_P(Newcombe1998, Wilson,
                         testing::Values(Published{81, 263, 0.2553, 0.3662},
                                         Published{15, 148, 0.0624, 0.1605}, Published{0, 20, 0.0000, 0.1611},
                                         Published{1, 29, 0.0061, 0.1718}));

TEST(WilsonInterval, IsTheSolutionOfItsEquation) {
    // Its ends are where |p - estimate| is z standard errors of p.
    constexpr double kZ = 1.959963984540054;
    for (const std::int64_t n : {1, 2, 7, 100, 100000}) {
        for (const std::int64_t k : {std::int64_t{0}, n / 3, n}) {
            const Proportion w = wilson(k, n);
            for (const double p : {w.low, w.high}) {
                if (p == 0.0 || p == 1.0) continue;
                const double error = std::sqrt(p * (1 - p) / static_cast<double>(n));
                EXPECT_NEAR(std::abs(p - w.estimate) / error, kZ, 1e-6) << k << " of " << n;
            }
        }
    }
}

TEST(WilsonInterval, ReachesTheEndsExactly) {
    for (const std::int64_t n : {1, 3, 10, 1000, 123457}) {
        EXPECT_EQ(wilson(0, n).low, 0.0);
        EXPECT_EQ(wilson(n, n).high, 1.0);
        EXPECT_LT(wilson(0, n).high, 1.0);
        EXPECT_GT(wilson(n, n).low, 0.0);
    }
}

TEST(WilsonInterval, IsSymmetric) {
    const Proportion a = wilson(3, 11);
    const Proportion b = wilson(8, 11);
    EXPECT_NEAR(a.low, 1 - b.high, 1e-14);
    EXPECT_NEAR(a.high, 1 - b.low, 1e-14);
}

TEST(WilsonInterval, WidensWithItsQuantile) {
    EXPECT_LT(wilson(3, 11, 2.58).low, wilson(3, 11, 1.96).low);
    EXPECT_GT(wilson(3, 11, 2.58).high, wilson(3, 11, 1.96).high);
}

TEST(WilsonInterval, OfNothingIsEverything) {
    const Proportion p = wilson(0, 0);
    EXPECT_TRUE(std::isnan(p.estimate));
    EXPECT_EQ(p.low, 0.0);
    EXPECT_EQ(p.high, 1.0);
}

TEST(WilsonInterval, RefusesCountsThatMakeNoSense) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(error_of([] { wilson(-1, 5); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { wilson(6, 5); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { wilson(0, -1); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { wilson(1, 5, 0.0); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { wilson(1, 5, std::nan("")); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { wilson(1, 5, kInfinity); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace coromd
