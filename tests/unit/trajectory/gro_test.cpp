// SPDX-License-Identifier: LGPL-3.0-or-later
#include "testing.hpp"

namespace coromd::trajectory {
namespace {

class Gro : public testing::Test {
protected:
    Trajectory file(const std::string& text) {
        write_bytes(folder_ / "a.gro", text);
        return Trajectory(folder_ / "a.gro", folder_ / "a.gro");
    }

    TemporaryFolder folder_;
};

TEST_F(Gro, ReadsPositionsVelocitiesAndBox) {
    const Trajectory gro = file(
        "water, t= 12.50000 step= 6250\n"
        "    2\n"
        "    1SOL     OW    1   0.100  -0.200   1.300  0.1000 -0.2000  0.3000\n"
        "99999SOL    HW199999   0.111   0.222   0.333  0.4000  0.5000 -0.6000\n"
        "   3.00000   3.10000   3.20000   0.10000   0.20000   0.30000   0.40000   0.50000   0.60000\n");
    ASSERT_EQ(gro.n_frames(), 1);
    const Frame frame = gro.frame(0);
    EXPECT_EQ(frame.step, 6250);
    EXPECT_DOUBLE_EQ(frame.time_ps, 12.5);
    EXPECT_EQ(frame.positions[0], (Vec3f{0.1F, -0.2F, 1.3F}));
    EXPECT_EQ(frame.velocities[1], (Vec3f{0.4F, 0.5F, -0.6F}));
    // In the file: ax by cz ay az bx bz cx cy.
    EXPECT_EQ(frame.box, (Box{{3.0F, 0.1F, 0.2F}, {0.3F, 3.1F, 0.4F}, {0.5F, 0.6F, 3.2F}}));
    EXPECT_EQ(frame.precision, 1000.0F);
    const auto topology = gro.topology();
    EXPECT_EQ(topology->atoms()[1].name, "HW1");
    EXPECT_EQ(topology->atoms()[1].resname, "SOL");
    EXPECT_EQ(topology->atoms()[1].resid, 99999);
    EXPECT_FALSE(topology->has_masses());
}

TEST_F(Gro, AnyNumberOfDecimalsAndWindowsLineEnds) {
    const Frame frame =
        file(
            "precise\r\n"
            "1\r\n"
            "    1ALA     CA    1   0.123456   1.234567  -2.345678  0.1234567  0.2345678 -0.3456789\r\n"
            " 1 2 3\r\n")
            .frame(0);
    EXPECT_EQ(frame.positions[0], (Vec3f{0.123456F, 1.234567F, -2.345678F}));
    EXPECT_EQ(frame.velocities.size(), 1U);
    EXPECT_EQ(frame.precision, 1e6F);
    EXPECT_TRUE(std::isnan(frame.time_ps));
    EXPECT_EQ(frame.step, 0);
}

TEST_F(Gro, TouchingColumnsAreTakenApart) {
    const Frame frame = file("x\n1\n    1ALA     CA    1-100.123-200.234-300.345\n 1 2 3\n").frame(0);
    EXPECT_EQ(frame.positions[0], (Vec3f{-100.123F, -200.234F, -300.345F}));
    EXPECT_FALSE(frame.has_velocities());
}

TEST_F(Gro, TitleWordsThatOnlyLookLikeATime) {
    EXPECT_TRUE(std::isnan(
        file("dt=5 first\n1\n    1ALA     CA    1   0.100   0.200   0.300\n 1 2 3\n").frame(0).time_ps));
    const Frame frame =
        file("t= 1, then t= 7.5 step= 30\n1\n    1ALA     CA    1   0.100   0.200   0.300\n 1 2 3\n")
            .frame(0);
    EXPECT_DOUBLE_EQ(frame.time_ps, 7.5);
    EXPECT_EQ(frame.step, 30);
}

TEST_F(Gro, SeveralFramesAreATrajectory) {
    const Trajectory written = write_trajectory(folder_ / "b.gro", 4);
    ASSERT_EQ(written.n_frames(), 4);
    EXPECT_EQ(steps_of(written), (std::vector<std::int64_t>{0, 10, 20, 30}));
    const Frame original = with_velocities(water_like_frame(12, 20));
    const Frame read = written.frame(2);
    EXPECT_LT(largest_difference(read.positions, original.positions), 0.000501F);
    EXPECT_LT(largest_difference(read.velocities, original.velocities), 0.0000501F);
    EXPECT_EQ(read.box, original.box);
}

TEST_F(Gro, WritesAsManyDecimalsAsThePrecisionNeeds) {
    Frame frame = water_like_frame(6, 0);
    frame.precision = 1e6F;
    frame.box.c = {1.5F, 1.25F, 2.0F};
    write_frame(folder_ / "a.gro", frame, {.overwrite = false, .topology = water_topology(6)});
    const Frame read = Trajectory(folder_ / "a.gro", "").frame(0);
    EXPECT_LT(largest_difference(read.positions, frame.positions), 6e-7F);
    EXPECT_EQ(read.box, frame.box);
    EXPECT_EQ(read.precision, 1e6F);
}

TEST_F(Gro, NumbersWrapAndLongNamesAreCut) {
    std::vector<Atom> atoms(1);
    atoms[0].name = "LONGNAME";
    atoms[0].resname = "LONGRES";
    atoms[0].resid = 123456;
    Frame frame;
    frame.positions.resize(1);
    write_frame(folder_ / "a.gro", frame,
                {.overwrite = false, .topology = std::make_shared<Topology>(atoms)});
    EXPECT_THAT(read_bytes(folder_ / "a.gro"),
                testing::HasSubstr("\n23456LONGRLONGN    1   0.000   0.000   0.000\n"));
}

TEST_F(Gro, WritingNeedsATopologyThatFits) {
    EXPECT_THAT(error_of([&] { write_frame(folder_ / "a.gro", water_like_frame(6, 0)); }).what(),
                testing::HasSubstr("topology"));
    EXPECT_THAT(error_of([&] {
                    write_frame(folder_ / "a.gro", water_like_frame(6, 0),
                                {.overwrite = false, .topology = water_topology(3)});
                }).what(),
                testing::HasSubstr("6 positions, the topology 3"));
    Frame far = water_like_frame(3, 0);
    far.positions[1].x = 123456.0F;
    EXPECT_THAT(error_of([&] {
                    write_frame(folder_ / "a.gro", far, {.overwrite = false, .topology = water_topology(3)});
                }).what(),
                testing::HasSubstr("does not fit"));
}

TEST_F(Gro, LastNewlineMayBeMissing) {
    EXPECT_EQ(
        file("x\n1\n    1ALA     CA    1   0.100   0.200   0.300\n   1.00000   2.00000   3.00000").n_frames(),
        1);
    // Cut off: the third number has fewer decimals.
    EXPECT_EQ(
        file("x\n1\n    1ALA     CA    1   0.100   0.200   0.300\n   1.00000   2.00000   3.00").n_frames(),
        0);
}

TEST_F(Gro, WrongContentIsNamedWithItsByte) {
    struct Case {
        const char* text;
        const char* message;
    };
    for (const Case& c :
         {Case{"x\nmany\n", "byte 2: the number of atoms"}, Case{"x\n-4\n", "byte 2: the number of atoms"},
          Case{"x\n99999999999\n", "the number of atoms"},
          Case{"x\n1\n    1ALA     CA    1   0.1\n 1 2 3\n", "byte 4: three coordinates"},
          Case{"x\n1\n    1ALA     CA    1   0.100   0.2a0   0.300\n 1 2 3\n", "columns 29 to 36"},
          Case{"x\n1\n    1ALA     CA    1   0.100   0.200\n 1 2 3\n", "a number is expected"},
          Case{"x\n1\n    1ALA     CA    1   0.100     nan   0.300\n 1 2 3\n", "is expected"},
          Case{"x\n1\n    1ALA     CA    1   0.100   0.200     inf\n 1 2 3\n", "a number is expected"},
          Case{"x\n1\n    1ALA     CA    1   0.100   0.200   0.300\n 1 2\n", "3 or 9 numbers"},
          Case{"x\n1\n    1ALA     CA    1   0.100   0.200   0.300\n 1 2 z\n", "'z' in the box"}}) {
        const Error error = error_of([&] { file(c.text).frame(0); });
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.what(), testing::HasSubstr(c.message));
    }
}

TEST_F(Gro, BrokenStructureFilesAreErrors) {
    for (const char* text : {"", "x\n", "x\n2\n    1ALA     CA    1   0.100   0.200   0.300\n",
                             "x\n1\nshort\n", "x\n1\n    oALA     CA    1   0.100   0.200   0.300\n"}) {
        EXPECT_EQ(error_of([&] { file(text).topology(); }).kind(), ErrorKind::input) << text;
    }
}

}  // namespace
}  // namespace coromd::trajectory
