// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm/node_health.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/core/fixtures.hpp"

namespace coromd::queue::slurm {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class SlurmNodeHealth : public testing::Test {
protected:
    std::optional<ClusterLevel> fail_on(const std::vector<std::string>& nodes, int times = 1) {
        std::optional<ClusterLevel> level;
        for (int i = 0; i < times; ++i) {
            const auto change = ended(nodes, FailureClass::infrastructure);
            if (change) level = change;
        }
        return level;
    }
    std::optional<ClusterLevel> ended(const std::vector<std::string>& nodes, FailureClass failure) {
        return health_.ended("job.attempt" + std::to_string(++attempt_), nodes, failure, now_);
    }
    void succeed_on(const std::string& node, int times) {
        for (int i = 0; i < times; ++i) ended({node}, FailureClass::none);
    }

    int attempt_ = 0;
    NodeHealth::Time now_{1000h};
    NodeHealth health_;
};

TEST_F(SlurmNodeHealth, ExcludesANodeAfterThreeFailures) {
    fail_on({"n2"}, 2);
    fail_on({"n1"}, 2);
    EXPECT_THAT(health_.excluded(now_), IsEmpty());
    fail_on({"n2"});
    EXPECT_THAT(health_.excluded(now_), ElementsAre("n2"));
    fail_on({"n1"});
    EXPECT_THAT(health_.excluded(now_), ElementsAre("n1", "n2"));
}

TEST_F(SlurmNodeHealth, DoesNotBlameNodesForPrograms) {
    for (int i = 0; i < 20; ++i)
        for (const FailureClass failure : {FailureClass::user, FailureClass::timeout, FailureClass::memory})
            ended({"n1"}, failure);
    EXPECT_THAT(health_.excluded(now_), IsEmpty());
}

TEST_F(SlurmNodeHealth, CountsAnAttemptOnceOnEachOfItsNodes) {
    const std::vector<std::string> nodes{"n1", "n2", "n1", "n1"};
    for (int i = 0; i < 5; ++i) health_.ended("a.attempt1", nodes, FailureClass::infrastructure, now_);
    EXPECT_THAT(health_.excluded(now_), IsEmpty());
    health_.ended("a.attempt2", nodes, FailureClass::infrastructure, now_);
    health_.ended("b.attempt1", std::vector<std::string>{"n2"}, FailureClass::infrastructure, now_);
    EXPECT_THAT(health_.excluded(now_), ElementsAre("n2"));
}

TEST_F(SlurmNodeHealth, ForgivesAFailureForFiftySuccesses) {
    fail_on({"n1"}, 2);
    succeed_on("n1", 50);
    fail_on({"n1"});
    EXPECT_THAT(health_.excluded(now_), IsEmpty());
    succeed_on("n1", 49);
    fail_on({"n1"});
    EXPECT_THAT(health_.excluded(now_), ElementsAre("n1"));
    succeed_on("n1", 1);  // of jobs that ran there already
    EXPECT_THAT(health_.excluded(now_), IsEmpty());
    succeed_on("n1", 1000);
    fail_on({"n1"}, 2);
    EXPECT_THAT(health_.excluded(now_), IsEmpty());
}

TEST_F(SlurmNodeHealth, SuccessesBeforeAreNoCredit) {
    succeed_on("n1", 1000);
    fail_on({"n1"}, 3);
    EXPECT_THAT(health_.excluded(now_), ElementsAre("n1"));
}

TEST_F(SlurmNodeHealth, ExclusionEndsAndThenOneFailureIsEnough) {
    fail_on({"n1"}, 3);
    now_ += 1h - 1ns;
    EXPECT_THAT(health_.excluded(now_), ElementsAre("n1"));
    now_ += 1ns;
    EXPECT_THAT(health_.excluded(now_), IsEmpty());
    fail_on({"n1"});
    EXPECT_THAT(health_.excluded(now_), ElementsAre("n1"));
    now_ += 1h;
    succeed_on("n1", 50);
    fail_on({"n1"});
    EXPECT_THAT(health_.excluded(now_), ElementsAre("n1"));
    now_ += 1h;
    succeed_on("n1", 100);
    fail_on({"n1"});
    EXPECT_THAT(health_.excluded(now_), IsEmpty());
}

TEST_F(SlurmNodeHealth, TellsEachLevelOnce) {
    health_.cluster_nodes(8);
    EXPECT_EQ(fail_on({"n1"}, 3), std::nullopt);
    EXPECT_EQ(fail_on({"n2"}, 3), ClusterLevel::warn_quarter);
    EXPECT_EQ(fail_on({"n2"}, 3), std::nullopt);
    EXPECT_EQ(fail_on({"n3"}, 3), std::nullopt);
    EXPECT_EQ(fail_on({"n4"}, 3), ClusterLevel::warn_half);
    EXPECT_EQ(fail_on({"n5"}, 3), std::nullopt);
    EXPECT_EQ(fail_on({"n6"}, 3), ClusterLevel::stop);
    EXPECT_EQ(fail_on({"n7"}, 3), std::nullopt);
    EXPECT_EQ(health_.level(now_), ClusterLevel::stop);
    EXPECT_EQ(health_.level_change(now_), std::nullopt);
    now_ += 1h;
    EXPECT_EQ(health_.level_change(now_), ClusterLevel::none);
    EXPECT_EQ(health_.level_change(now_), std::nullopt);
}

TEST_F(SlurmNodeHealth, KnowsNoLevelWithoutTheNumberOfNodes) {
    EXPECT_EQ(fail_on({"n1", "n2", "n3"}, 5), std::nullopt);
    EXPECT_EQ(health_.level(now_), ClusterLevel::none);
}

TEST_F(SlurmNodeHealth, ItsNumbersCanBeChosen) {
    NodeHealthOptions options;
    options.failures = 1;
    options.successes = 1;
    options.exclusion = 1min;
    health_ = NodeHealth(options);
    fail_on({"n1"});
    EXPECT_THAT(health_.excluded(now_), ElementsAre("n1"));
    EXPECT_THAT(health_.excluded(now_ + 1min), IsEmpty());
    succeed_on("n1", 1);
    EXPECT_THAT(health_.excluded(now_), IsEmpty());
    for (int* number : {&options.failures, &options.successes}) {
        *number = 0;
        EXPECT_EQ(error_of([&] { NodeHealth{options}; }).kind(), ErrorKind::usage);
        *number = 1;
    }
}

}  // namespace
}  // namespace coromd::queue::slurm
