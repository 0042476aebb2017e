// SPDX-License-Identifier: LGPL-3.0-or-later
//
// squeue and sacct that are late, wrong, or say nothing at all.
#include <csignal>

#include "coromd/queue/spool.hpp"
#include "slurm_test.hpp"

namespace coromd::functional {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class SlurmWatch : public SlurmTest {
protected:
    void go() const { queue::test::write_file(file("go")); }

    /// Three jobs, of which one fails, while something is wrong from the time when all run.
    void three_end_well_although(const std::string& wrong) {
        std::vector<Job> jobs{waiting("a"), waiting("b"), waiting("c")};
        jobs[1] = script(waiting("b").command()[2] + "; exit 7", "b");
        auto meanwhile = [&]() -> task<void> {
            co_await until_ready("a");
            co_await until_ready("b");
            co_await until_ready("c");
            faults(wrong);
            co_await until_called("squeue", 2);
            go();
        };
        const std::vector<JobResult> results = run_with(jobs, meanwhile);
        EXPECT_TRUE(results[0].ok()) << results[0].reason;
        EXPECT_EQ(results[1].state, JobState::failed);
        EXPECT_EQ(results[1].failure, FailureClass::user);
        EXPECT_EQ(results[1].exit.exit_code, 7);
        EXPECT_TRUE(results[2].ok()) << results[2].reason;
        EXPECT_THAT(ledger_.ends, SizeIs(3));
        EXPECT_THAT(calls("sbatch"), SizeIs(1));
    }
};

TEST_F(SlurmWatch, TheControllerIsDown) {
    three_end_well_although("controller_down=always");
}

TEST_F(SlurmWatch, TheControllerHangs) {
    set("command_timeout", "200 ms");
    three_end_well_although("controller_hung=always:20s");
}

TEST_F(SlurmWatch, QueueAndAccountingPrintRubbish) {
    three_end_well_although("rubbish.squeue=always rubbish.sacct=always");
}

TEST_F(SlurmWatch, TheQueueIsSaidToBeEmpty) {
    three_end_well_although("squeue_lag=1h sacct_lag=1h");
}

TEST_F(SlurmWatch, QueueAndAccountingAreLate) {
    faults("squeue_lag=1s sacct_lag=5s sacct_array_lag=5s");
    three_end_well_although("squeue_lag=2s");
}

TEST_F(SlurmWatch, NobodyKnowsAJobThatRunsButItsHeartbeat) {
    set("lost_after", "300 ms");
    auto meanwhile = [&]() -> task<void> {
        co_await until_ready();
        faults("forget=all:live");
        // It is asked for over and over, beyond the time after which others are given up.
        co_await until_called("sacct");
        co_await runtime::sleep_for(1s);
        co_await until_called("squeue", 5);
        go();
    };
    const std::vector<JobResult> results = run_with({waiting()}, meanwhile);
    EXPECT_TRUE(results[0].ok()) << results[0].reason;
    EXPECT_EQ(results[0].attempt, 1);
    EXPECT_EQ(runs(), 1u);
}

class SlurmLost : public SlurmWatch, public testing::WithParamInterface<const char*> {};

TEST_P(SlurmLost, WhatIsForgottenBeforeItRanIsSubmittedAgain) {
    set("lost_after", "300 ms");
    retries_.infrastructure = 1;
    faults(std::string("start_delay=1h ") + GetParam());
    auto meanwhile = [&]() -> task<void> {
        co_await until_called("sbatch");
        co_await until_called("squeue", 2);
        faults("start_delay=off forget=all");
        go();
    };
    const std::vector<JobResult> results = run_with({waiting()}, meanwhile);
    EXPECT_TRUE(results[0].ok()) << results[0].reason;
    EXPECT_EQ(results[0].attempt, 2);
    EXPECT_EQ(runs(), 1u);
    ASSERT_THAT(ledger_.ends, SizeIs(2));
    const JobResult& lost = ledger_.ends[0];
    EXPECT_EQ(lost.failure, FailureClass::infrastructure);
    EXPECT_EQ(lost.exit.scheduler_state, "UNKNOWN");
    for (const char* piece : {"SLURM", "squeue was asked", "never began"})
        EXPECT_THAT(lost.reason, HasSubstr(piece));
}

INSTANTIATE_TEST_SUITE_P(
    Accounting, SlurmLost,
    testing::Values("no_accounting=always", "accounting_down=always", "sacct_lag=1h", "rubbish.sacct=always"),
    [](const auto& info) {
        return std::string(info.param).substr(0, std::string(info.param).find_first_of(".="));
    });

TEST_F(SlurmWatch, TheAccountingKnowsWhatTheQueueHasForgotten) {
    setup("--min-job-age 0s");
    set("lost_after", "3 s");
    // Ended by somebody, with its agent: no record, and squeue has nothing to say any more.
    auto meanwhile = [&]() -> task<void> {
        co_await until_ready();
        slurm("scancel " + only_id());
    };
    Job job = waiting("job", "trap '' TERM");
    const std::vector<JobResult> results = run_with({job}, meanwhile);
    EXPECT_EQ(results[0].state, JobState::failed);
    EXPECT_EQ(results[0].failure, FailureClass::user);
    EXPECT_THAT(results[0].exit.scheduler_state, HasSubstr("CANCELLED"));
}

TEST_F(SlurmWatch, AnIdThatIsUsedAgainIsNotTheJobThatHadIt) {
    set("lost_after", "300 ms");
    std::optional<JobResult> later;
    auto meanwhile = [&]() -> task<void> {
        co_await until_ready("first");
        // SLURM loses the job, which runs on, and gives its id to the next one.
        const std::string id = only_id();
        faults("forget=all:live reuse_ids=" + id);
        Job job = waiting("later");
        auto next = [&]() -> task<void> { later = co_await queue().run(job); };
        auto watch = [&]() -> task<void> {
            co_await until_ready("later");
            EXPECT_EQ(only_id(), id);
            co_await until_called("squeue", 5);
            go();
        };
        co_await runtime::gather(next(), watch());
    };
    const std::vector<JobResult> results = run_with({waiting("first")}, meanwhile);
    EXPECT_TRUE(results[0].ok()) << results[0].reason;
    EXPECT_TRUE(later.value().ok()) << later.value().reason;
    EXPECT_EQ(runs(), 2u);
}

TEST_F(SlurmWatch, AnIdThatSomebodyElseHasNowIsLeftAlone) {
    set("lost_after", "300 ms");
    std::optional<JobResult> second;
    auto meanwhile = [&]() -> task<void> {
        co_await until_ready("lost");
        const std::string id = only_id();
        faults("forget=" + id + " reuse_ids=" + id);
        slurm("sbatch --job-name=other --wrap \"" + waiting("other").command()[2] + "\"");
        // One more of ours, so that the queue is at work all the time.
        Job job = waiting("second");
        auto next = [&]() -> task<void> { second = co_await queue().run(job); };
        auto watch = [&]() -> task<void> {
            co_await until_ready("other");
            co_await until_ready("second");
            // The processes of the lost one are gone without a word: they give no sign of life any more.
            slurm("find '" + file("spool/claims").string() + "' -name '" + queue::run_id("lost", 1).text() +
                  "' -exec touch -d '1 hour ago' {} +");
            auto given_up = [&] { return ledger_.ends.size() == 1; };
            std::function<bool()> condition = given_up;
            co_await until(condition);
            co_await until_called("squeue", 3);
            EXPECT_EQ(slurm("squeue -h --name=other -o '%i %T'"), id + " RUNNING");
            go();
        };
        co_await runtime::gather(next(), watch());
    };
    const std::vector<JobResult> results = run_with({waiting("lost")}, meanwhile);
    EXPECT_EQ(results[0].failure, FailureClass::infrastructure);
    EXPECT_THAT(results[0].reason, HasSubstr("left no record"));
    EXPECT_TRUE(second.value().ok()) << second.value().reason;
}

TEST_F(SlurmWatch, AJobWhoseAgentIsSilentIsGivenUpAlthoughItRunsInSlurmsEyes) {
    set("heartbeat", "50 ms");
    auto meanwhile = [&]() -> task<void> {
        co_await until_ready();
        const queue::Spool spool(file("spool"));
        const auto runner = spool.runner(queue::run_id("job", 1));
        ::kill(runner.value().pid, SIGSTOP);
    };
    const std::vector<JobResult> results = run_with({waiting()}, meanwhile);
    EXPECT_EQ(results[0].failure, FailureClass::infrastructure);
    EXPECT_THAT(results[0].reason, HasSubstr("no sign of life"));
}

}  // namespace
}  // namespace coromd::functional
