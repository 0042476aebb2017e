// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>

#include "coromd/runtime/gather.hpp"
#include "unit/queue/queue_fixture.hpp"

namespace coromd::queue {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;

class DependencyTest : public QueueTest {
protected:
    Job named(const std::string& name) const {
        Job job("a/" + name, {"true"});
        job.in_directory(directory_);
        return job;
    }
    /// Runs all at once; those that end note it in `ends_`.
    void run_all(std::vector<Job> jobs) {
        std::vector<task<void>> all;
        auto one = [&](Job job) -> task<void> {
            const std::string key = job.key();
            const JobResult result = co_await queue_->run(std::move(job));
            ends_.push_back(key + (result.ok() ? " ok" : " " + result.reason));
        };
        for (Job& job : jobs) all.push_back(one(std::move(job)));
        context_.run(runtime::gather(std::move(all)));
    }
    Log ends_;
};

TEST_F(DependencyTest, AJobRunsAfterTheOneThatItNeeds) {
    backend_->program = [&](fs::path directory) -> task<JobExit> {
        log_.push_back("runs " + directory.filename().string());
        co_await settle();
        co_return exit_with(0);
    };
    run_all({named("first"), named("second").after("a/first"), named("third").after("a/second", After::any)});
    EXPECT_THAT(ends_, ElementsAre("a/first ok", "a/second ok", "a/third ok"));
}

TEST_F(DependencyTest, WhatNeedsAJobThatFailedIsNotRun) {
    backend_->program = [](fs::path) -> task<JobExit> { co_return exit_with(1); };
    run_all({named("first"), named("second").after("a/first")});
    EXPECT_THAT(ends_.at(1), HasSubstr("'a/first', after which it was to run, has not succeeded"));
    EXPECT_EQ(std::ranges::count(log_, "execute"), 1);
    // Nothing was recorded of it: it is tried at the next start.
    ledger_.forget_claim("a/second");
    EXPECT_EQ(context_.run(ledger_.claim("a/second", named("second").specification())).state,
              JobState::unknown);
}

TEST_F(DependencyTest, AfterAnyEndItRuns) {
    backend_->program = [n = 0](fs::path) mutable -> task<JobExit> { co_return exit_with(n++ == 0 ? 1 : 0); };
    run_all({named("first"), named("second").after("a/first", After::any)});
    EXPECT_THAT(ends_, ElementsAre("a/first exit code 1", "a/second ok"));
}

TEST_F(DependencyTest, AJobThatIsNotKnownCannotBeWaitedFor) {
    EXPECT_THAT(error_of(named("second").after("a/first")).message(), HasSubstr("'a/first'"));
}

TEST_F(DependencyTest, OfAGroupOneRunsAtATime) {
    queue_.reset();
    auto backend = std::make_unique<FakeBackend>(log_, 3);
    backend_ = backend.get();
    queue_ = std::make_unique<Queue>("fake", context_, ledger_, std::move(backend));
    int running = 0;
    int most = 0;
    int company = 1;  // with so many each of them waits to run together
    backend_->program = [&](fs::path) -> task<JobExit> {
        most = std::max(most, ++running);
        do co_await settle();
        while (most < company);
        --running;
        co_return exit_with(0);
    };
    run_all({named("a").alone_in("g"), named("b").alone_in("g"), named("c").alone_in("g")});
    EXPECT_EQ(most, 1);
    company = 3;
    run_all({named("d"), named("e").alone_in("g"), named("f").alone_in("h")});
    EXPECT_EQ(most, 3);
}

}  // namespace
}  // namespace coromd::queue
