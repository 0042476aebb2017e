// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/concatenate.hpp"

#include <limits>

#include "testing.hpp"

namespace coromd::trajectory {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Indices = std::vector<std::int64_t>;

constexpr auto kNone = std::nullopt;

TEST(Slice, MeansWhatItMeansInPython) {
    struct Case {
        Slice slice;
        std::int64_t size;
        Indices expected;
    };
    // Each line was printed by Python: list(range(size))[start:stop:step].
    const std::vector<Case> cases{
        {{kNone, kNone, kNone}, 4, {0, 1, 2, 3}},
        {{kNone, kNone, kNone}, 0, {}},
        {{1, 3, kNone}, 4, {1, 2}},
        {{-2, kNone, kNone}, 4, {2, 3}},
        {{kNone, -1, kNone}, 4, {0, 1, 2}},
        {{-100, 100, kNone}, 4, {0, 1, 2, 3}},
        {{3, 1, kNone}, 4, {}},
        {{4, kNone, kNone}, 4, {}},
        {{kNone, kNone, 2}, 5, {0, 2, 4}},
        {{1, kNone, 2}, 5, {1, 3}},
        {{kNone, kNone, 100}, 5, {0}},
        {{kNone, kNone, -1}, 4, {3, 2, 1, 0}},
        {{kNone, kNone, -1}, 0, {}},
        {{kNone, kNone, -2}, 5, {4, 2, 0}},
        {{2, kNone, -1}, 4, {2, 1, 0}},
        {{kNone, 1, -1}, 4, {3, 2}},
        {{-1, -4, -1}, 4, {3, 2, 1}},
        {{-1, -5, -1}, 4, {3, 2, 1, 0}},
        {{100, -100, -1}, 3, {2, 1, 0}},
        {{-100, kNone, -1}, 3, {}},
        {{0, kNone, -1}, 3, {0}},
        {{1, 3, -1}, 4, {}},
        {{kNone, kNone, std::numeric_limits<std::int64_t>::min()}, 3, {2}},
        {{kNone, kNone, std::numeric_limits<std::int64_t>::max()}, 3, {0}},
        {{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), 1}, 2, {0, 1}},
    };
    for (std::size_t i = 0; i < cases.size(); ++i) {
        EXPECT_EQ(cases[i].slice.indices(cases[i].size), cases[i].expected) << "case " << i;
    }
    EXPECT_EQ(error_of([] { Slice{kNone, kNone, 0}.indices(3); }).kind(), ErrorKind::usage);
}

class Concatenate : public testing::Test {
protected:
    TemporaryFolder folder_;
};

TEST_F(Concatenate, JoinsSlicesAndDropsDoubleFrames) {
    const Trajectory a = write_trajectory(folder_ / "a.xtc", 4);      // 0 10 20 30
    const Trajectory b = write_trajectory(folder_ / "b.xtc", 4, 30);  // 30 40 50 60
    const Trajectory joined = concatenate({{a, {}}, {b, {kNone, -1, kNone}}}, folder_ / "out.xtc");
    EXPECT_THAT(steps_of(joined), ElementsAre(0, 10, 20, 30, 40, 50));
    EXPECT_EQ(joined.files().front(), std::filesystem::path(folder_ / "out.xtc"));

    ConcatenateOptions keep;
    keep.remove_double_frames = false;
    EXPECT_THAT(steps_of(concatenate({{a, {}}, {b, {}}}, folder_ / "all.xtc", keep)),
                ElementsAre(0, 10, 20, 30, 30, 40, 50, 60));
}

TEST_F(Concatenate, OnlyFramesOfTheSameStepAndTimeAreDouble) {
    FrameWriter writer(folder_ / "a.trr");
    for (const auto& [step, time_ps] :
         std::vector<std::pair<std::int64_t, double>>{{5, 1.0}, {5, 2.0}, {6, 2.0}, {6, 2.0}}) {
        Frame frame = water_like_frame(3, step);
        frame.time_ps = time_ps;
        writer.write(frame);
    }
    writer.close();
    EXPECT_THAT(steps_of(concatenate({{Trajectory(folder_ / "a.trr", ""), {}}}, folder_ / "out.trr")),
                ElementsAre(5, 5, 6));
}

TEST_F(Concatenate, CopiesFramesAsBytes) {
    const Trajectory a = write_trajectory(folder_ / "a.xtc", 5);
    concatenate({{a, {}}}, folder_ / "copy.xtc");
    EXPECT_EQ(read_bytes(folder_ / "copy.xtc"), read_bytes(folder_ / "a.xtc"));
}

TEST_F(Concatenate, ReversedPieceHasInvertedVelocities) {
    const Trajectory a = write_trajectory(folder_ / "a.trr", 3);
    const Trajectory back = concatenate({{a, {kNone, kNone, -1}}}, folder_ / "back.trr");
    EXPECT_THAT(steps_of(back), ElementsAre(20, 10, 0));
    const Frame first = a.frame(0);
    const Frame last = back.frame(2);
    EXPECT_EQ(last.positions, first.positions);
    for (std::size_t i = 0; i < first.velocities.size(); ++i)
        EXPECT_EQ(last.velocities[i].x, -first.velocities[i].x);

    ConcatenateOptions plain;
    plain.invert_velocities_when_reversed = false;
    EXPECT_EQ(concatenate({{a, {kNone, kNone, -1}}}, folder_ / "plain.trr", plain).frame(2).velocities,
              first.velocities);
}

TEST_F(Concatenate, TransitionPathFromTwoHalves) {
    const Trajectory backward = write_trajectory(folder_ / "b.trr", 4);
    const Trajectory forward = write_trajectory(folder_ / "f.trr", 3);
    const Trajectory path = concatenate({{backward, {kNone, kNone, -1}}, {forward, {}}}, folder_ / "tp.trr");
    EXPECT_THAT(steps_of(path), ElementsAre(30, 20, 10, 0, 10, 20)) << "the shooting point once";
}

TEST_F(Concatenate, ChangesTheFormat) {
    const Trajectory a = write_trajectory(folder_ / "a.trr", 3);
    write_trajectory(folder_ / "a.gro", 1);
    const Trajectory xtc = concatenate({{a, {}}}, folder_ / "out.xtc");
    EXPECT_LT(largest_difference(xtc.frame(2).positions, a.frame(2).positions), 0.000501F);
    const Trajectory gro =
        concatenate({{Trajectory(folder_ / "a.trr", folder_ / "a.gro"), {}}}, folder_ / "out.gro");
    EXPECT_EQ(gro.n_frames(), 3);
    EXPECT_EQ(gro.structure(), std::filesystem::path(folder_ / "a.gro"));
    EXPECT_EQ(error_of([&] { concatenate({{a, {}}}, folder_ / "names.gro"); }).kind(), ErrorKind::usage);
}

TEST_F(Concatenate, FailureLeavesNoFile) {
    const Trajectory a = write_trajectory(folder_ / "a.xtc", 3, 0, 10, 30);
    std::string bytes = read_bytes(folder_ / "a.xtc");
    // The bits of the last frame.
    std::fill(bytes.end() - 60, bytes.end(), '\xff');
    write_bytes(folder_ / "bad.xtc", bytes);
    const Trajectory bad(folder_ / "bad.xtc", "");
    ASSERT_EQ(bad.n_frames(), 3);
    EXPECT_EQ(error_of([&] {
                  concatenate({{a, {}}, {bad, {}}}, folder_ / "out.trr");
              }).kind(),
              ErrorKind::input);
    EXPECT_THAT(folder_.names(), testing::UnorderedElementsAre("a.xtc", "bad.xtc"));
}

TEST_F(Concatenate, RefusesNonsense) {
    const Trajectory a = write_trajectory(folder_ / "a.xtc", 3);
    const Trajectory other = write_trajectory(folder_ / "other.xtc", 3, 0, 10, 15);
    EXPECT_EQ(error_of([&] { concatenate({}, folder_ / "out.xtc"); }).kind(), ErrorKind::usage);
    EXPECT_THAT(error_of([&] {
                    concatenate({{a, {2, 1, kNone}}}, folder_ / "out.xtc");
                }).what(),
                HasSubstr("no frame"));
    EXPECT_THAT(error_of([&] {
                    concatenate({{a, {}}, {other, {}}}, folder_ / "out.xtc");
                }).what(),
                HasSubstr("15 atoms"));
    EXPECT_THAT(error_of([&] { concatenate({{a, {}}}, folder_ / "a.xtc"); }).what(), HasSubstr("exists"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "out.xtc"));
    EXPECT_EQ(Trajectory(folder_ / "a.xtc", "").n_frames(), 3);
}

TEST_F(Concatenate, MayReplaceItsOwnInput) {
    const Trajectory a = write_trajectory(folder_ / "a.xtc", 5);
    ConcatenateOptions options;
    options.overwrite = true;
    EXPECT_THAT(steps_of(concatenate({{a, {1, 3, kNone}}}, folder_ / "a.xtc", options)), ElementsAre(10, 20));
}

}  // namespace
}  // namespace coromd::trajectory
