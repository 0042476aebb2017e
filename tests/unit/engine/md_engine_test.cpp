// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/engine/md_engine.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

#include "coromd/core/error.hpp"
#include "unit/core/fixtures.hpp"

namespace coromd::engine {
namespace {

using namespace std::chrono_literals;

TEST(RunLimits, AreEmptyAtFirstAndKeepWhatTheyAreGiven) {
    RunLimits limits;
    EXPECT_FALSE(limits.total_steps());
    EXPECT_FALSE(limits.walltime());
    limits.total_steps(std::int64_t{1} << 40).walltime(1ms);
    EXPECT_EQ(limits.total_steps(), std::int64_t{1} << 40);
    EXPECT_EQ(limits.walltime(), 1ms);
    EXPECT_EQ(RunLimits().total_steps(0).total_steps(), 0);
}

TEST(RunLimits, RefuseWhatIsNoLimit) {
    EXPECT_EQ(error_of([] { RunLimits().total_steps(-1); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { RunLimits().walltime(0ms); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { RunLimits().walltime(-5s); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace coromd::engine
