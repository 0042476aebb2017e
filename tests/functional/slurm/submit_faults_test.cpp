// SPDX-License-Identifier: LGPL-3.0-or-later
//
// sbatch that fails, and sbatch of which nobody knows whether it has failed.
#include "slurm_test.hpp"

namespace coromd::functional {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class SlurmSubmit : public SlurmTest {
protected:
    std::vector<Job> many(int n) const {
        std::vector<Job> jobs;
        for (int i = 0; i < n; ++i) jobs.push_back(script("true", "job" + std::to_string(i)));
        return jobs;
    }
    /// Runs `n` jobs that do nothing, which must succeed, each once.
    void run_each_once(int n) {
        const std::vector<JobResult> results = run_all(many(n));
        for (const JobResult& result : results) {
            EXPECT_TRUE(result.ok()) << result.key << ": " << result.reason;
            EXPECT_EQ(result.attempt, 1);
            EXPECT_EQ(runs(result.key), 1u) << result.key;
        }
        EXPECT_EQ(runs(), static_cast<std::size_t>(n));
    }
};

TEST_F(SlurmSubmit, ManyJobsAreOneArray) {
    run_each_once(100);
    EXPECT_THAT(calls("sbatch"), ElementsAre(HasSubstr(" --array=0-99")));
}

TEST_F(SlurmSubmit, ThreeHundredJobsAreAFewArraysOfTheSizeThatIsAllowed) {
    setup("--max-array-size 101 --cores-per-node 16");
    run_each_once(300);
    EXPECT_THAT(calls("sbatch"), SizeIs(3));
}

TEST_F(SlurmSubmit, JobsThatWantOtherThingsAreOtherArrays) {
    std::vector<Job> jobs = many(6);
    queue::Resources two;
    two.cores = 2;
    for (std::size_t i = 0; i < jobs.size(); i += 2) jobs[i].needs(two);
    for (const JobResult& result : run_all(jobs)) EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_THAT(calls("sbatch"), SizeIs(2));
    EXPECT_THAT(calls("sbatch"), Contains(HasSubstr("--cpus-per-task=2")));
}

TEST_F(SlurmSubmit, AnAnswerThatGotLostIsNoReasonToSubmitAgain) {
    faults("lose_answer=1");
    run_each_once(1);
    EXPECT_THAT(calls("sbatch"), SizeIs(1));
}

TEST_F(SlurmSubmit, AnArrayWhoseAnswerGotLostIsFoundToo) {
    faults("lose_answer=1 controller_down.squeue=1");
    run_each_once(20);
    EXPECT_THAT(calls("sbatch"), SizeIs(1));
}

TEST_F(SlurmSubmit, AnAnswerThatMakesNoSenseIsNoReasonToSubmitAgain) {
    // Here nothing was submitted, and the first look at the queue makes no sense either.
    faults("rubbish.sbatch=1 rubbish.squeue=1");
    run_each_once(3);
    EXPECT_THAT(calls("sbatch"), SizeIs(2));
}

TEST_F(SlurmSubmit, ALostAnswerAndAQueueThatPrintsRubbish) {
    faults("lose_answer=1 rubbish.squeue=2");
    run_each_once(3);
    EXPECT_THAT(calls("sbatch"), SizeIs(1));
}

TEST_F(SlurmSubmit, TheControllerIsDownForAWhile) {
    faults("controller_down.sbatch=2 controller_down.squeue=1 controller_down.scontrol=1");
    run_each_once(5);
    EXPECT_THAT(calls("sbatch"), SizeIs(3));
}

TEST_F(SlurmSubmit, ACommandThatHangsIsEndedAndItsJobLookedFor) {
    set("command_timeout", "300 ms");
    faults("controller_hung.sbatch=1:20s controller_hung.squeue=1:20s");
    run_each_once(2);
    EXPECT_THAT(calls("sbatch"), SizeIs(2));
}

TEST_F(SlurmSubmit, ALimitMakesArraysSmallerForAWhileOnly) {
    faults("refuse_submit=2:QOSMaxSubmitJobPerUserLimit");
    run_each_once(32);
    // 32 and 16 were refused, 8 went in, and what is left goes in faster than in pieces of 8.
    EXPECT_THAT(calls("sbatch"), SizeIs(testing::AllOf(testing::Ge(4u), testing::Le(5u))));
}

TEST_F(SlurmSubmit, AUserMayHaveSoManyJobsOnly) {
    setup("--max-submit 6");
    run_each_once(20);
}

TEST_F(SlurmSubmit, TheOthersOfTheUserCountToo) {
    setup("--max-submit 6");
    slurm("for i in 1 2 3 4; do sbatch --wrap \"while [ ! -e '" + file("go").string() +
          "' ]; do sleep 0.01; done\"; done");
    run_each_once(6);
}

TEST_F(SlurmSubmit, WhatSlurmWillNeverTakeFailsAtOnceInItsWords) {
    set("partition", "nowhere");
    try {
        run(script("true"));
        ADD_FAILURE() << "it ran";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("invalid partition specified: nowhere"));
        EXPECT_THAT(error.what(), HasSubstr("'job'"));
    }
    EXPECT_THAT(calls("sbatch"), SizeIs(1));
    EXPECT_EQ(runs(), 0u);
}

TEST_F(SlurmSubmit, WhatIsWrongWithOneKindOfJobIsNotHeldAgainstTheOthers) {
    std::vector<Job> jobs = many(2);
    jobs[0].scheduler_option("nodelist", "n77");
    std::string why;
    auto refused = [&]() -> task<void> {
        try {
            co_await queue().run(jobs[0]);
        } catch (const Error& error) {
            why = error.what();
        }
    };
    std::optional<JobResult> good;
    auto welcome = [&]() -> task<void> { good = co_await queue().run(jobs[1]); };
    auto body = [&]() -> task<void> { co_await runtime::gather(refused(), welcome()); };
    context_.run(body());
    EXPECT_THAT(why, HasSubstr("Invalid node name specified"));
    EXPECT_TRUE(good.value().ok());
}

TEST_F(SlurmSubmit, CommandsThatAreNotThereAreNamed) {
    set("commands", file("no/such").string());
    try {
        run(script("true"));
        ADD_FAILURE() << "it ran";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("no/such"));
    }
}

}  // namespace
}  // namespace coromd::functional
