// SPDX-License-Identifier: LGPL-3.0-or-later
#include "disk_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/core/error.hpp"

namespace coromd::session {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string shortage(std::uint64_t mib, std::uint64_t inodes) {
    return disk_shortage("/scratch", {}, [=](const std::filesystem::path&) {
        return DiskSpace{mib << 20, inodes};
    });
}

TEST(DiskWatch, TellsWhatThereIsTooLittleOf) {
    EXPECT_EQ(shortage(500, 1000), "");
    EXPECT_THAT(shortage(499, 1000), AllOf(HasSubstr("499 MiB"), HasSubstr("/scratch"), HasSubstr("500")));
    EXPECT_THAT(shortage(500, 999), HasSubstr("999 more files"));
}

TEST(DiskWatch, AsksTheFileSystem) {
    const DiskSpace space = disk_space(testing::TempDir());
    EXPECT_GT(space.bytes, 0u);
    EXPECT_GT(space.inodes, 0u);
    EXPECT_THROW(disk_space("/no/such/place"), Error);
    EXPECT_EQ(disk_shortage("/no/such/place", {}), "") << "who cannot ask goes on";
}

}  // namespace
}  // namespace coromd::session
