// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm_test.hpp"

namespace coromd::functional {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class SlurmNodes : public SlurmTest {
protected:
    SlurmNodes() {
        setup("--nodes 4 --cores-per-node 2 --job-requeue 0");
        set("lost_after", "300 ms");
    }
    void exclude_for(const std::string& time) {
        Setting::Table nodes;
        nodes["exclusion"] = Setting(time, Origin{});
        set("bad_nodes", nodes);
    }
    std::vector<Job> some(int n) const {
        std::vector<Job> jobs;
        for (int i = 0; i < n; ++i) jobs.push_back(script("sleep 0.05", "job" + std::to_string(i)));
        return jobs;
    }
};

TEST_F(SlurmNodes, ThatFailJobsAreUsedNoMore) {
    retries_.infrastructure = 20;
    faults("bad_nodes=n1");
    for (const JobResult& result : run_all(some(12))) EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_THAT(calls("sbatch"), Contains(HasSubstr("--exclude=n1 ")));
    // Once it is excluded nothing fails any more.
    const std::size_t before = ledger_.ends.size();
    std::vector<Job> more;
    for (int i = 0; i < 8; ++i) more.push_back(script("true", "more" + std::to_string(i)));
    for (const JobResult& result : run_all(more)) EXPECT_EQ(result.attempt, 1);
    EXPECT_EQ(ledger_.ends.size(), before + 8);
}

TEST_F(SlurmNodes, OfTheUsersListStayExcludedToo) {
    Setting::Table options;
    options["exclude"] = Setting(std::string("n2"), Origin{});
    set("options", options);
    retries_.infrastructure = 20;
    faults("bad_nodes=n1");
    for (const JobResult& result : run_all(some(12))) EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_THAT(calls("sbatch").back(), HasSubstr("--exclude=n2,n1 "));
}

TEST_F(SlurmNodes, WhatAProgramDoesIsNoFaultOfItsNode) {
    std::vector<Job> jobs;
    for (int i = 0; i < 12; ++i) jobs.push_back(script("exit 1", "job" + std::to_string(i)));
    for (const JobResult& result : run_all(jobs)) EXPECT_EQ(result.failure, FailureClass::user);
    EXPECT_TRUE(run(script("true")).ok());
    EXPECT_THAT(calls("sbatch"), Each(Not(HasSubstr("--exclude"))));
}

TEST_F(SlurmNodes, ThatAreAlmostAllBadStopTheQueueUntilTheyAreForgiven) {
    exclude_for("3 s");
    faults("bad_nodes=n[1-3] force_after=50ms");
    // More than three on each of the bad ones.
    std::vector<Job> jobs;
    for (int i = 0; i < 16; ++i) jobs.push_back(script("sleep 0.3", "job" + std::to_string(i)));
    std::size_t failed = 0;
    for (const JobResult& result : run_all(jobs)) failed += result.ok() ? 0 : 1;
    EXPECT_GE(failed, 9u);
    faults("clear");
    const std::size_t before = calls("sbatch").size();
    bool waited = false;
    auto meanwhile = [&]() -> task<void> {
        // Longer than any submission takes, and shorter than the exclusion.
        co_await runtime::sleep_for(1s);
        waited = calls("sbatch").size() == before;
    };
    const std::vector<JobResult> results = run_with({script("true", "late")}, meanwhile);
    EXPECT_TRUE(waited) << "it was submitted to nodes that fail all jobs";
    EXPECT_TRUE(results[0].ok()) << results[0].reason;
}

}  // namespace
}  // namespace coromd::functional
