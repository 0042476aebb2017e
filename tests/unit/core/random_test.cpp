// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "coromd/core/philox.hpp"

namespace coromd {
namespace {

static_assert(std::uniform_random_bit_generator<RandomStream>);

template <typename Draw>
std::vector<double> sample(int count, Draw draw) {
    std::vector<double> out;
    for (int i = 0; i < count; ++i) out.push_back(draw());
    return out;
}

double mean_power(const std::vector<double>& values, int power) {
    double sum = 0.0;
    for (const double value : values) sum += std::pow(value, power);
    return sum / static_cast<double>(values.size());
}

double correlation_of_normals(RandomStream a, RandomStream b, int count) {
    double sum = 0.0;
    for (int i = 0; i < count; ++i) sum += a.normal() * b.normal();
    return sum / count;
}

TEST(PhiloxTest, PublishedAnswers) {
    // kat_vectors of Random123.
    EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
              (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
              (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStreamTest, GoldenValues) {
    // Campaigns that are resumed rely on them: they must never change.
    RandomStream stream(42, "walkers/003/velocities");
    std::vector<std::uint32_t> numbers;
    for (int i = 0; i < 6; ++i) numbers.push_back(stream());
    EXPECT_EQ(numbers, (std::vector<std::uint32_t>{1687266694, 2748186379, 241936075, 228407752, 6256277,
                                                   1619234156}));

    RandomStream normals(42, "walkers/003/velocities");
    EXPECT_NEAR(normals.normal(), 1.3501286206748055, 1e-14);
    EXPECT_NEAR(normals.normal(), 0.46870961468972855, 1e-14);
    EXPECT_NEAR(normals.normal(), 0.70166116193473371, 1e-14);
}

TEST(RandomStreamTest, SameSeedAndKeyGiveTheSameNumbers) {
    RandomStream a(1, "key");
    RandomStream b(1, "key");
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(a(), b());
}

TEST(RandomStreamTest, SeedAndKeyEachMatter) {
    std::set<std::uint64_t> firsts;
    int streams = 0;
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        for (int key = 0; key < 30; ++key, ++streams) {
            firsts.insert(RandomStream(seed, "walkers/" + std::to_string(key)).next64());
            firsts.insert(RandomStream(~seed, "walkers/" + std::to_string(key)).next64());
        }
    }
    EXPECT_EQ(firsts.size(), static_cast<std::size_t>(2 * streams));
}

TEST(RandomStreamTest, BlocksFollowOneAnother) {
    RandomStream stream(1, "key");
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 10000; ++i) seen.insert(stream.next64());
    EXPECT_EQ(seen.size(), 10000u);
}

TEST(RandomStreamTest, Next64IsLowWordFirst) {
    RandomStream words(1, "key");
    RandomStream pairs(1, "key");
    const std::uint64_t low = words();
    const std::uint64_t high = words();
    EXPECT_EQ(pairs.next64(), high << 32 | low);
}

TEST(RandomStreamTest, UniformMoments) {
    RandomStream stream(7, "uniform");
    const std::vector<double> values = sample(200000, [&] { return stream.uniform(); });
    for (const double value : values) {
        ASSERT_GE(value, 0.0);
        ASSERT_LT(value, 1.0);
    }
    // Within four standard errors.
    EXPECT_NEAR(mean_power(values, 1), 1.0 / 2, 4 * std::sqrt(1.0 / 12 / 200000));
    EXPECT_NEAR(mean_power(values, 2), 1.0 / 3, 4 * std::sqrt(4.0 / 45 / 200000));
}

TEST(RandomStreamTest, NormalMoments) {
    RandomStream stream(7, "normal");
    const std::vector<double> values = sample(200000, [&] { return stream.normal(); });
    // The variance of x^n is (2n-1)!! less the square of its mean; within four standard errors.
    EXPECT_NEAR(mean_power(values, 1), 0.0, 4 * std::sqrt(1.0 / 200000));
    EXPECT_NEAR(mean_power(values, 2), 1.0, 4 * std::sqrt(2.0 / 200000));
    EXPECT_NEAR(mean_power(values, 3), 0.0, 4 * std::sqrt(15.0 / 200000));
    EXPECT_NEAR(mean_power(values, 4), 3.0, 4 * std::sqrt(96.0 / 200000));
}

TEST(RandomStreamTest, StreamsAreUncorrelated) {
    const double tolerance = 4 * std::sqrt(1.0 / 50000);
    const RandomStream stream(7, "walkers/000");
    EXPECT_NEAR(correlation_of_normals(stream, RandomStream(7, "walkers/001"), 50000), 0.0, tolerance);
    EXPECT_NEAR(correlation_of_normals(stream, RandomStream(8, "walkers/000"), 50000), 0.0, tolerance);
    EXPECT_NEAR(correlation_of_normals(stream, stream, 50000), 1.0, 4 * std::sqrt(2.0 / 50000));

    RandomStream shifted = stream;
    shifted.normal();
    EXPECT_NEAR(correlation_of_normals(stream, shifted, 50000), 0.0, tolerance);
}

TEST(RandomStreamTest, CopiesGoOnAlike) {
    RandomStream stream(1, "key");
    stream();
    stream.normal();
    RandomStream copy = stream;
    EXPECT_EQ(stream.normal(), copy.normal());
    EXPECT_EQ(stream(), copy());
}

}  // namespace
}  // namespace coromd
