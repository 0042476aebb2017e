// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/frame_index.hpp"

#include <fstream>

#include "testing.hpp"

namespace coromd::trajectory {
namespace {

TEST(StepUnwrapper, FollowsTheTimeOverTheWrap) {
    StepUnwrapper unwrapper;
    EXPECT_EQ(unwrapper.unwrap(2147483300, 10.0), 2147483300);
    EXPECT_EQ(unwrapper.unwrap(2147483500, 10.1), 2147483500);
    EXPECT_EQ(unwrapper.unwrap(-2147483596, 10.2), 2147483700);
    EXPECT_EQ(unwrapper.unwrap(-200, 20.0), 4294967096);
    EXPECT_EQ(unwrapper.unwrap(100, 20.1), 4294967396);
    EXPECT_EQ(unwrapper.unwrap(2147483500, 30.0), 6442450796);
    EXPECT_EQ(unwrapper.unwrap(-2147483596, 30.1), 6442450996);
}

TEST(StepUnwrapper, RunsBackwardsToo) {
    StepUnwrapper unwrapper;
    EXPECT_EQ(unwrapper.unwrap(-2147483596, 10.2), 2147483700);
    EXPECT_EQ(unwrapper.unwrap(2147483500, 10.1), 2147483500);
    EXPECT_EQ(unwrapper.unwrap(2147483300, 10.0), 2147483300);
}

TEST(StepUnwrapper, LeavesStepsThatOnlyGoDownAlone) {
    StepUnwrapper unwrapper;
    EXPECT_EQ(unwrapper.unwrap(5000, 10.0), 5000);
    EXPECT_EQ(unwrapper.unwrap(0, 12.0), 0);  // another simulation that was appended
    EXPECT_EQ(unwrapper.unwrap(-100, -0.2), -100);
}

class FrameIndexOf : public testing::TestWithParam<std::string> {
protected:
    TemporaryFolder folder_;
};

TEST_P(FrameIndexOf, GrowingFileShowsWholeFramesOnly) {
    write_trajectory(folder_ / ("whole" + GetParam()), 3);
    const std::string bytes = read_bytes(folder_ / ("whole" + GetParam()));
    FrameIndex whole(folder_ / ("whole" + GetParam()));
    ASSERT_EQ(whole.refresh(), 3);

    const auto path = folder_ / ("growing" + GetParam());
    write_bytes(path, "");
    FrameIndex growing(path);
    EXPECT_EQ(growing.refresh(), 0);
    std::int64_t seen = 0;
    for (std::size_t n = 1; n <= bytes.size(); ++n) {
        std::ofstream(path, std::ios::binary | std::ios::app) << bytes[n - 1];
        const std::int64_t found = growing.refresh();
        seen += found;
        ASSERT_EQ(growing.size(), seen);
        std::int64_t complete = 0;
        for (const FrameHeader& frame : whole.frames()) {
            // A text frame may lack its last newline.
            const std::int64_t needed = frame.offset + frame.size - (GetParam() == ".gro" ? 1 : 0);
            complete += needed <= static_cast<std::int64_t>(n) ? 1 : 0;
        }
        ASSERT_EQ(seen, complete) << "after " << n << " bytes";
        ASSERT_EQ(growing.trailing_bytes(), static_cast<std::int64_t>(n) - growing.end_offset());
        if (found > 0) {
            // What was found can be read.
            Frame frame;
            FrameReader(path).read(growing.at(seen - 1), frame);
            EXPECT_EQ(frame.step, 10 * (seen - 1));
        }
    }
    EXPECT_EQ(seen, 3);
}

/// The formats that MD writes while it runs.
class BinaryFrameIndexOf : public FrameIndexOf {};

TEST_P(BinaryFrameIndexOf, ZerosInAHeaderAreNotYetWritten) {
    write_trajectory(folder_ / ("a" + GetParam()), 2);
    const std::string bytes = read_bytes(folder_ / ("a" + GetParam()));
    FrameIndex index(folder_ / ("a" + GetParam()));
    index.refresh();
    // A lagging file system shows the new size before the content; fields are of 4 bytes.
    const auto start = static_cast<std::size_t>(index.at(1).offset);
    const std::size_t last_field = GetParam() == ".xtc" ? 88 : 64;
    for (std::size_t from = start; from <= start + last_field; from += 4) {
        std::string lagging = bytes;
        std::fill(lagging.begin() + static_cast<std::ptrdiff_t>(from), lagging.end(), '\0');
        write_bytes(folder_ / ("lagging" + GetParam()), lagging);
        FrameIndex seen(folder_ / ("lagging" + GetParam()));
        EXPECT_EQ(seen.refresh(), 1) << from - start;
        write_bytes(folder_ / ("lagging" + GetParam()), bytes);
        EXPECT_EQ(seen.refresh(), 1) << from - start;
    }
}

TEST_P(FrameIndexOf, AnotherNumberOfAtomsIsAnError) {
    write_trajectory(folder_ / ("a" + GetParam()), 2, 0, 10, 12);
    write_trajectory(folder_ / ("b" + GetParam()), 1, 20, 10, 15);
    const std::string a = read_bytes(folder_ / ("a" + GetParam()));
    write_bytes(folder_ / ("c" + GetParam()), a + read_bytes(folder_ / ("b" + GetParam())));
    FrameIndex index(folder_ / ("c" + GetParam()));
    const Error error = error_of([&] { index.refresh(); });
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), testing::HasSubstr("byte " + std::to_string(a.size())));
    EXPECT_EQ(index.size(), 2) << "what was found stays";
}

TEST_P(FrameIndexOf, ShrunkFileIsAnError) {
    write_trajectory(folder_ / ("a" + GetParam()), 2);
    FrameIndex index(folder_ / ("a" + GetParam()));
    index.refresh();
    std::filesystem::resize_file(folder_ / ("a" + GetParam()), 100);
    EXPECT_THAT(error_of([&] { index.refresh(); }).what(), testing::HasSubstr("shrunk"));
}

TEST_P(BinaryFrameIndexOf, StepsBeyond32BitsAreUnwrapped) {
    write_trajectory(folder_ / ("a" + GetParam()), 5, 2147483000, 300);
    FrameIndex index(folder_ / ("a" + GetParam()));
    index.refresh();
    for (std::int64_t i = 0; i < 5; ++i) EXPECT_EQ(index.at(i).step, 2147483000 + 300 * i);
}

INSTANTIATE_TEST_SUITE_P(Formats, BinaryFrameIndexOf, testing::Values(".xtc", ".trr"),
                         [](const auto& info) { return info.param.substr(1); });
INSTANTIATE_TEST_SUITE_P(Formats, FrameIndexOf, testing::Values(".xtc", ".trr", ".gro", ".dcd"),
                         [](const auto& info) { return info.param.substr(1); });

TEST(FrameIndex, MissingFileAndUnknownFormat) {
    FrameIndex index("/nowhere/a.xtc");
    EXPECT_EQ(error_of([&] { index.refresh(); }).kind(), ErrorKind::system);
    EXPECT_EQ(error_of([] { FrameIndex("a.edr"); }).kind(), ErrorKind::usage);
    EXPECT_THAT(error_of([] { FrameIndex("a.unknown"); }).what(), testing::HasSubstr(".xtc"));
    EXPECT_EQ(error_of([&] { index.at(0); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace coromd::trajectory
