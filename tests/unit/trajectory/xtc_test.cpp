// SPDX-License-Identifier: LGPL-3.0-or-later
#include "testing.hpp"

namespace coromd::trajectory {
namespace {

void put_int32(std::string& bytes, std::size_t offset, std::int32_t value) {
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[offset + i] = static_cast<char>(static_cast<std::uint32_t>(value) >> (24 - 8 * i));
    }
}

class Xtc : public testing::Test {
protected:
    /// The error of indexing and reading a file with these bytes.
    Error error_with(const std::string& bytes) {
        write_bytes(folder_ / "bad.xtc", bytes);
        return error_of([&] {
            const Trajectory trajectory(folder_ / "bad.xtc", "");
            for (std::int64_t i = 0; i < trajectory.n_frames(); ++i) trajectory.frame(i);
        });
    }

    TemporaryFolder folder_;
};

TEST_F(Xtc, ReadsWhatGromacsWrote) {
    const Trajectory xtc(golden("golden.xtc"), "");
    const Trajectory gro(golden("golden.gro"), "");
    ASSERT_EQ(xtc.n_frames(), 3);
    EXPECT_EQ(xtc.n_atoms(), 31);
    EXPECT_EQ(steps_of(xtc), (std::vector<std::int64_t>{0, 1250, 2500}));
    EXPECT_DOUBLE_EQ(xtc.dt_ps(), 2.5);
    for (std::int64_t i = 0; i < 3; ++i) {
        const Frame frame = xtc.frame(i);
        EXPECT_LT(largest_difference(frame.positions, gro.frame(i).positions), 1e-6F);
        EXPECT_EQ(frame.box, gro.frame(i).box);
        EXPECT_EQ(frame.precision, 1000.0F);
        EXPECT_FALSE(frame.has_velocities());
    }
}

TEST_F(Xtc, ReadsEverySizeOfTheTableAsGromacsDoes) {
    // Each frame is larger than the one before; wide.trr is what GROMACS made of wide.xtc.
    const Trajectory xtc(golden("wide.xtc"), "");
    const Trajectory trr(golden("wide.trr"), "");
    ASSERT_EQ(xtc.n_frames(), 40);
    for (std::int64_t i = 0; i < 40; ++i) EXPECT_EQ(xtc.frame(i).positions, trr.frame(i).positions) << i;
}

TEST_F(Xtc, WritesTheSameBytesAsGromacs) {
    FrameWriter writer(folder_ / "copy.xtc");
    Trajectory(golden("golden.xtc"), "").for_each_frame({}, [&](const Frame& frame) { writer.write(frame); });
    writer.close();
    EXPECT_EQ(read_bytes(folder_ / "copy.xtc"), read_bytes(golden("golden.xtc")));
}

TEST_F(Xtc, RoundTripsForAllSmallSizes) {
    for (std::size_t n_atoms = 1; n_atoms <= 30; ++n_atoms) {
        const Frame frame = water_like_frame(n_atoms, 77);
        write_frame(folder_ / "a.xtc", frame, {.overwrite = true, .topology = nullptr});
        const Frame read = Trajectory(folder_ / "a.xtc", "").frame(0);
        EXPECT_LT(largest_difference(frame.positions, read.positions), n_atoms <= 9 ? 1e-9F : 0.000501F);
        EXPECT_EQ(read.step, 77);
        EXPECT_FLOAT_EQ(static_cast<float>(read.time_ps), 0.154F);
        EXPECT_EQ(read.box, frame.box);
    }
}

TEST_F(Xtc, KeepsThePrecisionOfTheFrame) {
    Frame frame = water_like_frame(20, 0);
    frame.precision = 10000.0F;
    write_frame(folder_ / "a.xtc", frame);
    const Frame read = Trajectory(folder_ / "a.xtc", "").frame(0);
    EXPECT_EQ(read.precision, 10000.0F);
    EXPECT_LT(largest_difference(frame.positions, read.positions), 0.0000501F);
}

TEST_F(Xtc, FewAtomsAreDecodedWithoutTheRest) {
    // More bytes than are read at first for a few atoms.
    const Frame frame = water_like_frame(3000, 0);
    write_frame(folder_ / "a.xtc", frame);
    TrajectoryReader reader = Trajectory(folder_ / "a.xtc", "").reader();
    Frame whole;
    reader.read(0, whole);
    for (const std::int64_t n : {0, 1, 2, 15, 500, 1499, 2999, 3000, 5000}) {
        Frame part;
        reader.read(0, part, {.atoms = n});
        const auto size = static_cast<std::size_t>(std::min<std::int64_t>(n, 3000));
        ASSERT_EQ(part.positions.size(), size);
        EXPECT_TRUE(std::equal(part.positions.begin(), part.positions.end(), whole.positions.begin()));
    }
}

TEST_F(Xtc, FewAtomsThatTakeMoreThanTheirShareAreDecodedToo) {
    // Large jumps first, then thousands of atoms at one place: the estimate is too small.
    Frame frame = water_like_frame(6000, 0);
    for (std::size_t i = 0; i < frame.positions.size(); ++i) {
        frame.positions[i] =
            i < 300 ? Vec3f{static_cast<float>(i % 7) * 900.0F, static_cast<float>(i % 11) * 900.0F,
                            static_cast<float>(i % 13) * 900.0F}
                    : Vec3f{1.0F, 1.0F, 1.0F};
    }
    write_frame(folder_ / "a.xtc", frame);
    TrajectoryReader reader = Trajectory(folder_ / "a.xtc", "").reader();
    Frame part;
    reader.read(0, part, {.atoms = 300});
    frame.positions.resize(300);
    EXPECT_LT(largest_difference(part.positions, frame.positions), 0.001F);
}

TEST_F(Xtc, LongMagicHasAnEightByteLength) {
    write_frame(folder_ / "a.xtc", water_like_frame(30, 5));
    std::string bytes = read_bytes(folder_ / "a.xtc");
    put_int32(bytes, 0, 2023);
    bytes.insert(88, 4, '\0');
    write_bytes(folder_ / "b.xtc", bytes);
    EXPECT_EQ(Trajectory(folder_ / "b.xtc", "").frame(0).positions,
              Trajectory(folder_ / "a.xtc", "").frame(0).positions);
}

TEST_F(Xtc, CorruptHeadersAreNamedWithTheirByte) {
    write_trajectory(folder_ / "a.xtc", 3, 0, 10, 30);
    const std::string good = read_bytes(folder_ / "a.xtc");
    FrameIndex index(folder_ / "a.xtc");
    index.refresh();
    const auto second = static_cast<std::size_t>(index.at(1).offset);
    struct Case {
        std::size_t offset;
        std::int32_t value;
        const char* text;
    };
    for (const Case& c :
         {Case{0, 1994, "begin with 1995"}, Case{4, 31, "number of atoms"}, Case{4, -30, "number of atoms"},
          Case{12, 0x7fc00000, "time"}, Case{56, static_cast<std::int32_t>(0xbf800000), "precision"},
          Case{60, 2000000000, "range"}, Case{72, -2000000000, "range"}, Case{84, 100, "range"},
          Case{84, -1, "range"}, Case{88, -8, "bytes"}, Case{88, 2000000000, "bytes"},
          Case{88, 1, "bytes"}}) {
        std::string bad = good;
        put_int32(bad, second + c.offset, c.value);
        const Error error = error_with(bad);
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.what(), testing::HasSubstr("bad.xtc"));
        EXPECT_THAT(error.what(), testing::HasSubstr("byte " + std::to_string(second)));
        EXPECT_THAT(error.what(), testing::HasSubstr(c.text));
    }
}

TEST_F(Xtc, AbsurdNumberOfAtomsAllocatesNothing) {
    write_frame(folder_ / "a.xtc", water_like_frame(30, 5));
    std::string bytes = read_bytes(folder_ / "a.xtc");
    for (const std::size_t offset : {4U, 52U}) put_int32(bytes, offset, 2147483647);
    EXPECT_THAT(error_with(bytes).what(), testing::HasSubstr("cannot be in"));
}

TEST_F(Xtc, RefusesAFrameWithoutPositions) {
    Frame frame;
    frame.velocities.resize(3);
    EXPECT_EQ(error_of([&] { write_frame(folder_ / "a.xtc", frame); }).kind(), ErrorKind::usage);
    EXPECT_TRUE(folder_.names().empty());
}

}  // namespace
}  // namespace coromd::trajectory
