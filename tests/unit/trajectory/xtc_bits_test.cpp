// SPDX-License-Identifier: LGPL-3.0-or-later
#include "formats/xtc_bits.hpp"

#include <limits>

#include "testing.hpp"

namespace coromd::trajectory {
namespace {

struct Packed {
    XtcPacking packing;
    std::vector<std::byte> bits;
    std::size_t n_bytes = 0;
};

Packed pack(const std::vector<Vec3f>& positions, float precision) {
    Packed packed;
    packed.packing = pack_xtc(positions, precision, packed.bits);
    packed.n_bytes = packed.bits.size();
    packed.bits.resize(packed.n_bytes + kXtcReadAhead, std::byte{0xa5});
    return packed;
}

XtcUnpacked unpack(const Packed& packed, std::size_t n_atoms, std::size_t n_wanted, float precision,
                   std::vector<Vec3f>& out) {
    out.assign(std::min(n_atoms, n_wanted + static_cast<std::size_t>(kXtcOvershoot)), Vec3f{});
    return unpack_xtc(packed.packing, packed.bits.data(), packed.n_bytes, static_cast<std::int64_t>(n_atoms),
                      static_cast<std::int64_t>(n_wanted), precision, out.data());
}

struct System {
    const char* name;
    float spread;  ///< size of the box
    float precision;
    float step;  ///< distance between neighbours; 0: independent
};

class XtcBits : public testing::TestWithParam<System> {};

TEST_P(XtcBits, GivesBackWhatWasRounded) {
    const System& system = GetParam();
    RandomStream random(3, system.name);
    for (const std::size_t n_atoms : {1U, 2U, 3U, 10U, 11U, 50U, 333U, 2000U}) {
        std::vector<Vec3f> positions;
        Vec3f p;
        for (std::size_t i = 0; i < n_atoms; ++i) {
            const auto uniform = [&] { return system.spread * static_cast<float>(random.uniform() - 0.5); };
            const auto shift = [&] { return system.step * static_cast<float>(random.normal()); };
            if (i % 17 == 0 || system.step == 0.0F) p = {uniform(), uniform(), uniform()};
            p = {p.x + shift(), p.y + shift(), p.z + shift()};
            positions.push_back(p);
        }
        const Packed packed = pack(positions, system.precision);
        std::vector<Vec3f> decoded;
        ASSERT_EQ(unpack(packed, n_atoms, n_atoms, system.precision, decoded), XtcUnpacked::done);
        // Half a step of the rounding, and the precision of floats of that size.
        const float allowed = 0.5001F / system.precision + system.spread * 2e-7F;
        EXPECT_LE(largest_difference(positions, decoded), allowed) << n_atoms << " atoms";
    }
}

INSTANTIATE_TEST_SUITE_P(
    Systems, XtcBits,
    testing::Values(System{"Water", 3.0F, 1000.0F, 0.06F}, System{"Independent", 3.0F, 1000.0F, 0.0F},
                    System{"Chain", 30.0F, 1000.0F, 0.15F}, System{"Dense", 0.05F, 1000.0F, 0.002F},
                    System{"OnePoint", 0.0F, 1000.0F, 0.0F}, System{"FinePrecision", 5.0F, 100000.0F, 0.1F},
                    // The product of the sizes has more than 56 bits, and then more than 64.
                    System{"Wide", 500.0F, 1000.0F, 0.5F}, System{"Wider", 12000.0F, 1000.0F, 3.0F},
                    // A size has more than 24 bits.
                    System{"Separate", 100000.0F, 1000.0F, 0.1F},
                    System{"SeparateFarApart", 1000000.0F, 1000.0F, 0.0F}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(XtcBitsPartly, FirstAtomsAreThoseOfTheWhole) {
    const Frame frame = water_like_frame(200, 0);
    const Packed packed = pack(frame.positions, 1000.0F);
    std::vector<Vec3f> whole;
    ASSERT_EQ(unpack(packed, 200, 200, 1000.0F, whole), XtcUnpacked::done);
    for (std::size_t n = 0; n <= 200; ++n) {
        std::vector<Vec3f> part;
        ASSERT_EQ(unpack(packed, 200, n, 1000.0F, part), XtcUnpacked::done);
        part.resize(n);
        EXPECT_EQ(part, std::vector<Vec3f>(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)));
    }
}

TEST(XtcBitsCorrupt, EveryCutIsNoticed) {
    const Frame frame = water_like_frame(100, 0);
    const Packed whole = pack(frame.positions, 1000.0F);
    for (std::size_t n = 0; n < whole.n_bytes; ++n) {
        Packed cut = whole;
        cut.n_bytes = n;
        std::fill(cut.bits.begin() + static_cast<std::ptrdiff_t>(n), cut.bits.end(), std::byte{0});
        std::vector<Vec3f> out;
        EXPECT_EQ(unpack(cut, 100, 100, 1000.0F, out), XtcUnpacked::ran_out) << n;
    }
}

TEST(XtcBitsCorrupt, RandomBitsDoNoHarm) {
    RandomStream random(5, "noise");
    for (int round = 0; round < 2000; ++round) {
        Packed noise;
        noise.packing.maximum = {static_cast<std::int32_t>(random() >> (random() % 31 + 1)), 1000, 3};
        noise.packing.small_index = 9 + static_cast<std::int32_t>(random() % 64);
        noise.n_bytes = random() % 400;
        for (std::size_t i = 0; i < noise.n_bytes + kXtcReadAhead; ++i) {
            noise.bits.push_back(static_cast<std::byte>(random()));
        }
        std::vector<Vec3f> out;
        const std::size_t n_atoms = 10 + random() % 200;
        unpack(noise, n_atoms, random() % n_atoms, 1000.0F, out);
    }
}

TEST(XtcBitsCorrupt, RunBeyondTheLastAtomIsRefused) {
    // All at one place: ten groups of nine atoms.
    const Packed packed = pack(std::vector<Vec3f>(90), 1000.0F);
    std::vector<Vec3f> out;
    EXPECT_EQ(unpack(packed, 90, 90, 1000.0F, out), XtcUnpacked::done);
    EXPECT_EQ(unpack(packed, 89, 89, 1000.0F, out), XtcUnpacked::corrupt);
}

TEST(XtcBitsPlausible, KnowsWhatNoWriterWrites) {
    XtcPacking packing;
    packing.small_index = 9;
    EXPECT_TRUE(packing.plausible());
    packing.small_index = 8;
    EXPECT_FALSE(packing.plausible());
    packing.small_index = 73;
    EXPECT_FALSE(packing.plausible());
    packing.small_index = 72;
    EXPECT_TRUE(packing.plausible());
    packing.minimum[1] = 1;
    EXPECT_FALSE(packing.plausible());
    packing.minimum[1] = std::numeric_limits<std::int32_t>::min();
    EXPECT_FALSE(packing.plausible());
}

TEST(XtcBitsPack, RefusesWhatDoesNotFit) {
    std::vector<std::byte> out;
    for (const float bad : {NAN, INFINITY, -INFINITY, 3e6F, -3e6F}) {
        std::vector<Vec3f> positions(12);
        positions[4].y = bad;
        const Error error = error_of([&] { pack_xtc(positions, 1000.0F, out); });
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.what(), testing::HasSubstr("atom 5"));
    }
    std::vector<Vec3f> far_apart(12);
    far_apart[0].x = 2.1e6F;
    far_apart[1].x = -2.1e6F;
    EXPECT_THAT(error_of([&] { pack_xtc(far_apart, 1000.0F, out); }).what(),
                testing::HasSubstr("too far apart"));
}

}  // namespace
}  // namespace coromd::trajectory
