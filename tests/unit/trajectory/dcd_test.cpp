// SPDX-License-Identifier: LGPL-3.0-or-later
#include <array>
#include <cstring>
#include <limits>

#include "big_endian.hpp"
#include "made_dcd.hpp"
#include "testing.hpp"

namespace coromd::trajectory {
namespace {

constexpr double kAkma = 0.04888821;

using Made = MadeDcd;

class Dcd : public testing::Test {
protected:
    Trajectory read(const Made& made) { return read(made.bytes()); }
    Trajectory read(const std::string& bytes) {
        write_bytes(folder_ / "a.dcd", bytes);
        return Trajectory(folder_ / "a.dcd", "");
    }
    void expect_positions(const Made& made, const Trajectory& trajectory) {
        ASSERT_EQ(trajectory.n_frames(), made.n_frames);
        for (int f = made.n_frames - 1; f >= 0; --f) {
            const Frame frame = trajectory.frame(f);
            ASSERT_EQ(frame.n_atoms(), made.n_atoms);
            for (std::int32_t atom = 0; atom < made.n_atoms; ++atom) {
                const bool fixed =
                    !made.free_atoms.empty() && std::ranges::count(made.free_atoms, atom + 1) == 0;
                const int from = fixed ? 0 : f;
                const Vec3f& p = frame.positions[static_cast<std::size_t>(atom)];
                EXPECT_FLOAT_EQ(p.x, made.coordinate(from, atom, 0) / 10) << f << ' ' << atom;
                EXPECT_FLOAT_EQ(p.y, made.coordinate(from, atom, 1) / 10) << f << ' ' << atom;
                EXPECT_FLOAT_EQ(p.z, made.coordinate(from, atom, 2) / 10) << f << ' ' << atom;
            }
        }
    }
    void expect_corrupt(const std::string& bytes, const std::string& message) {
        write_bytes(folder_ / "bad.dcd", bytes);
        const Error error = error_of([&] {
            const Trajectory trajectory(folder_ / "bad.dcd", "");
            for (std::int64_t i = 0; i < trajectory.n_frames(); ++i) trajectory.frame(i);
        });
        EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
        EXPECT_THAT(error.what(), testing::HasSubstr(message));
        EXPECT_THAT(error.what(), testing::HasSubstr("at byte "));
    }

    TemporaryFolder folder_;
};

TEST_F(Dcd, ReadsWhatProgramsWrite) {
    for (const bool big_endian : {false, true}) {
        for (const bool xplor : {false, true}) {
            for (const bool four_dimensions : {false, true}) {
                Made made;
                made.big_endian = big_endian;
                made.xplor = xplor;
                made.four_dimensions = four_dimensions && !xplor;
                made.n_titles = xplor ? 0 : 7;
                made.n_frames_said = 0;
                if (!xplor) made.cell = {30.0, 0.0, 40.0, 0.0, 0.0, 50.0};
                const Trajectory trajectory = read(made);
                expect_positions(made, trajectory);
                EXPECT_EQ(steps_of(trajectory), (std::vector<std::int64_t>{100, 150}));
                EXPECT_NEAR(trajectory.time_ps(1), 150 * 2.0 * kAkma, 1e-6);
                const Box box = trajectory.frame(1).box;
                EXPECT_EQ(box, xplor ? Box{} : (Box{{3, 0, 0}, {0, 4, 0}, {0, 0, 5}}));
            }
        }
    }
}

TEST_F(Dcd, FixedAtomsStayWhereTheFirstFrameHasThem) {
    for (const bool big_endian : {false, true}) {
        Made made;
        made.big_endian = big_endian;
        made.n_frames = 4;
        made.free_atoms = {2, 3, 5};
        made.cell = {30.0, 90.0, 40.0, 90.0, 90.0, 50.0};
        const Trajectory trajectory = read(made);
        expect_positions(made, trajectory);
        // A codec that begins with a later frame, of which it needs a part.
        const Frame part = trajectory.frame(2, {.atoms = 3, .velocities = false, .forces = false});
        ASSERT_EQ(part.n_atoms(), 3);
        EXPECT_FLOAT_EQ(part.positions[0].x, made.coordinate(0, 0, 0) / 10);
        EXPECT_FLOAT_EQ(part.positions[2].z, made.coordinate(2, 2, 2) / 10);
    }
}

TEST_F(Dcd, CellsOfDegreesAndOfCosines) {
    Made made;
    const double half = 0.5;
    // A, gamma, B, beta, alpha, C of the same cell.
    for (const std::vector<double>& cell : {std::vector<double>{40, half, 40, -half, 0.0, 50},
                                            std::vector<double>{40, 60.0, 40, 120.0, 90.0, 50}}) {
        made.cell = cell;
        const Box box = read(made).frame(0).box;
        EXPECT_EQ(box.a, (Vec3f{4, 0, 0}));
        EXPECT_NEAR(box.b.x, 2.0F, 1e-6F);
        EXPECT_NEAR(box.b.y, 2.0F * std::sqrt(3.0F), 1e-6F);
        EXPECT_NEAR(box.c.x, -2.5F, 1e-6F);
        EXPECT_NEAR(box.c.y, 2.5F / std::sqrt(3.0F), 1e-6F);
        EXPECT_NEAR(box.c.z, 5.0F * std::sqrt(1.0F - 0.25F - 0.25F / 3.0F), 1e-6F);
    }
}

TEST_F(Dcd, RoundTrip) {
    for (const bool triclinic : {false, true}) {
        FrameWriter writer(folder_ / "a.dcd", {.overwrite = true, .topology = nullptr});
        std::vector<Frame> frames;
        for (int i = 0; i < 5; ++i) {
            Frame frame = water_like_frame(31, 5000 + 250 * i);
            if (triclinic) frame.box = {{4, 0, 0}, {-1.25F, 3.5F, 0}, {0.75F, 1.5F, 2.5F + 0.01F * i}};
            writer.write(frame);
            frames.push_back(frame);
        }
        writer.close();
        const std::string bytes = read_bytes(folder_ / "a.dcd");
        std::int32_t n_said = 0;
        std::memcpy(&n_said, bytes.data() + 8, sizeof n_said);
        EXPECT_EQ(n_said, 5);
        const Trajectory trajectory(folder_ / "a.dcd", "");
        ASSERT_EQ(trajectory.n_frames(), 5);
        for (std::size_t i = 0; i < frames.size(); ++i) {
            const Frame frame = trajectory.frame(static_cast<std::int64_t>(i));
            EXPECT_EQ(frame.step, frames[i].step);
            EXPECT_NEAR(frame.time_ps, frames[i].time_ps, 1e-5);
            EXPECT_LT(largest_difference(frame.positions, frames[i].positions), 1e-6F);
            const std::vector<Vec3f> box{frame.box.a, frame.box.b, frame.box.c};
            const Box& expected = frames[i].box;
            EXPECT_LT(largest_difference(box, {expected.a, expected.b, expected.c}), 1e-6F);
        }
    }
}

TEST_F(Dcd, FramesOfOneStepAreCounted) {
    FrameWriter writer(folder_ / "a.dcd");
    for (int i = 0; i < 3; ++i) writer.write(water_like_frame(6, 7));
    writer.close();
    EXPECT_EQ(steps_of(Trajectory(folder_ / "a.dcd", "")), (std::vector<std::int64_t>{7, 8, 9}));
}

TEST_F(Dcd, RefusesWhatItCannotHold) {
    Frame frame = water_like_frame(6, 7);
    {
        FrameWriter writer(folder_ / "a.dcd");
        writer.write(frame);
        Frame open = frame;
        open.box = {};
        const Error error = error_of([&] { writer.write(open); });
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.what(), testing::HasSubstr("unit cell in all frames or in none"));
    }
    frame.step = std::int64_t{1} << 31;
    EXPECT_EQ(error_of([&] { write_frame(folder_ / "a.dcd", frame); }).kind(), ErrorKind::usage);
    frame.positions.clear();
    frame.velocities.resize(6);
    EXPECT_EQ(error_of([&] { write_frame(folder_ / "a.dcd", frame); }).kind(), ErrorKind::usage);
}

TEST_F(Dcd, ReadsOnlyTheAtomsThatAreNeeded) {
    const Made made;
    const Frame part = read(made).frame(1, {.atoms = 2, .velocities = true, .forces = true});
    ASSERT_EQ(part.n_atoms(), 2);
    EXPECT_FLOAT_EQ(part.positions[1].z, made.coordinate(1, 1, 2) / 10);
}

TEST_F(Dcd, CutOffAnywhereItHasWholeFramesOnly) {
    Made made;
    made.n_frames = 3;
    made.free_atoms = {1, 4};
    made.cell = {30.0, 90.0, 40.0, 90.0, 90.0, 50.0};
    const std::string bytes = made.bytes();
    write_bytes(folder_ / "whole.dcd", bytes);
    FrameIndex whole(folder_ / "whole.dcd");
    ASSERT_EQ(whole.refresh(), 3);
    ASSERT_EQ(whole.end_offset(), static_cast<std::int64_t>(bytes.size()));
    write_bytes(folder_ / "growing.dcd", "");
    FrameIndex growing(folder_ / "growing.dcd");
    for (std::size_t n = 0; n <= bytes.size(); ++n) {
        std::int64_t complete = 0;
        for (const FrameHeader& f : whole.frames()) {
            complete += f.offset + f.size <= static_cast<std::int64_t>(n) ? 1 : 0;
        }
        ASSERT_EQ(read(bytes.substr(0, n)).n_frames(), complete) << n;
        // The end is there, but not its content.
        ASSERT_LE(read(bytes.substr(0, n) + std::string(bytes.size() - n, '\0')).n_frames(), 3) << n;
        write_bytes(folder_ / "growing.dcd", bytes.substr(0, n));
        growing.refresh();
        ASSERT_EQ(growing.size(), complete) << n;
    }
}

TEST_F(Dcd, CorruptFilesAreErrors) {
    Made made;
    made.cell = {30.0, 90.0, 40.0, 90.0, 90.0, 50.0};
    const std::string good = made.bytes();
    ASSERT_EQ(read(good).n_frames(), 2);
    const auto with = [&](std::size_t offset, std::int32_t value) {
        std::string bad = good;
        std::memcpy(&bad[offset], &value, sizeof value);
        return bad;
    };
    const std::size_t titles = 92;
    const std::size_t n_atoms = titles + 8 + 4 + 160;
    const std::size_t cell = n_atoms + 12;
    const std::size_t x = cell + 56;
    expect_corrupt(with(0, 85), "should begin with");
    expect_corrupt(with(4, 0x20202020), "should begin with");
    expect_corrupt(with(88, 83), "84 and then 83");
    expect_corrupt(with(8 + 4 * 8, -1), "-1 of 5 atoms are fixed");
    expect_corrupt(with(8 + 4 * 8, 5), "5 of 5 atoms are fixed");
    expect_corrupt(with(8 + 4 * 8, 2), "list of free atoms should take 12 bytes");
    expect_corrupt(with(8 + 4 * 9, 0x7fc00000), "time step");
    expect_corrupt(with(8 + 4 * 10, 0), "coordinates should take 20 bytes, not 48");
    expect_corrupt(with(titles, 0x7fffffff), "titles");
    expect_corrupt(with(titles, -76), "size of a record is -76");
    expect_corrupt(with(titles, 84), "84 and then");
    expect_corrupt(with(n_atoms, 8), "number of atoms should take 4 bytes, not 8");
    expect_corrupt(with(n_atoms + 4, 0), "number of atoms is 0");
    expect_corrupt(with(n_atoms + 4, -5), "number of atoms is -5");
    expect_corrupt(with(n_atoms + 4, 0x7fffffff), "number of atoms is 2147483647");
    expect_corrupt(with(n_atoms + 4, 0x1fffffff), "coordinates should take");
    expect_corrupt(with(n_atoms + 4, 6), "coordinates should take 24 bytes, not 20");
    expect_corrupt(with(cell, 47), "unit cell should take 48 bytes");
    expect_corrupt(with(cell + 52, 47), "48 and then 47");
    expect_corrupt(with(x + 24, 21), "20 and then 21");
    expect_corrupt(with(x + 28, 0x7fffffff), "coordinates should take 20 bytes");

    made.tag = "VELD";
    expect_corrupt(made.bytes(), "holds velocities");
    made.tag = "CORD";
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const std::vector<double>& wrong :
         {std::vector<double>{nan, 90, 40, 90, 90, 50}, std::vector<double>{30, nan, 40, 90, 90, 50},
          std::vector<double>{30, 90, 40, 90, 90, -50}, std::vector<double>{30, 90, 1e300, 90, 90, 50},
          std::vector<double>{30, -12.5, 40, 90, 90, 50}, std::vector<double>{30, 1, 40, 0, 0, 50},
          std::vector<double>{30, 10, 40, 10, 170, 50}}) {
        made.cell = wrong;
        expect_corrupt(made.bytes(), "unit cell");
    }
    made.cell.clear();
    for (const std::vector<std::int32_t>& list : {std::vector<std::int32_t>{0, 1, 2}, {1, 1, 2}, {2, 3, 6}}) {
        made.free_atoms = list;
        // Two frames of the size that the numbers stand for, whichever these are.
        Made same = made;
        same.free_atoms = {1, 2, 3};
        std::string bytes = same.bytes();
        std::memcpy(&bytes[n_atoms + 12 + 4], list.data(), 12);
        expect_corrupt(bytes, "list of free atoms");
    }
}

}  // namespace
}  // namespace coromd::trajectory
