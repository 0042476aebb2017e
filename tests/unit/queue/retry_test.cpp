// SPDX-License-Identifier: LGPL-3.0-or-later
#include "unit/queue/queue_fixture.hpp"

namespace coromd::queue {
namespace {

using namespace test;

class RetryTest : public QueueTest {
protected:
    RetryTest() {
        auto backend = std::make_unique<FakeBackend>(log_);
        backend_ = backend.get();
        Retries retries;
        retries.infrastructure = 2;
        retries.memory = 1;
        retries.delay = std::chrono::milliseconds(1);
        queue_ = std::make_unique<Queue>("fake", context_, ledger_, std::move(backend), retries);
    }
    /// Attempts fail with these causes, one after the other, and then end well.
    void fail_with(std::vector<FailureClass> causes) {
        backend_->program = [causes = std::move(causes),
                             n = std::size_t{0}](fs::path) mutable -> task<JobExit> {
            JobExit exit = exit_with(n < causes.size() ? 1 : 0);
            if (n < causes.size()) exit.cause = causes[n];
            ++n;
            co_return exit;
        };
    }
};

TEST_F(RetryTest, EachClassOfFailureHasABudgetOfItsOwn) {
    fail_with({FailureClass::infrastructure, FailureClass::memory, FailureClass::infrastructure});
    const JobResult result = run(job());
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result.attempt, 4);
}

TEST_F(RetryTest, AnEmptyBudgetEndsIt) {
    fail_with({FailureClass::memory, FailureClass::memory});
    const JobResult result = run(job());
    EXPECT_EQ(result.state, JobState::failed);
    EXPECT_EQ(result.failure, FailureClass::memory);
    EXPECT_EQ(result.attempt, 2);
}

TEST_F(RetryTest, WhatTheUserHasToMendIsNotTriedAgain) {
    fail_with({FailureClass::user});
    EXPECT_EQ(run(job()).attempt, 1);
}

}  // namespace
}  // namespace coromd::queue
