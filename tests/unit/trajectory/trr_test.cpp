// SPDX-License-Identifier: LGPL-3.0-or-later
#include <bit>

#include "big_endian.hpp"
#include "testing.hpp"

namespace coromd::trajectory {
namespace {

class Trr : public testing::Test {
protected:
    TemporaryFolder folder_;
};

/// A frame in double precision, as a GROMACS that was built so writes it.
std::string double_frame(std::int32_t n_atoms, bool with_v) {
    std::vector<std::byte> out;
    append_big_endian(out, std::int32_t{1993});
    append_big_endian(out, std::int32_t{13});
    append_big_endian(out, std::int32_t{12});
    for (const char c : std::string("GMX_trn_file")) out.push_back(static_cast<std::byte>(c));
    const std::int32_t block = n_atoms * 24;
    for (const std::int32_t size : {0, 0, 72, 72, 0, 0, 0, block, with_v ? block : 0, 0})
        append_big_endian(out, size);
    for (const std::int32_t value : {n_atoms, 40, 0}) append_big_endian(out, value);
    for (const double value : {0.08, 0.0}) append_big_endian(out, value);
    for (int i = 0; i < 9; ++i) append_big_endian(out, i % 4 == 0 ? 2.0 : 0.0);
    for (int i = 0; i < 9; ++i) append_big_endian(out, 99.0);  // virial
    for (std::int32_t i = 0; i < 3 * n_atoms; ++i) append_big_endian(out, 0.5 * i);
    for (std::int32_t i = 0; with_v && i < 3 * n_atoms; ++i) append_big_endian(out, -0.25 * i);
    return {reinterpret_cast<const char*>(out.data()), out.size()};
}

TEST_F(Trr, ReadsWhatGromacsWroteAndWritesTheSameBytes) {
    const Trajectory trr(golden("golden.trr"), "");
    const Trajectory gro(golden("golden.gro"), "");
    ASSERT_EQ(trr.n_frames(), 3);
    FrameWriter writer(folder_ / "copy.trr");
    for (std::int64_t i = 0; i < 3; ++i) {
        const Frame frame = trr.frame(i);
        EXPECT_EQ(frame.positions, gro.frame(i).positions);
        EXPECT_EQ(frame.velocities, gro.frame(i).velocities);
        EXPECT_EQ(frame.box, gro.frame(i).box);
        EXPECT_EQ(frame.step, 1250 * i);
        writer.write(frame);
    }
    writer.close();
    EXPECT_EQ(read_bytes(folder_ / "copy.trr"), read_bytes(golden("golden.trr")));
}

TEST_F(Trr, AnyBlockMayBeMissing) {
    for (int mask = 1; mask < 8; ++mask) {
        const Frame full = with_velocities(water_like_frame(7, 3));
        Frame frame = full;
        frame.forces = full.velocities;
        if (!(mask & 1)) frame.positions.clear();
        if (!(mask & 2)) frame.velocities.clear();
        if (!(mask & 4)) frame.forces.clear();
        write_frame(folder_ / "a.trr", frame, {.overwrite = true, .topology = nullptr});
        const Frame read = Trajectory(folder_ / "a.trr", "").frame(0);
        EXPECT_EQ(read.positions, frame.positions);
        EXPECT_EQ(read.velocities, frame.velocities);
        EXPECT_EQ(read.forces, frame.forces);
        EXPECT_EQ(read.n_atoms(), 7);
    }
}

TEST_F(Trr, ReadsDoublePrecision) {
    write_bytes(folder_ / "a.trr", double_frame(5, true) + double_frame(5, false));
    const Trajectory trajectory(folder_ / "a.trr", "");
    ASSERT_EQ(trajectory.n_frames(), 2);
    const Frame frame = trajectory.frame(0);
    EXPECT_EQ(frame.step, 40);
    EXPECT_DOUBLE_EQ(frame.time_ps, 0.08);
    EXPECT_EQ(frame.box, (Box{{2, 0, 0}, {0, 2, 0}, {0, 0, 2}}));
    EXPECT_EQ(frame.positions[4], (Vec3f{6.0F, 6.5F, 7.0F}));
    EXPECT_EQ(frame.velocities[1], (Vec3f{-0.75F, -1.0F, -1.25F}));
    EXPECT_FALSE(trajectory.frame(1).has_velocities());
}

TEST_F(Trr, ReadsOnlyWhatIsNeeded) {
    Frame frame = with_velocities(water_like_frame(9, 3));
    frame.forces = frame.velocities;
    write_frame(folder_ / "a.trr", frame);
    const Frame part =
        Trajectory(folder_ / "a.trr", "").frame(0, {.atoms = 4, .velocities = true, .forces = false});
    frame.positions.resize(4);
    frame.velocities.resize(4);
    EXPECT_EQ(part.positions, frame.positions);
    EXPECT_EQ(part.velocities, frame.velocities);
    EXPECT_FALSE(part.has_forces());
}

TEST_F(Trr, CorruptHeadersAreErrors) {
    write_trajectory(folder_ / "a.trr", 2);
    const std::string good = read_bytes(folder_ / "a.trr");
    const std::size_t second = good.size() / 2;
    for (const std::size_t offset : {0U, 4U, 8U, 12U, 20U, 24U, 28U, 32U, 36U, 44U, 52U, 56U, 64U, 76U}) {
        std::string bad = good;
        bad[second + offset] = '\x7f';
        bad[second + offset + 1] = '\xff';
        write_bytes(folder_ / "bad.trr", bad);
        const Error error = error_of([&] { Trajectory(folder_ / "bad.trr", "").n_frames(); });
        EXPECT_EQ(error.kind(), ErrorKind::input) << offset;
        EXPECT_THAT(error.what(), testing::HasSubstr("byte " + std::to_string(second))) << offset;
    }
}

TEST_F(Trr, RefusesAFrameOfDifferentSizes) {
    Frame frame = with_velocities(water_like_frame(9, 3));
    frame.velocities.resize(8);
    EXPECT_THAT(error_of([&] { write_frame(folder_ / "a.trr", frame); }).what(),
                testing::HasSubstr("8 velocities, but 9 atoms"));
}

}  // namespace
}  // namespace coromd::trajectory
