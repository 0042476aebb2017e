// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm/duration.hpp"

#include <gtest/gtest.h>

#include "unit/core/fixtures.hpp"

namespace coromd::queue::slurm {
namespace {

using namespace std::chrono_literals;

TEST(SlurmTimeLimit, IsRoundedUpToMinutes) {
    EXPECT_EQ(time_limit(1ms), "0-00:01:00");
    EXPECT_EQ(time_limit(500ms), "0-00:01:00");
    EXPECT_EQ(time_limit(60s), "0-00:01:00");
    EXPECT_EQ(time_limit(60'001ms), "0-00:02:00");
    EXPECT_EQ(time_limit(90min), "0-01:30:00");
    EXPECT_EQ(time_limit(24h), "1-00:00:00");
    EXPECT_EQ(time_limit(24h * 400 + 23h + 59min + 1s), "401-00:00:00");
    EXPECT_EQ(time_limit(24h * 36525), "36525-00:00:00");
}

TEST(SlurmTimeLimit, OfNothingOrOfForEverIsRefused) {
    for (const std::chrono::milliseconds time :
         {std::chrono::milliseconds(0ms), std::chrono::milliseconds(-1ms),
          std::chrono::milliseconds(24h * 36525 + 1ms), std::chrono::milliseconds::max(),
          std::chrono::milliseconds::min()})
        EXPECT_EQ(error_of([&] { time_limit(time); }).kind(), ErrorKind::usage);
}

TEST(SlurmTime, IsReadInAllOfItsForms) {
    EXPECT_EQ(parse_time("90"), 90min);
    EXPECT_EQ(parse_time("2:30"), 2min + 30s);
    EXPECT_EQ(parse_time("01:02:03"), 1h + 2min + 3s);
    EXPECT_EQ(parse_time("2-12"), 60h);
    EXPECT_EQ(parse_time("2-12:30"), 60h + 30min);
    EXPECT_EQ(parse_time("2-12:30:05"), 60h + 30min + 5s);
    EXPECT_EQ(parse_time(" 0:05\n"), 5s);
    EXPECT_EQ(parse_time("100:00:00"), 100h);
    EXPECT_EQ(parse_time("UNLIMITED"), kUnlimited);
    EXPECT_EQ(parse_time("infinite"), kUnlimited);
    EXPECT_EQ(parse_time("-1"), kUnlimited);
    EXPECT_EQ(parse_time("4294967295-4294967295:4294967295:4294967295"),
              4294967295LL * (24h + 1h + 1min + 1s));
}

TEST(SlurmTime, ThatIsNoneIsNothing) {
    for (const char* text : {"", "INVALID", "Partition_Limit", "1h", "1:2:3:4", "1-", "-5", "1-2-3", ":",
                             "1:", ":1", "1.5", "99999999999", "1 2", "+1"})
        EXPECT_EQ(parse_time(text), std::nullopt) << text;
}

TEST(SlurmTime, OfALimitIsReadBack) {
    for (const auto time : {1min, 59min, 60min, 1439min, 1440min, 100'000min})
        EXPECT_EQ(parse_time(time_limit(time)), time);
}

}  // namespace
}  // namespace coromd::queue::slurm
