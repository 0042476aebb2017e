// SPDX-License-Identifier: LGPL-3.0-or-later
//
// SLURM's daemons stop, hang and come back: jobs run on, and none is submitted twice.
#include <set>

#include <unistd.h>

#include "integration/slurm/real_cluster.hpp"

namespace coromd::queue {
namespace {

using namespace test;
using namespace std::chrono_literals;
using testing::Each;
using testing::Pair;

class SlurmOutages : public RealCluster {
protected:
    /// A job that waits for its file `finish`, and counts its runs.
    Job waiting(const std::string& key) const {
        return script(
            key, std::string(kNoteId) + "echo x >> ../runs; while [ ! -e ../finish ]; do sleep 0.1; done");
    }
    void finish(const std::string& key) const { write_file(folder(key) / "finish"); }
    void expect_one_run(const JobResult& result) const {
        EXPECT_TRUE(result.ok()) << result.key << ": " << result.reason;
        EXPECT_EQ(result.attempt, 1) << result.key;
        EXPECT_EQ(output(result.key, "runs"), "x\n") << result.key;
    }
};

TEST_F(SlurmOutages, TheControllerStopsAndHangs) {
    const std::string name = "outage" + std::to_string(::getpid());
    Queue& queue = make_queue({{"lost_after", "5 s"}, {"job_name", name}});
    std::vector<JobResult> results(3);
    Event down;
    Event hangs;
    auto run = [&](std::size_t number, std::string key) -> task<void> {
        results[number] = co_await queue.run(waiting(key));
    };
    auto run_when_down = [&]() -> task<void> {
        co_await down.wait();
        co_await run(1, "while_it_is_down");
    };
    auto run_when_it_hangs = [&]() -> task<void> {
        co_await hangs.wait();
        co_await run(2, "while_it_hangs");
    };
    auto story = [&]() -> task<void> {
        co_await running_id("before");
        co_await fault("stop-controller", "start-controller");
        down.set();
        finish("before");
        // Its record is enough.
        co_await until_ok(results[0]);
        co_await cluster(context_, "start-controller");
        co_await running_id("while_it_is_down");
        co_await fault("hang-controller", "continue-controller");
        hangs.set();
        finish("while_it_is_down");
        co_await until_ok(results[1]);
        // The first sbatch gives up, and will have submitted all the same.
        const std::string sbatch = "pgrep -x sbatch -P " + std::to_string(::getpid());
        co_await until(context_, sbatch);
        const std::string pid = co_await shell(context_, sbatch);
        co_await until(context_, "! kill -0 " + pid);
        co_await cluster(context_, "continue-controller");
        co_await running_id("while_it_hangs");
        finish("while_it_hangs");
    };
    context_.run(runtime::gather(run(0, "before"), run_when_down(), run_when_it_hangs(), story()));
    for (const JobResult& result : results) expect_one_run(result);
    const std::string seen =
        context_.run(shell(context_, "squeue -h -t all -o '%i|%j' | grep '|" + name + "-'"));
    EXPECT_THAT(submissions(seen), testing::SizeIs(3)) << seen;
    EXPECT_THAT(submissions(seen), Each(Pair(testing::_, 1))) << seen;
}

TEST_F(SlurmOutages, ThereIsNoAccounting) {
    context_.run(fault("stop-accounting", "start-accounting"));
    Queue& queue = make_queue({{"lost_after", "5 s"}});
    std::vector<JobResult> results;
    std::vector<task<JobResult>> jobs;
    jobs.push_back(queue.run(script("good", "true")));
    jobs.push_back(queue.run(script("three", "exit 3")));
    jobs.push_back(queue.run(script("cancelled", std::string(kNoteId) + "while :; do sleep 0.1; done")));
    auto run = [&]() -> task<void> { results = co_await runtime::gather(std::move(jobs)); };
    auto cancel = [&]() -> task<void> {
        const std::string id = co_await running_id("cancelled");
        co_await shell(context_, "scancel " + id);
    };
    context_.run(runtime::gather(run(), cancel()));
    EXPECT_TRUE(results[0].ok()) << results[0].reason;
    EXPECT_EQ(results[1].exit.exit_code, 3);
    EXPECT_EQ(results[2].failure, FailureClass::user) << results[2].reason;
}

TEST_F(SlurmOutages, ManyJobsAreOneCallOfSbatch) {
    Queue& queue = make_queue();
    std::vector<task<JobResult>> jobs;
    for (int i = 0; i < 200; ++i)
        jobs.push_back(queue.run(script("job" + std::to_string(i), "echo x >> ../runs")));
    const std::vector<JobResult> results = context_.run(runtime::gather(std::move(jobs)));
    std::set<std::string> arrays;
    for (const JobResult& result : results) {
        expect_one_run(result);
        arrays.insert(result.exit.scheduler_job.substr(0, result.exit.scheduler_job.find('_')));
    }
    EXPECT_LE(arrays.size(), 3u);
}

}  // namespace
}  // namespace coromd::queue
