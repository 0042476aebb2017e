// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/trajectory.hpp"

#include <atomic>
#include <thread>

#include "testing.hpp"

namespace coromd::trajectory {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TrajectoryOf : public testing::Test {
protected:
    TemporaryFolder folder_;
};

TEST_F(TrajectoryOf, MetadataAndNegativeIndices) {
    const Trajectory t = write_trajectory(folder_ / "a.xtc", 5, 100, 50);
    EXPECT_EQ(t.n_frames(), 5);
    EXPECT_EQ(t.n_atoms(), 12);
    EXPECT_NEAR(t.dt_ps(), 0.1, 1e-6);
    EXPECT_EQ(t.first_step(), 100);
    EXPECT_EQ(t.last_step(), 300);
    EXPECT_NEAR(t.first_time_ps(), 0.2, 1e-6);
    EXPECT_NEAR(t.last_time_ps(), 0.6, 1e-6);
    EXPECT_EQ(t.step(-1), 300);
    EXPECT_EQ(t.step(-5), 100);
    EXPECT_EQ(t.frame(-2).step, 250);
    EXPECT_EQ(t.frame(-2).positions, t.frame(3).positions);
    for (const std::int64_t bad : {5, -6}) {
        EXPECT_EQ(error_of([&] { t.frame(bad); }).kind(), ErrorKind::usage);
        EXPECT_EQ(error_of([&] { t.time_ps(bad); }).kind(), ErrorKind::usage);
    }
}

TEST_F(TrajectoryOf, NoFrames) {
    write_bytes(folder_ / "a.xtc", "");
    const Trajectory t(folder_ / "a.xtc", "");
    EXPECT_EQ(t.n_frames(), 0);
    EXPECT_EQ(t.n_atoms(), 0);
    EXPECT_EQ(t.dt_ps(), 0.0);
    EXPECT_EQ(error_of([&] { t.first_time_ps(); }).kind(), ErrorKind::input);
    EXPECT_EQ(error_of([&] { t.last_step(); }).kind(), ErrorKind::input);
}

TEST_F(TrajectoryOf, PartsAreOneAndTheBoundaryFrameComesOnce) {
    write_trajectory(folder_ / "p1.xtc", 3, 0);   // 0 10 20
    write_trajectory(folder_ / "p2.xtc", 3, 20);  // 20 30 40
    write_trajectory(folder_ / "p3.xtc", 2, 50);  // 50 60
    const std::vector<std::filesystem::path> files{folder_ / "p1.xtc", folder_ / "p2.xtc",
                                                   folder_ / "p3.xtc"};
    const Trajectory t(files, "");
    EXPECT_THAT(steps_of(t), ElementsAre(0, 10, 20, 30, 40, 50, 60));
    TrajectoryReader reader = t.reader();
    Frame frame;
    for (const std::int64_t i : {6, 0, 3, 2, 5, -1}) {
        reader.read(i, frame);
        EXPECT_EQ(frame.step, i < 0 ? 60 : 10 * i);
        EXPECT_LT(largest_difference(frame.positions, water_like_frame(12, frame.step).positions), 0.001F);
    }
    EXPECT_EQ(reader.place_of(3).first, std::filesystem::path(folder_ / "p2.xtc"));

    const Trajectory all(files, "", {.keep_boundary_duplicates = true, .fingerprints = {}});
    EXPECT_THAT(steps_of(all), ElementsAre(0, 10, 20, 20, 30, 40, 50, 60));
    EXPECT_NE(all.fingerprint(), t.fingerprint());
}

TEST_F(TrajectoryOf, FilesThatDoNotSayTheirTimeAreNoDuplicates) {
    for (const char* name : {"a.gro", "b.gro"}) {
        write_bytes(folder_ / name, "x\n1\n    1ALA     CA    1   0.100   0.200   0.300\n 1 2 3\n");
    }
    EXPECT_EQ(Trajectory({folder_ / "a.gro", folder_ / "b.gro"}, "").n_frames(), 2);
}

TEST_F(TrajectoryOf, StepsAreUnwrappedOverParts) {
    write_trajectory(folder_ / "p1.xtc", 3, 4294967000, 100);
    write_trajectory(folder_ / "p2.xtc", 3, 4294967300, 100);  // stored as 4 and more
    const Trajectory t({folder_ / "p1.xtc", folder_ / "p2.xtc"}, "");
    EXPECT_THAT(steps_of(t),
                ElementsAre(4294967000, 4294967100, 4294967200, 4294967300, 4294967400, 4294967500));
    EXPECT_EQ(t.frame(4).step, 4294967400);
}

TEST_F(TrajectoryOf, PartsOfDifferentSystemsAreAnError) {
    write_trajectory(folder_ / "a.xtc", 1, 0, 10, 12);
    write_trajectory(folder_ / "b.xtc", 1, 10, 10, 15);
    const Trajectory t({folder_ / "a.xtc", folder_ / "b.xtc"}, "");
    EXPECT_THAT(error_of([&] { t.n_frames(); }).what(), HasSubstr("b.xtc"));
}

TEST_F(TrajectoryOf, TruncatedLastFrameIsReported) {
    write_trajectory(folder_ / "a.xtc", 3);
    std::filesystem::resize_file(folder_ / "a.xtc", std::filesystem::file_size(folder_ / "a.xtc") - 8);
    const Trajectory t(folder_ / "a.xtc", "");
    EXPECT_EQ(t.n_frames(), 2);
    EXPECT_GT(t.trailing_bytes(), 0);
}

TEST_F(TrajectoryOf, TopologyMustFit) {
    write_trajectory(folder_ / "a.xtc", 1);
    write_trajectory(folder_ / "good.gro", 1);
    write_trajectory(folder_ / "bad.gro", 1, 0, 10, 15);
    const Trajectory good(folder_ / "a.xtc", folder_ / "good.gro");
    EXPECT_EQ(good.topology()->atoms()[3].name, "OW");
    EXPECT_EQ(good.topology(), good.topology()) << "read once";
    EXPECT_THAT(error_of([&] { Trajectory(folder_ / "a.xtc", folder_ / "bad.gro").topology(); }).what(),
                HasSubstr("15 atoms"));
    EXPECT_EQ(error_of([&] { Trajectory(folder_ / "a.xtc", "").topology(); }).kind(), ErrorKind::usage);
    EXPECT_THAT(error_of([&] { Trajectory(folder_ / "a.xtc", folder_ / "a.xtc").topology(); }).what(),
                HasSubstr("XTC holds no atom names"));
}

TEST_F(TrajectoryOf, SameContentIsEqualAndKeepsItsPlace) {
    const Trajectory a = write_trajectory(folder_ / "a.xtc", 4);
    std::filesystem::copy_file(folder_ / "a.xtc", folder_ / "b.xtc");
    const Trajectory b(folder_ / "b.xtc", "");
    EXPECT_TRUE(a == b);
    EXPECT_EQ(a.files().front(), std::filesystem::path(folder_ / "a.xtc"));
    std::filesystem::remove(folder_ / "b.xtc");
    EXPECT_EQ(a.frame(0).step, 0);

    // One byte in the middle makes another trajectory.
    std::string bytes = read_bytes(folder_ / "a.xtc");
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    write_bytes(folder_ / "c.xtc", bytes);
    EXPECT_FALSE(a == Trajectory(folder_ / "c.xtc", ""));
}

TEST_F(TrajectoryOf, KnownFingerprintsAreNotComputed) {
    const Fingerprint known{1, 2};
    EXPECT_EQ(Trajectory("/nowhere/a.xtc", "", {.keep_boundary_duplicates = false, .fingerprints = {known}})
                  .fingerprint(),
              known);
    EXPECT_EQ(
        error_of([&] {
            Trajectory("a.xtc", "", {.keep_boundary_duplicates = false, .fingerprints = {known, known}});
        }).kind(),
        ErrorKind::usage);
}

TEST_F(TrajectoryOf, PathsSurviveAChangeOfFolder) {
    const auto before = std::filesystem::current_path();
    write_trajectory(folder_ / "a.xtc", 1);
    std::filesystem::current_path(folder_.path());
    const Trajectory t("a.xtc", "");
    std::filesystem::current_path(before);
    EXPECT_TRUE(t.files().front().is_absolute());
    EXPECT_EQ(t.n_frames(), 1);
}

TEST_F(TrajectoryOf, ManyThreadsMayAskAtOnce) {
    write_trajectory(folder_ / "a.gro", 1);
    write_trajectory(folder_ / "a.xtc", 50);
    const Trajectory t(folder_ / "a.xtc", folder_ / "a.gro");
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, t] {
            std::int64_t sum = 0;
            t.for_each_frame({}, [&](const Frame& frame) { sum += frame.step; });
            if (sum == 12250 && t.topology()->size() == 12 && t.fingerprint() == t.fingerprint()) ++right;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(right, 8);
}

TEST_F(TrajectoryOf, FailedReadIsTriedAgain) {
    const Trajectory t(folder_ / "late.xtc", "");
    EXPECT_EQ(error_of([&] { t.n_frames(); }).kind(), ErrorKind::system);
    write_trajectory(folder_ / "late.xtc", 2);
    EXPECT_EQ(t.n_frames(), 2);
}

TEST_F(TrajectoryOf, NeedsFilesThatHaveFrames) {
    EXPECT_EQ(error_of([] { Trajectory(std::vector<std::filesystem::path>{}, ""); }).kind(),
              ErrorKind::usage);
    EXPECT_EQ(error_of([] { Trajectory("a.edr", ""); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace coromd::trajectory
