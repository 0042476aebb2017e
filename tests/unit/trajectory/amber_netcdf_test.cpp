// SPDX-License-Identifier: LGPL-3.0-or-later

#include "made_amber_netcdf.hpp"
#include "testing.hpp"

namespace coromd::trajectory {
namespace {

using Made = MadeAmberNetcdf;

class AmberNetcdf : public testing::Test {
protected:
    Trajectory read(const std::string& bytes) {
        write_bytes(folder_ / "a.nc", bytes);
        return Trajectory(folder_ / "a.nc", "");
    }
    Error error_with(const std::string& bytes) {
        write_bytes(folder_ / "bad.nc", bytes);
        return error_of([&] {
            const Trajectory trajectory(folder_ / "bad.nc", "");
            for (std::int64_t i = 0; i < trajectory.n_frames(); ++i) trajectory.frame(i);
        });
    }
    void expect_corrupt(const std::string& bytes, const std::string& message) {
        const Error error = error_with(bytes);
        EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
        EXPECT_THAT(error.what(), testing::HasSubstr(message));
        EXPECT_THAT(error.what(), testing::HasSubstr("at byte "));
    }

    TemporaryFolder folder_;
};

TEST_F(AmberNetcdf, ReadsAllVersionsAndTypes) {
    for (const int version : {1, 2, 5}) {
        for (const int type : {5, 6}) {
            Made made;
            made.version = version;
            made.n_frames_said = version == 1 ? -1 : 7;
            made.variables = {{"time", {0}, type, "picosecond"},
                              {"note", {0, 2}, 2},
                              {"coordinates", {0, 1, 2}, type, "angstrom", 2.0},
                              {"cell_lengths", {0, 2}, type, "angstrom"},
                              {"cell_angles", {0, 2}, type, "degrees"},
                              {"velocities", {0, 1, 2}, type, "angstrom/picosecond", 20.455},
                              {"forces", {0, 1, 2}, type, "kilocalorie/mole/angstrom"}};
            const Trajectory trajectory = read(made.bytes());
            ASSERT_EQ(trajectory.n_frames(), 2);
            EXPECT_EQ(trajectory.trailing_bytes(), 0);
            EXPECT_EQ(steps_of(trajectory), (std::vector<std::int64_t>{0, 1}));
            const Frame frame = trajectory.frame(1);
            EXPECT_EQ(frame.time_ps, 11.0);
            EXPECT_EQ(frame.box, (Box{{1.1F, 0, 0}, {0, 2.1F, 0}, {0, 0, 3.1F}}));
            ASSERT_EQ(frame.n_atoms(), 4);
            EXPECT_FLOAT_EQ(frame.positions[3].z, 2 * 12.1F);
            EXPECT_FLOAT_EQ(frame.velocities[3].z, 20.455F * 12.1F);
            EXPECT_FLOAT_EQ(frame.forces[3].z, 41.84F * 121.0F);
            const Frame part = trajectory.frame(1, {.atoms = 2, .velocities = false, .forces = true});
            EXPECT_EQ(part.positions.size(), 2U);
            EXPECT_FALSE(part.has_velocities());
            EXPECT_EQ(part.forces.size(), 2U);
        }
    }
}

TEST_F(AmberNetcdf, TheOnlyVariableOfTheRecordsIsEnough) {
    Made made;
    made.variables = {{"coordinates", {0, 1, 2}, 5, "angstrom"}};
    const Trajectory trajectory = read(made.bytes());
    ASSERT_EQ(trajectory.n_frames(), 2);
    EXPECT_FLOAT_EQ(trajectory.frame(1).positions[0].x, 1.1F);
    EXPECT_TRUE(std::isnan(trajectory.frame(1).time_ps));
}

TEST_F(AmberNetcdf, RoundTrip) {
    for (int mask = 1; mask < 16; ++mask) {
        if (mask == 8) continue;
        std::vector<Frame> frames;
        FrameWriter writer(folder_ / "a.nc", {.overwrite = true, .topology = nullptr});
        for (int i = 0; i < 3; ++i) {
            Frame frame = with_velocities(water_like_frame(11, (std::int64_t{1} << 33) + 250 * i));
            frame.forces = frame.velocities;
            frame.time_ps = 0.5 * i;
            frame.box = {{4, 0, 0}, {-1.25F, 3.5F, 0}, {0.75F, 1.5F, 2.5F + 0.01F * static_cast<float>(i)}};
            if (!(mask & 1)) frame.positions.clear();
            if (!(mask & 2)) frame.velocities.clear();
            if (!(mask & 4)) frame.forces.clear();
            if (!(mask & 8)) frame.box = {};
            writer.write(frame);
            frames.push_back(frame);
        }
        writer.close();
        EXPECT_EQ(read_bytes(folder_ / "a.nc").substr(0, 8), std::string("CDF\x02\0\0\0\x03", 8));
        const Trajectory trajectory(folder_ / "a.nc", "");
        ASSERT_EQ(trajectory.n_frames(), 3);
        EXPECT_EQ(trajectory.trailing_bytes(), 0);
        for (std::size_t i = 0; i < frames.size(); ++i) {
            const Frame frame = trajectory.frame(static_cast<std::int64_t>(i));
            EXPECT_EQ(frame.step, frames[i].step);
            EXPECT_EQ(frame.time_ps, frames[i].time_ps);
            EXPECT_LT(largest_difference(frame.positions, frames[i].positions), 1e-6F);
            EXPECT_LT(largest_difference(frame.velocities, frames[i].velocities), 1e-6F);
            EXPECT_LT(largest_difference(frame.forces, frames[i].forces), 1e-6F);
            const Box& expected = frames[i].box;
            EXPECT_LT(largest_difference({frame.box.a, frame.box.b, frame.box.c},
                                         {expected.a, expected.b, expected.c}),
                      1e-6F);
        }
    }
}

TEST_F(AmberNetcdf, AllFramesHoldTheSame) {
    const Frame frame = with_velocities(water_like_frame(6, 7));
    FrameWriter writer(folder_ / "a.nc");
    writer.write(frame);
    Frame other = frame;
    other.velocities.clear();
    EXPECT_EQ(error_of([&] { writer.write(other); }).kind(), ErrorKind::usage);
    other = frame;
    other.box = {};
    EXPECT_EQ(error_of([&] { writer.write(other); }).kind(), ErrorKind::usage);
    other = frame;
    other.velocities.pop_back();
    EXPECT_EQ(error_of([&] { write_frame(folder_ / "b.nc", other); }).kind(), ErrorKind::usage);
}

TEST_F(AmberNetcdf, HeadThatLagsBehindItsSizeHasNoFrames) {
    write_trajectory(folder_ / "whole.nc", 2);
    const std::string bytes = read_bytes(folder_ / "whole.nc");
    FrameIndex whole(folder_ / "whole.nc");
    ASSERT_EQ(whole.refresh(), 2);
    // Fields are of 4 bytes, and the names of the axes end the head.
    constexpr std::size_t kAxesSize = 24;
    const auto head = static_cast<std::size_t>(whole.at(0).offset);
    for (std::size_t n = 0; n + kAxesSize < head; n += 4) {
        const std::string lagging = bytes.substr(0, n) + std::string(bytes.size() - n, '\0');
        ASSERT_EQ(read(lagging).n_frames(), 0) << n;
    }
}

TEST_F(AmberNetcdf, OtherFilesAreErrors) {
    expect_corrupt("\x89HDF\r\n\x1a\n and so on", "nccopy -k classic");
    expect_corrupt("CDF\x03 and so on", "version 1, 2 or 5");
    expect_corrupt("XYZ\x01 and so on", "version 1, 2 or 5");
    Made made;
    made.conventions = "CF-1.6";
    expect_corrupt(made.bytes(), "Conventions are 'CF-1.6'");
    made.conventions = "AMBERRESTART";
    const Error error = error_with(made.bytes());
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), testing::HasSubstr("restart file"));
}

TEST_F(AmberNetcdf, CorruptHeadsAreErrors) {
    const auto expect = [&](const std::function<void(Made&)>& change, const std::string& message) {
        Made made;
        change(made);
        expect_corrupt(made.bytes(), message);
    };
    expect([](Made& m) { m.n_atoms = 0; }, "dimensions of 'coordinates' make no sense");
    expect([](Made& m) { m.variables[1].dimensions = {0, 2}; }, "'coordinates' holds 3 numbers");
    expect([](Made& m) { m.variables[1].dimensions = {0, 2, 1}; }, "'coordinates' holds 12 numbers");
    expect([](Made& m) { m.variables[1].dimensions = {0, 0, 2}; }, "make no sense");
    expect([](Made& m) { m.variables[1].dimensions = {1, 2}; }, "neither coordinates");
    expect([](Made& m) { m.variables[1].type = 2; }, "does not hold numbers");
    expect([](Made& m) { m.variables[1].units = "nanometer"; }, "'nanometer', not 'angstrom'");
    expect([](Made& m) { m.variables[1].scale_factor = INFINITY; }, "scale_factor is inf");
    expect([](Made& m) { m.variables[0].dimensions = {0, 2}; }, "'time' holds 3 numbers");
    expect([](Made& m) { m.variables.push_back({"cell_lengths", {0, 2}, 6, "angstrom"}); }, "unit cell");
    expect([](Made& m) { m.variables = {{"xyz", {1, 2}, 5}}; }, "a record for each frame");
    expect([](Made& m) { m.value = [](auto&&...) { return NAN; }; }, "time is not a number");
    const auto with_step = [](Made& m, double step) {
        m.variables.push_back({"step", {0}, 6});
        m.value = [step](const std::string& name, int, std::int64_t) { return name == "step" ? step : 1.0; };
    };
    expect([&](Made& m) { with_step(m, 1e300); }, "the step is 1e+300");
    expect([&](Made& m) { with_step(m, NAN); }, "the step is nan");
    for (const double length : {static_cast<double>(NAN), -1.0, 1e300}) {
        for (const double angle : {90.0, 0.0, 180.0, -60.0, static_cast<double>(NAN)}) {
            expect(
                [&](Made& m) {
                    m.variables.push_back({"cell_lengths", {0, 2}, 6, "angstrom"});
                    m.variables.push_back({"cell_angles", {0, 2}, 6, "degree"});
                    m.value = [=](const std::string& name, int, std::int64_t i) {
                        if (name == "cell_lengths") return angle == 90.0 && i == 1 ? length : 30.0;
                        return name == "cell_angles" ? angle : 1.0;
                    };
                },
                "no such unit cell");
        }
    }
}

}  // namespace
}  // namespace coromd::trajectory
