// SPDX-License-Identifier: LGPL-3.0-or-later
#include "model/noise.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

namespace coromd::engine::model {
namespace {

std::vector<double> noise(std::uint64_t seed, std::uint32_t particle, std::int64_t first, int components,
                          std::size_t count) {
    std::vector<double> out(count);
    fill_noise(seed, particle, first, components, out);
    return out;
}

constexpr std::size_t kMany = 4'000'000;

double cumulative(double x) {
    return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

TEST(ModelNoise, HasTheMomentsOfTheNormalDistribution) {
    double sum = 0.0, second = 0.0, third = 0.0, fourth = 0.0;
    for (const double x : noise(1, 0, 0, 2, kMany)) {
        sum += x;
        second += x * x;
        third += x * x * x;
        fourth += x * x * x * x;
    }
    const double n = kMany;
    // Four standard deviations of each mean.
    EXPECT_NEAR(sum / n, 0.0, 4.0 * std::sqrt(1.0 / n));
    EXPECT_NEAR(second / n, 1.0, 4.0 * std::sqrt(2.0 / n));
    EXPECT_NEAR(third / n, 0.0, 4.0 * std::sqrt(15.0 / n));
    EXPECT_NEAR(fourth / n, 3.0, 4.0 * std::sqrt(96.0 / n));
}

// Bins of a tenth up to the tail, which begins at 3.654 and has bins of its own.
TEST(ModelNoise, FillsEveryBinAsItShould) {
    std::vector<double> edges;
    for (int i = -36; i <= 36; ++i) edges.push_back(0.1 * i);
    for (const double edge : {3.7, 3.9, 4.2}) {
        edges.push_back(edge);
        edges.insert(edges.begin(), -edge);
    }
    std::vector<double> counts(edges.size() + 1);
    for (const double x : noise(2, 7, 1'000, 2, kMany))
        ++counts[static_cast<std::size_t>(std::ranges::upper_bound(edges, x) - edges.begin())];
    double chi_square = 0.0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const double low = i == 0 ? 0.0 : cumulative(edges[i - 1]);
        const double high = i == edges.size() ? 1.0 : cumulative(edges[i]);
        const double expected = kMany * (high - low);
        chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    const auto freedom = static_cast<double>(counts.size() - 1);
    EXPECT_LT(chi_square, freedom + 4.0 * std::sqrt(2.0 * freedom));
}

TEST(ModelNoise, IsAFunctionOfTheStep) {
    for (const int components : {1, 2}) {
        const std::vector<double> all = noise(3, 5, 100, components, 600);
        for (const std::int64_t skipped : {1, 17, 256}) {
            const auto offset = static_cast<std::size_t>(skipped * components);
            EXPECT_EQ(noise(3, 5, 100 + skipped, components, 600 - offset),
                      std::vector(all.begin() + static_cast<std::ptrdiff_t>(offset), all.end()));
        }
    }
}

TEST(ModelNoise, OfOneComponentIsThatOfTwo) {
    const std::vector<double> one = noise(3, 5, 0, 1, 500);
    const std::vector<double> two = noise(3, 5, 0, 2, 1000);
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i], two[2 * i]);
}

TEST(ModelNoise, OfSeedsParticlesStepsAndComponentsIsUncorrelated) {
    constexpr std::size_t kSteps = 1'000'000;
    const std::vector<double> base = noise(4, 0, 0, 2, 2 * kSteps);
    const std::vector<double> other_seed = noise(5, 0, 0, 2, 2 * kSteps);
    const std::vector<double> other_particle = noise(4, 1, 0, 2, 2 * kSteps);
    const std::vector<double> far_away = noise(4, 0, std::int64_t{1} << 32, 2, 2 * kSteps);
    std::array<double, 5> products{};
    for (std::size_t i = 0; i + 2 < base.size(); ++i) {
        products[0] += base[i] * other_seed[i];
        products[1] += base[i] * other_particle[i];
        products[2] += base[i] * far_away[i];
        products[3] += base[i] * base[i + 1];
        products[4] += base[i] * base[i + 2];
    }
    for (const double product : products) EXPECT_LT(std::abs(product) / std::sqrt(2.0 * kSteps), 4.0);
}

}  // namespace
}  // namespace coromd::engine::model
