// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/campaign/status.hpp"

#include <gmock/gmock.h>

#include "made_campaign.hpp"

namespace coromd::campaign {
namespace {

using queue::JobState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

WalkerRow row(const std::string& phase, double time_ps) {
    WalkerRow walker;
    walker.progress.phase = phase;
    walker.progress.time_ps = time_ps;
    return walker;
}

TEST(TimeLeftTest, EachGoesOnAsThoseDidThatCameAsFar) {
    // From 15 ps on, those of 20 and 40 ps went on for 15 ps in the mean; 86.4 ns/day are 1 ps/s.
    const std::vector<WalkerRow> walkers{row("reached a", 10), row("reached b", 20), row("reached a", 40),
                                         row("running", 15), row("failed", 1)};
    const TimeLeft left = estimate_time_left(walkers, 86.4);
    ASSERT_TRUE(left.seconds);
    EXPECT_DOUBLE_EQ(*left.seconds, 15.0);
    EXPECT_THAT(left.basis, AllOf(HasSubstr("the 3 that have ended"), HasSubstr("86.4 ns/day")));
}

TEST(TimeLeftTest, SaysWhatItDoesNotKnow) {
    EXPECT_THAT(estimate_time_left({}, 1).basis, HasSubstr("no walker has been heard of"));
    const std::vector<WalkerRow> none_ended{row("running", 15), row("failed", 3)};
    EXPECT_FALSE(estimate_time_left(none_ended, 1).seconds);
    const std::vector<WalkerRow> no_rate{row("reached a", 15), row("waiting", 3)};
    EXPECT_THAT(estimate_time_left(no_rate, 0).basis, HasSubstr("its rate"));
    const std::vector<WalkerRow> beyond{row("reached a", 15), row("running", 15)};
    EXPECT_FALSE(estimate_time_left(beyond, 1).seconds);
    const std::vector<WalkerRow> one_beyond{row("reached a", 15), row("running", 20), row("running", 5)};
    const TimeLeft left = estimate_time_left(one_beyond, 86.4);
    EXPECT_DOUBLE_EQ(left.seconds.value_or(0), 10.0);
    EXPECT_THAT(left.basis, HasSubstr("without 1 that went further"));
    const std::vector<WalkerRow> all_ended{row("reached a", 15), row("failed", 3)};
    EXPECT_EQ(estimate_time_left(all_ended, 0).seconds, 0.0);
}

class StatusTest : public MadeCampaign {
protected:
    void fail_job(const std::string& key, const std::string& reason) {
        context.run(campaign->ledger().claim(key, "{}"));
        context.run(campaign->ledger().begin_attempt(key));
        context.run(campaign->ledger().ended(result_of(key, 1, JobState::failed, reason)));
    }
};

TEST_F(StatusTest, AddsUpWhatRuns) {
    walker("walkers/000", 2, true);
    walker("walkers/001", 1, false);
    const Status status = read_status(place);
    EXPECT_EQ(status.activity, Activity::runs);
    ASSERT_TRUE(status.owner);
    EXPECT_EQ(status.owner->pid, ::getpid());
    EXPECT_EQ(status.walkers.size(), 2u);
    EXPECT_EQ(status.ended, 1);
    EXPECT_EQ(status.phases.at("running").walkers, 1);
    EXPECT_EQ(status.parts, 3);
    EXPECT_DOUBLE_EQ(status.time_ps, 30.0);
    EXPECT_DOUBLE_EQ(status.ns_per_day, 86.4) << "only of the one that runs";
    EXPECT_EQ(status.jobs.at(JobState::finished), 5);
    EXPECT_DOUBLE_EQ(status.left.seconds.value_or(-1), 10.0);
    EXPECT_THAT(status.failures, IsEmpty());
}

TEST_F(StatusTest, WhatIsGoneHasNoRate) {
    walker("walkers/000", 2, true);
    walker("walkers/001", 1, false);
    campaign.reset();
    const Status ended = read_status(place);
    EXPECT_EQ(ended.activity, Activity::ended);
    EXPECT_DOUBLE_EQ(ended.ns_per_day, 0.0);
    EXPECT_THAT(ended.left.basis, HasSubstr("no program runs"));
    tamper("UPDATE sessions SET ended_ms = NULL");
    EXPECT_EQ(read_status(place).activity, Activity::killed);
    tamper("DELETE FROM sessions");
    EXPECT_EQ(read_status(place).activity, Activity::never);
}

TEST_F(StatusTest, FailuresAreGroupedButForNumbers) {
    fail_job("a", "no space left");
    fail_job("walkers/001/md", "walker 1: step 17 exploded");
    fail_job("walkers/022/md", "walker 22: step 9 exploded");
    const Status status = read_status(place);
    ASSERT_EQ(status.failures.size(), 2u);
    EXPECT_EQ(status.failures[0].reason, "walker 1: step 17 exploded");
    EXPECT_THAT(status.failures[0].jobs, ElementsAre("walkers/001/md", "walkers/022/md"));
    EXPECT_THAT(status.failures[1].jobs, ElementsAre("a"));
}

TEST_F(StatusTest, OfNoCampaign) {
    EXPECT_EQ(error_of([&] { read_status(folder); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace coromd::campaign
