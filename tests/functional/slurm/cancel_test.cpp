// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Nobody wants the job any more: before it is submitted, while it waits, while it runs.
#include "slurm_test.hpp"

namespace coromd::functional {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Le;
using testing::Not;
using testing::SizeIs;

class SlurmCancel : public SlurmTest {
protected:
    task<void> until_waiting_in_slurm(std::size_t n) {
        auto there = [this, n] {
            const std::string text = slurm("squeue -h -r -t PD -o %i");
            return static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1 == n && !text.empty();
        };
        std::function<bool()> condition = there;
        co_await until(condition);
    }
    task<void> until_empty() {
        auto empty = [&] { return slurm("squeue -h").empty(); };
        std::function<bool()> condition = empty;
        co_await until(condition);
    }
};

TEST_F(SlurmCancel, InTheLineItLeavesNoTrace) {
    faults("refuse_submit=always:QOSMaxSubmitJobPerUserLimit");
    auto refused = [&]() -> task<void> { co_await until_called("sbatch", 2); };
    EXPECT_THAT(cancel_after({script("true", "a"), script("true", "b")}, refused), Each("Cancelled"));
    EXPECT_EQ(runs(), 0u);
    EXPECT_EQ(slurm("squeue -h"), "");
}

TEST_F(SlurmCancel, WhatWaitsInSlurmGoesAtOnce) {
    faults("start_delay=1h");
    auto pending = [&]() -> task<void> { co_await until_waiting_in_slurm(3); };
    EXPECT_THAT(cancel_after({script("true", "a"), script("true", "b"), script("true", "c")}, pending),
                Each("Cancelled"));
    EXPECT_EQ(runs(), 0u);
    EXPECT_EQ(slurm("squeue -h"), "");
    EXPECT_THAT(calls("scancel"), SizeIs(Le(2u)));
}

TEST_F(SlurmCancel, OfAnArrayThatWaitsOneElement) {
    // An element that is cancelled while it waits is found nowhere any more.
    setup("--nodes 1 --cores-per-node 1 --min-job-age 0s");
    std::optional<std::string> how;
    Event stop;
    auto meanwhile = [&]() -> task<void> {
        auto running = [&] { return runs() == 1; };
        std::function<bool()> condition = running;
        co_await until(condition);
        auto third = [&]() -> task<void> {
            how = co_await queue::test::run_until(stop, queue(), waiting("c"));
        };
        auto watch = [&]() -> task<void> {
            co_await until_waiting_in_slurm(2);
            stop.set();
        };
        co_await runtime::gather(third(), watch());
        queue::test::write_file(file("go"));
    };
    for (const JobResult& result : run_with({waiting("a"), waiting("b")}, meanwhile))
        EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_EQ(how, "Cancelled");
    EXPECT_EQ(runs("c"), 0u);
}

TEST_F(SlurmCancel, WhatRunsIsAskedOnceAndItsWorkCounts) {
    const std::string told = file("told").string();
    Job job = waiting("job", "trap 'echo x >> " + told + "; echo saved > md.cpt; sleep 0.3; exit 1' TERM");
    job.judged_by([](const JobExit& exit, const fs::path&) {
        EXPECT_TRUE(exit.stopped);
        return Verdict::good();
    });
    auto ready = [&]() -> task<void> { co_await until_ready(); };
    EXPECT_THAT(cancel_after({job}, ready), Each("Cancelled"));
    EXPECT_EQ(read("told"), "x\n");
    EXPECT_EQ(read("jobs/job/md.cpt"), "saved\n");
    ASSERT_THAT(ledger_.ends, SizeIs(1));
    EXPECT_EQ(ledger_.ends[0].state, JobState::finished);
}

TEST_F(SlurmCancel, TheControllerIsDownMeanwhile) {
    auto ready = [&]() -> task<void> {
        co_await until_ready();
        faults("controller_down=6");
    };
    EXPECT_THAT(cancel_after({waiting()}, ready), Each("Cancelled"));
    context_.run(until_empty());
    EXPECT_EQ(runs(), 1u);
}

TEST_F(SlurmCancel, TheControllerIsDownBeforeItsAnswer) {
    // Nobody knows whether it was submitted; should it begin, it leaves at once.
    faults("lose_answer=1 start_delay=1h controller_down.squeue=1");
    auto submitted = [&]() -> task<void> { co_await until_called("sbatch"); };
    EXPECT_THAT(cancel_after({script("true")}, submitted), Each("Cancelled"));
    faults("start_delay=off");
    context_.run(until_empty());
    EXPECT_EQ(runs(), 0u);
    EXPECT_THAT(calls("sbatch"), SizeIs(1));
}

TEST_F(SlurmCancel, TwoHundredAtOnceNeedFewCalls) {
    setup("--cores-per-node 4");
    constexpr std::size_t kJobs = 200;
    std::vector<Job> jobs;
    for (std::size_t i = 0; i < kJobs; ++i) jobs.push_back(waiting("job" + std::to_string(i)));
    auto some_run = [&]() -> task<void> {
        auto running = [&] { return runs() == 8; };
        std::function<bool()> condition = running;
        co_await until(condition);
    };
    EXPECT_THAT(cancel_after(jobs, some_run), Each("Cancelled"));
    EXPECT_THAT(calls("scancel"), SizeIs(Le(8u)));
    EXPECT_THAT(calls("sbatch"), SizeIs(1));
    EXPECT_EQ(slurm("squeue -h"), "");
    EXPECT_THAT(ledger_.ends, SizeIs(kJobs));
}

TEST_F(SlurmCancel, NoMoreThanMaxJobsAreSubmitted) {
    set("max_jobs", std::int64_t{3});
    std::vector<Job> jobs;
    for (int i = 0; i < 8; ++i) jobs.push_back(waiting("job" + std::to_string(i)));
    auto meanwhile = [&]() -> task<void> {
        auto running = [&] { return runs() == 3; };
        std::function<bool()> condition = running;
        co_await until(condition);
        co_await until_called("squeue", 2);
        EXPECT_EQ(runs(), 3u);
        EXPECT_EQ(std::ranges::count(slurm("squeue -h -r -o %i"), '\n'), 2);
        queue::test::write_file(file("go"));
    };
    for (const JobResult& result : run_with(jobs, meanwhile)) EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_EQ(runs(), 8u);
}

TEST_F(SlurmCancel, NoMoreThanMaxRunningRun) {
    set("max_running", std::int64_t{2});
    std::vector<Job> jobs;
    for (int i = 0; i < 6; ++i) jobs.push_back(waiting("job" + std::to_string(i)));
    auto meanwhile = [&]() -> task<void> {
        auto running = [&] { return runs() == 2; };
        std::function<bool()> condition = running;
        co_await until(condition);
        co_await until_called("squeue", 2);
        EXPECT_EQ(runs(), 2u);
        queue::test::write_file(file("go"));
    };
    for (const JobResult& result : run_with(jobs, meanwhile)) EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_THAT(calls("sbatch"), testing::ElementsAre(HasSubstr("--array=0-5%2")));
}

}  // namespace
}  // namespace coromd::functional
