// SPDX-License-Identifier: LGPL-3.0-or-later
//
// How jobs end on a real cluster, by themselves and by what others do to them.
#include <csignal>

#include "integration/slurm/real_cluster.hpp"

namespace coromd::queue {
namespace {

using namespace test;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

class SlurmEnds : public RealCluster {
protected:
    task<void> time_limit(Queue& queue);
    task<void> cancelled_by_others_while_it_waits(Queue& queue);
    task<void> cancelled_by_others_while_it_runs(Queue& queue);
    task<void> preempted(Queue& queue);
    task<void> element_cancelled_by_others(Queue& queue);

    /// What becomes of the job when its wait is cancelled at the moment that `when` ends.
    task<std::string> cancelled(Queue& queue, Job job, task<void> when) {
        Event now;
        std::string ended;
        auto wait = [&]() -> task<void> {
            co_await std::move(when);
            now.set();
        };
        auto main = [&]() -> task<void> { ended = co_await run_until(now, queue, std::move(job)); };
        co_await runtime::gather(main(), wait());
        co_return ended;
    }
};

TEST_F(SlurmEnds, OfThemselves) {
    Queue& queue = make_queue();
    std::vector<task<JobResult>> jobs;
    jobs.push_back(queue.run(script("good", "echo out; echo err >&2; echo > file").writes("file")));
    jobs.push_back(queue.run(script("three", "exit 3")));
    jobs.push_back(queue.run(script("high", "exit 139")));  // which sacct makes 11
    jobs.push_back(queue.run(script("segv", "kill -SEGV $$")));
    jobs.push_back(
        queue.run(script("gpu", "echo $CUDA_VISIBLE_DEVICES > ids").scheduler_option("gpus", "2")));
    Resources one_gpu;
    one_gpu.gpus = 1;
    jobs.push_back(queue.run(script("needs", "echo $CUDA_VISIBLE_DEVICES > ids").needs(one_gpu)));
    const std::vector<JobResult> results = context_.run(runtime::gather(std::move(jobs)));

    const JobExit& good = results[0].exit;
    EXPECT_TRUE(results[0].ok()) << results[0].reason;
    EXPECT_EQ(good.stdout_tail, "out\n");
    EXPECT_EQ(good.stderr_tail, "err\n");
    EXPECT_THAT(good.node, MatchesRegex("n[1-4]"));
    EXPECT_THAT(good.scheduler_job, MatchesRegex("[0-9]+(_[0-9]+)?"));
    EXPECT_TRUE(good.gpus.empty());
    EXPECT_EQ(results[1].exit.exit_code, 3);
    EXPECT_EQ(results[1].failure, FailureClass::user);
    EXPECT_EQ(results[2].exit.exit_code, 139);
    EXPECT_EQ(results[3].exit.signal, SIGSEGV);
    EXPECT_THAT(results[4].exit.gpus, ElementsAre(0, 1));
    EXPECT_EQ(output("gpu", "ids"), "0,1\n");
    ASSERT_EQ(results[5].exit.gpus.size(), 1u);
    EXPECT_EQ(output("needs", "ids"), std::to_string(results[5].exit.gpus.front()) + "\n");
}

TEST_F(SlurmEnds, ByOurOwnCancellation) {
    Queue& queue = make_queue();
    Job runs =
        script("runs", "trap 'echo saved > md.cpt; exit 1' TERM; echo > ready; while :; do sleep 0.1; done");
    runs.judged_by([](const JobExit& exit, const fs::path&) {
        EXPECT_TRUE(exit.stopped);
        EXPECT_EQ(exit.exit_code, 1);
        return Verdict::good();
    });
    Job waits = script("waits", "echo > ../ran");
    waits.scheduler_option("begin", "now+1hour").scheduler_option("comment", "waits");
    auto both = [&]() -> task<void> {
        const std::string ready = (runs.attempt_directory(1) / "ready").string();
        std::vector<task<std::string>> cancellations;
        cancellations.push_back(cancelled(queue, runs, until(context_, "test -e '" + ready + "'")));
        cancellations.push_back(
            cancelled(queue, waits, until(context_, "squeue -h -t PD -o %k | grep waits")));
        const std::vector<std::string> ended = co_await runtime::gather(std::move(cancellations));
        EXPECT_THAT(ended, ElementsAre("Cancelled", "Cancelled"));
        co_await until(context_, "test -z \"$(squeue -h)\"");
    };
    context_.run(both());
    EXPECT_EQ(output("runs", "md.cpt"), "saved\n");
    EXPECT_THAT(log_, testing::Contains("ended 1 finished"));
    EXPECT_THAT(log_, testing::Contains("ended 1 cancelled"));
    EXPECT_FALSE(fs::exists(folder("waits") / "ran"));
}

task<void> SlurmEnds::time_limit(Queue& queue) {
    Job job = script("limit", "trap '' TERM; " + std::string(kNoteId) + "while :; do sleep 0.1; done");
    JobResult result;
    auto run = [&]() -> task<void> { result = co_await queue.run(job); };
    auto shorten = [&]() -> task<void> {
        const std::string id = co_await running_id("limit");
        co_await shell(context_, "scontrol update jobid=" + id + " timelimit=0");
    };
    co_await runtime::gather(run(), shorten());
    EXPECT_EQ(result.state, JobState::failed);
    EXPECT_EQ(result.failure, FailureClass::timeout) << result.reason;
    EXPECT_TRUE(result.exit.timed_out);
    EXPECT_EQ(result.exit.scheduler_state, "TIMEOUT");
}

task<void> SlurmEnds::cancelled_by_others_while_it_waits(Queue& queue) {
    Job job = script("waits", "echo > ../ran");
    job.scheduler_option("begin", "now+1hour").scheduler_option("comment", "waits");
    JobResult result;
    auto run = [&]() -> task<void> { result = co_await queue.run(job); };
    auto cancel = [&]() -> task<void> {
        const std::string pending = "squeue -h -t PD -o '%i %k' | grep waits";
        co_await until(context_, pending);
        co_await shell(context_, "scancel $(" + pending + " | cut -d ' ' -f 1)");
    };
    co_await runtime::gather(run(), cancel());
    EXPECT_EQ(result.state, JobState::failed);
    EXPECT_EQ(result.failure, FailureClass::user) << result.reason;
    EXPECT_THAT(result.exit.scheduler_state, StartsWith("CANCELLED"));
    EXPECT_FALSE(fs::exists(folder("waits") / "ran"));
}

task<void> SlurmEnds::cancelled_by_others_while_it_runs(Queue& queue) {
    Job job = script("runs", "trap 'echo saved > md.cpt; exit 1' TERM; " + std::string(kNoteId) +
                                 "while :; do sleep 0.1; done");
    JobResult result;
    auto run = [&]() -> task<void> { result = co_await queue.run(job); };
    auto cancel = [&]() -> task<void> {
        const std::string id = co_await running_id("runs");
        co_await shell(context_, "scancel " + id);
    };
    co_await runtime::gather(run(), cancel());
    EXPECT_EQ(result.state, JobState::failed);
    EXPECT_EQ(result.failure, FailureClass::user) << result.reason;
    EXPECT_TRUE(result.exit.terminated);
    EXPECT_EQ(result.exit.exit_code, 1);
    EXPECT_THAT(result.exit.scheduler_state, StartsWith("CANCELLED"));
    EXPECT_EQ(read_text_file(job.attempt_directory(1) / "md.cpt"), "saved\n");
}

/// The scheduler runs it again, in a folder of its own, and that counts.
task<void> SlurmEnds::preempted(Queue& queue) {
    Job job = script("moved", std::string(kNoteId) +
                                  "pwd >> ../runs; pwd > where\n"
                                  "[ ${SLURM_RESTART_COUNT:-0} = 1 ] || while :; do sleep 0.1; done");
    job.scheduler_option("nodelist", "n4").scheduler_option("exclusive", "");
    JobResult result;
    auto run = [&]() -> task<void> { result = co_await queue.run(job); };
    auto preempt = [&]() -> task<void> {
        co_await running_id("moved");
        co_await shell(
            context_,
            "sbatch --partition=high --nodelist=n4 --exclusive --output=/dev/null --wrap 'sleep 1'");
    };
    co_await runtime::gather(run(), preempt());
    EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_EQ(result.attempt, 1);
    EXPECT_EQ(result.exit.restart, 1);
    EXPECT_THAT(output("moved", "where"), HasSubstr("/moved.attempt1-1"));
    EXPECT_THAT(output("moved", "runs"), MatchesRegex("[^\n]*/moved.attempt1\n[^\n]*/moved.attempt1-1\n"));
    EXPECT_THAT(names_in(folder("moved")), ElementsAre("id", "runs", "where"));
}

/// Of an array of four, two run; one of those and one that waits are cancelled by somebody else.
task<void> SlurmEnds::element_cancelled_by_others(Queue& queue) {
    std::vector<task<JobResult>> jobs;
    for (const char* name : {"a", "b", "c", "d"})
        jobs.push_back(queue.run(
            script(name, std::string(kNoteId) + "while [ ! -e ../../finish ]; do sleep 0.1; done")));
    std::vector<JobResult> results;
    auto run = [&]() -> task<void> { results = co_await runtime::gather(std::move(jobs)); };
    auto cancel = [&]() -> task<void> {
        // Those with the lowest indices run.
        co_await until(context_, "test $(cat " + temporary_.path().string() +
                                     "/[abcd]/*.attempt1/id | grep -c '_[01]$') = 2");
        const std::string array =
            "$(cat " + temporary_.path().string() + "/[abcd]/*.attempt1/id | sed 's/_.*//' | head -n 1)";
        co_await shell(context_, "scancel " + array + "_0 " + array + "_3");
        write_file(temporary_.path() / "finish");
    };
    co_await runtime::gather(run(), cancel());
    int good = 0;
    for (const JobResult& result : results) {
        const std::string& id = result.exit.scheduler_job;
        const std::string index = id.substr(id.find('_') + 1);
        const bool was_cancelled = index == "0" || index == "3";
        EXPECT_EQ(result.ok(), !was_cancelled) << id << ": " << result.reason;
        good += result.ok() ? 1 : 0;
        if (index == "0") {
            EXPECT_EQ(result.failure, FailureClass::user) << result.reason;
        }
    }
    EXPECT_EQ(good, 2);
}

// The scheduler takes its time for each of these: they share it.
TEST_F(SlurmEnds, ByWhatOthersDo) {
    Queue& queue = make_queue();
    Queue& throttled = make_queue({{"max_running", "2"}, {"lost_after", "5 s"}});
    context_.run(runtime::gather(time_limit(queue), cancelled_by_others_while_it_waits(queue),
                                 cancelled_by_others_while_it_runs(queue), preempted(queue),
                                 element_cancelled_by_others(throttled)));
}

}  // namespace
}  // namespace coromd::queue
