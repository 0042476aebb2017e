// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/input_file.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "coromd/trajectory/frame_index.hpp"
#include "coromd/trajectory/trajectory.hpp"
#include "testing.hpp"

namespace coromd::trajectory {
namespace {

namespace fs = std::filesystem;

/// Large enough to be mapped.
constexpr std::int64_t kSize = std::int64_t{1} << 20;

class InputFileTest : public testing::Test {
protected:
    fs::path file_of(std::int64_t size) {
        const fs::path path = folder_.path() / "file";
        std::ofstream(path) << std::string(static_cast<std::size_t>(size), 'x');
        return path;
    }

    /// Frames of so many atoms that a few make a large file.
    fs::path trajectory_of(int n_frames) {
        const fs::path path = folder_.path() / "long.trr";
        FrameWriter writer(path);
        for (int i = 0; i < n_frames; ++i) {
            Frame frame;
            frame.step = i;
            frame.time_ps = i;
            frame.positions.assign(1000, Vec3f{1.0F, 2.0F, 3.0F});
            writer.write(frame);
        }
        writer.close();
        return path;
    }

    TemporaryFolder folder_;
};

template <typename Action>
void expect_cut_off(const Action& action) {
    const Error error = error_of(action);
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), testing::HasSubstr("was cut off while it was read"));
}

std::size_t count_of_x(const std::vector<std::byte>& bytes) {
    return static_cast<std::size_t>(std::ranges::count(bytes, std::byte{'x'}));
}

TEST_F(InputFileTest, ReadsUpToTheSizeAtTheStart) {
    const fs::path path = file_of(kSize);
    const InputFile file(path);
    std::ofstream(path, std::ios::app) << "later";
    std::vector<std::byte> bytes(100);
    EXPECT_EQ(file.read_some(kSize - 10, bytes), 10U);
    EXPECT_EQ(file.read_some(kSize, bytes), 0U);
    EXPECT_EQ(file.read_some(kSize + 1000, bytes), 0U);
    EXPECT_EQ(file.read_some(0, bytes), 100U);
    EXPECT_EQ(count_of_x(bytes), 100U);
}

TEST_F(InputFileTest, CutOffWhileOpenIsAnError) {
    for (const std::int64_t size : {kSize, std::int64_t{5000}}) {
        // Within a page, at the end of one, and to nothing.
        for (const std::int64_t left : {std::int64_t{4500}, std::int64_t{4096}, std::int64_t{0}}) {
            const fs::path path = file_of(size);
            const InputFile file(path);
            fs::resize_file(path, static_cast<std::uintmax_t>(left));
            for (const std::size_t n : {std::size_t{4999}, static_cast<std::size_t>(size - 1)}) {
                std::vector<std::byte> bytes(n);
                expect_cut_off([&] { file.read_exactly(1, bytes); });
            }
            std::vector<std::byte> few(8);
            expect_cut_off([&] { file.read_exactly(left + 100, few); });
            std::vector<std::byte> good(static_cast<std::size_t>(left));
            file.read_exactly(0, good);
            EXPECT_EQ(count_of_x(good), good.size());
        }
    }
}

TEST_F(InputFileTest, TrajectoryThatIsCutOffWhileItIsReadIsAnError) {
    const fs::path path = trajectory_of(200);
    const Trajectory trajectory(path, {});
    ASSERT_EQ(trajectory.n_frames(), 200);
    int n_read = 0;
    const auto read = [&] {
        trajectory.for_each_frame({}, [&](const Frame& frame) {
            ASSERT_EQ(frame.positions.back(), (Vec3f{1.0F, 2.0F, 3.0F}));
            if (++n_read == 10) fs::resize_file(path, fs::file_size(path) / 2 + 123);
        });
    };
    expect_cut_off(read);
    EXPECT_EQ(n_read, 100);
}

TEST_F(InputFileTest, CutOffUnderSeveralThreadsIsAnErrorForEach) {
    for (int round = 0; round < 20; ++round) {
        const fs::path path = file_of(4 * kSize);
        const InputFile file(path);
        std::atomic<int> n_errors{0};
        std::atomic<bool> wrong{false};
        const auto read = [&](std::int64_t from) {
            std::vector<std::byte> bytes(1000);
            try {
                for (std::int64_t i = from;; i = (i + 7001) % (4 * kSize - 1000)) {
                    file.read_exactly(i, bytes);
                    if (count_of_x(bytes) != bytes.size()) wrong = true;
                }
            } catch (const Error&) {
                ++n_errors;
            }
        };
        {
            const std::jthread one(read, 0);
            const std::jthread two(read, 2 * kSize);
            fs::resize_file(path, 1000);
        }
        EXPECT_EQ(n_errors, 2);
        EXPECT_FALSE(wrong);
    }
}

TEST_F(InputFileTest, BusErrorsOfOthersStayFatal) {
    const fs::path path = file_of(kSize);
    const InputFile file(path);
    EXPECT_EXIT(std::raise(SIGBUS), testing::KilledBySignal(SIGBUS), "");
}

TEST_F(InputFileTest, MovedFileGoesOnReading) {
    const fs::path path = file_of(kSize);
    InputFile first(path);
    InputFile file(std::move(first));
    std::vector<std::byte> bytes(1000);
    file.read_exactly(kSize - 1000, bytes);
    EXPECT_EQ(count_of_x(bytes), 1000U);
}

}  // namespace
}  // namespace coromd::trajectory
