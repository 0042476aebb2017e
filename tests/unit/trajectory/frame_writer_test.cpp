// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/frame_writer.hpp"

#include <unistd.h>

#include "testing.hpp"

namespace coromd::trajectory {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Writer : public testing::Test {
protected:
    TemporaryFolder folder_;
};

TEST_F(Writer, FileAppearsWithCloseOnly) {
    FrameWriter writer(folder_ / "a.trr");
    writer.write(water_like_frame(12, 0));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "a.trr"));
    writer.close();
    EXPECT_THAT(folder_.names(), ElementsAre("a.trr"));
    EXPECT_EQ(Trajectory(folder_ / "a.trr", "").n_frames(), 1);
    EXPECT_EQ(error_of([&] {
                  for (int i = 0; i < 10000; ++i) writer.write(water_like_frame(12, 0));
                  writer.close();
              }).kind(),
              ErrorKind::usage);
}

TEST_F(Writer, InterruptedWriteLeavesNothing) {
    {
        FrameWriter writer(folder_ / "a.trr");
        for (int i = 0; i < 3000; ++i) writer.write(water_like_frame(120, i));
        EXPECT_EQ(folder_.names().size(), 1U);
    }
    EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(Writer, OverwritesOnlyWhenAsked) {
    write_bytes(folder_ / "a.trr", "precious");
    EXPECT_THAT(error_of([&] { FrameWriter(folder_ / "a.trr"); }).what(), testing::HasSubstr("exists"));
    EXPECT_EQ(read_bytes(folder_ / "a.trr"), "precious");
    {
        FrameWriter interrupted(folder_ / "a.trr", {.overwrite = true, .topology = nullptr});
        interrupted.write(water_like_frame(12, 0));
    }
    EXPECT_EQ(read_bytes(folder_ / "a.trr"), "precious");
    write_frame(folder_ / "a.trr", water_like_frame(12, 0), {.overwrite = true, .topology = nullptr});
    EXPECT_EQ(Trajectory(folder_ / "a.trr", "").n_frames(), 1);
}

TEST_F(Writer, FileCreatedMeanwhileIsNotReplaced) {
    FrameWriter writer(folder_ / "a.trr");
    writer.write(water_like_frame(12, 0));
    write_bytes(folder_ / "a.trr", "faster");
    EXPECT_THAT(error_of([&] { writer.close(); }).what(), testing::HasSubstr("exists"));
    EXPECT_EQ(read_bytes(folder_ / "a.trr"), "faster");
}

TEST_F(Writer, TwoWritersOfOneNameDoNotMix) {
    FrameWriter first(folder_ / "a.trr", {.overwrite = true, .topology = nullptr});
    FrameWriter second(folder_ / "a.trr", {.overwrite = true, .topology = nullptr});
    first.write(water_like_frame(12, 1));
    second.write(water_like_frame(12, 2));
    first.close();
    second.close();
    EXPECT_THAT(steps_of(Trajectory(folder_ / "a.trr", "")), ElementsAre(2));
}

TEST_F(Writer, BadFrameIsRefusedAndTheOthersStay) {
    FrameWriter writer(folder_ / "a.xtc");
    writer.write(water_like_frame(12, 0));
    Frame bad = water_like_frame(12, 10);
    bad.positions[11].z = NAN;
    EXPECT_THAT(error_of([&] { writer.write(bad); }).what(), testing::HasSubstr("frame 1"));
    EXPECT_THAT(error_of([&] { writer.write(water_like_frame(15, 10)); }).what(),
                testing::HasSubstr("15 atoms"));
    writer.write(water_like_frame(12, 20));
    writer.close();
    EXPECT_THAT(steps_of(Trajectory(folder_ / "a.xtc", "")), ElementsAre(0, 20));
}

TEST_F(Writer, FolderThatIsMissingIsNamed) {
    const Error error = error_of([&] { FrameWriter(folder_ / "none/a.xtc"); });
    EXPECT_EQ(error.kind(), ErrorKind::system);
    EXPECT_THAT(error.what(), testing::HasSubstr("none/a.xtc"));
    EXPECT_EQ(error_of([&] { FrameWriter(folder_ / "a.tpr"); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace coromd::trajectory
