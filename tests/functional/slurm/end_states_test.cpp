// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Every way in which SLURM may end a job, or begin it again.
#include "slurm_test.hpp"

namespace coromd::functional {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

/// A state in which the jobs are made to end, and what is to be made of it.
struct Forced {
    std::string state;
    FailureClass failure;
};

void PrintTo(const Forced& forced, std::ostream* out) {
    *out << forced.state;
}

class SlurmEndState : public SlurmTest, public testing::WithParamInterface<Forced> {};

TEST_P(SlurmEndState, IsAFailureOfItsClass) {
    setup("--job-requeue 0");
    set("lost_after", "500 ms");
    faults("force_after=200ms force_state=always:" + GetParam().state);
    std::vector<Job> jobs{script("exec sleep 60", "a")};
    // This one is killed, and nobody tells its end. In a state that nobody knows it may well run on.
    if (GetParam().state != "MELTED") jobs.push_back(waiting("b", "trap '' TERM"));
    const std::vector<JobResult> results = run_all(jobs);
    for (const JobResult& result : results) {
        EXPECT_EQ(result.state, JobState::failed);
        EXPECT_EQ(to_string(result.failure), to_string(GetParam().failure)) << result.reason;
        EXPECT_THAT(result.exit.scheduler_state, HasSubstr(GetParam().state));
        EXPECT_FALSE(result.exit.scheduler_job.empty());
        EXPECT_FALSE(result.reason.empty());
        EXPECT_EQ(result.exit.timed_out, GetParam().failure == FailureClass::timeout);
    }
    EXPECT_EQ(slurm("squeue -h -t PD,R,CG"), "");
}

INSTANTIATE_TEST_SUITE_P(States, SlurmEndState,
                         testing::Values(Forced{"NODE_FAIL", FailureClass::infrastructure},
                                         Forced{"BOOT_FAIL", FailureClass::infrastructure},
                                         Forced{"OUT_OF_MEMORY", FailureClass::memory},
                                         Forced{"PREEMPTED", FailureClass::infrastructure},
                                         Forced{"DEADLINE", FailureClass::timeout},
                                         Forced{"REVOKED", FailureClass::infrastructure},
                                         Forced{"TIMEOUT", FailureClass::timeout},
                                         Forced{"CANCELLED", FailureClass::user},
                                         Forced{"SPECIAL_EXIT", FailureClass::infrastructure},
                                         Forced{"MELTED", FailureClass::infrastructure}),
                         [](const auto& info) { return info.param.state; });

class SlurmRequeue : public SlurmTest {};

TEST_F(SlurmRequeue, AJobThatCannotGoOnIsFollowedIntoItsSecondRun) {
    faults("requeue_next=1 force_after=200ms");
    const std::string seen = file("seen").string();
    Job job = script("echo > out; [ -e " + seen + " ] && exit 0; echo > " + seen + "; exec sleep 60");
    const JobResult result = run(job.writes("out"));
    EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_EQ(result.attempt, 1);
    EXPECT_EQ(result.exit.restart, 1);
    EXPECT_EQ(runs(), 2u);
    // Nothing is left of either run but the files.
    EXPECT_THAT(queue::test::names_in(file("jobs/job")), testing::ElementsAre("out"));
    EXPECT_THAT(calls("sbatch"), SizeIs(1));
}

TEST_F(SlurmRequeue, EachRunHasADirectoryOfItsOwn) {
    faults("requeue_next=2 force_after=200ms");
    auto meanwhile = [&]() -> task<void> {
        auto third = [&] { return runs() == 3; };
        std::function<bool()> condition = third;
        co_await until(condition);
        EXPECT_THAT(queue::test::names_in(file("jobs/job")),
                    testing::IsSupersetOf({"job.attempt1", "job.attempt1-1", "job.attempt1-2"}));
        queue::test::write_file(file("go"));
    };
    const std::vector<JobResult> results = run_with({waiting()}, meanwhile);
    EXPECT_TRUE(results[0].ok()) << results[0].reason;
    EXPECT_EQ(results[0].exit.restart, 2);
}

TEST_F(SlurmRequeue, WhoseNodeFailedRunsAgainWithoutARecordOfTheFirst) {
    faults("force_state=1:NODE_FAIL force_after=200ms");
    auto meanwhile = [&]() -> task<void> {
        auto second = [&] { return runs() == 2; };
        std::function<bool()> condition = second;
        co_await until(condition);
        queue::test::write_file(file("go"));
    };
    const std::vector<JobResult> results = run_with({waiting()}, meanwhile);
    EXPECT_TRUE(results[0].ok()) << results[0].reason;
    EXPECT_EQ(results[0].exit.restart, 1);
    EXPECT_EQ(runs(), 2u);
}

TEST_F(SlurmRequeue, WhatARecoverableJobSavedCounts) {
    faults("requeue_next=1 force_after=200ms");
    Job job = waiting("job", "trap 'echo saved > md.cpt; exit 0' TERM");
    job.recoverable().judged_by([](const JobExit& exit, const fs::path& directory) {
        EXPECT_TRUE(exit.terminated);
        return fs::exists(directory / "md.cpt") ? Verdict::good()
                                                : Verdict::bad(FailureClass::user, "nothing was saved");
    });
    const JobResult result = run(job);
    EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_EQ(read("jobs/job/md.cpt"), "saved\n");
    auto empty = [&] { return slurm("squeue -h -t PD,R,CG").empty(); };
    std::function<bool()> condition = empty;
    context_.run(until(condition));
    EXPECT_EQ(runs(), 1u);
}

TEST_F(SlurmRequeue, ByAPersonIsFollowedToo) {
    std::vector<JobResult> results;
    auto meanwhile = [&]() -> task<void> {
        co_await until_ready();
        slurm("scontrol requeue " + only_id());
        auto second = [&] { return runs() == 2; };
        std::function<bool()> condition = second;
        co_await until(condition);
        queue::test::write_file(file("go"));
    };
    results = run_with({waiting()}, meanwhile);
    EXPECT_TRUE(results[0].ok()) << results[0].reason;
    EXPECT_EQ(results[0].exit.restart, 1);
}

TEST_F(SlurmRequeue, AStateThatNobodyKnowsIsNoEndWhileTheJobGivesSignsOfLife) {
    set("lost_after", "300 ms");
    faults("unknown_state=PONDERING");
    auto meanwhile = [&]() -> task<void> {
        co_await until_ready();
        co_await until_called("squeue", 8);
        queue::test::write_file(file("go"));
    };
    const std::vector<JobResult> results = run_with({waiting()}, meanwhile);
    EXPECT_TRUE(results[0].ok()) << results[0].reason;
    EXPECT_EQ(runs(), 1u);
}

TEST_F(SlurmRequeue, ATimeLimitLeavesTimeToStop) {
    // A minute is a second here: the agent itself stops its program in time, without SLURM's doing.
    queue::Resources resources;
    resources.walltime = 3s;
    set("stop_early", "2500 ms");
    Job job = waiting("job", "trap 'echo saved > md.cpt; exit 0' TERM").needs(resources);
    job.judged_by([](const JobExit& exit, const fs::path&) {
        EXPECT_TRUE(exit.timed_out);
        return Verdict::good();
    });
    const JobResult result = run(job);
    EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_EQ(read("jobs/job/md.cpt"), "saved\n");
}

}  // namespace
}  // namespace coromd::functional
