// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The program dies, and the next one finds what it has left. The first program is played by a queue
// whose ledger does not answer any more, the next one by another queue with a ledger that holds what
// was recorded up to then.
#include "coromd/queue/spool.hpp"
#include "slurm_test.hpp"

namespace coromd::functional {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

class SlurmCrash : public SlurmTest {
protected:
    SlurmCrash() {
        set("lost_after", "1 s");  // of a record that the next program has taken
        // A program that is fenced cannot record anything; that is all that happens to it here.
        ledger_.when_submitted = [this](std::string words) -> task<void> {
            last_words_ = words;
            if (mute_at_.empty() || !words.starts_with(mute_at_)) co_return;
            reached_.set();
            co_await over_.wait();
            if (words.starts_with("slurm ")) fail(ErrorKind::conflict, "another program has the campaign");
        };
        ledger_.when_ended = [this]() -> task<void> {
            reached_.set();
            co_await over_.wait();
            fail(ErrorKind::conflict, "another program has the campaign");
        };
    }

    /// Runs the job until `crash` has come to its end, and then again with what is recorded by then.
    template <typename Crash>
    JobResult run_twice(Job job, Crash crash) {
        auto body = [&]() -> task<JobResult> {
            std::optional<JobResult> result;
            auto first = [&]() -> task<void> {
                try {
                    co_await queue().run(job);
                    ADD_FAILURE() << "the first program goes on";
                } catch (const Error& error) {
                    EXPECT_THAT(error.what(), HasSubstr("another program"));
                }
            };
            auto second = [&]() -> task<void> {
                co_await crash();
                co_await next_ledger_.inherit(job, last_words_);
                next_ = make_queue(next_ledger_);
                result = co_await next_->run(job);
                over_.set();
            };
            co_await runtime::gather(first(), second());
            co_return result.value();
        };
        const JobResult result = context_.run(body());
        // Those that are not wanted any more leave by themselves.
        auto empty = [&] { return slurm("squeue -h").empty(); };
        std::function<bool()> condition = empty;
        context_.run(until(condition));
        return result;
    }
    task<void> until_ended() {
        auto ended = [&] {
            return slurm("squeue -h").empty() && !queue::Spool(file("spool")).records().empty();
        };
        std::function<bool()> condition = ended;
        co_await until(condition);
    }

    std::string mute_at_;
    std::string last_words_;
    Event reached_;
    Event over_;
    TappedLedger next_ledger_;
    std::unique_ptr<queue::Queue> next_;
};

TEST_F(SlurmCrash, BeforeAnythingWasRecorded) {
    auto body = [&]() -> task<JobResult> {
        co_await ledger_.inherit(script("true"), "");
        ledger_.when_ended = []() -> task<void> { co_return; };
        co_return co_await queue().run(script("true"));
    };
    const JobResult result = context_.run(body());
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result.attempt, 2);
    EXPECT_EQ(runs(), 1u);
}

TEST_F(SlurmCrash, BetweenTheIntentAndSbatchAndThatComesLate) {
    mute_at_ = "slurm-intended";
    auto crash = [&]() -> task<void> { co_await reached_.wait(); };
    const JobResult result = run_twice(script("true"), crash);
    EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_EQ(result.attempt, 2);
    // The first program, which was only slow, has submitted its job after all. It has not run.
    EXPECT_THAT(calls("sbatch"), SizeIs(2));
    EXPECT_EQ(runs(), 1u);
}

TEST_F(SlurmCrash, BetweenSbatchAndTheRecordOfItsId) {
    mute_at_ = "slurm ";
    auto crash = [&]() -> task<void> {
        co_await reached_.wait();
        co_await until_ready();
        last_words_ = ledger_.places.at(0);
        EXPECT_THAT(last_words_, StartsWith("slurm-intended "));
        queue::test::write_file(file("go"));
    };
    const JobResult result = run_twice(waiting(), crash);
    EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_EQ(result.attempt, 1);
    EXPECT_THAT(calls("sbatch"), SizeIs(1));
    EXPECT_EQ(runs(), 1u);
}

TEST_F(SlurmCrash, BetweenSbatchAndTheRecordOfItsIdAndTheQueueIsLate) {
    mute_at_ = "slurm ";
    faults("squeue_lag=1h");
    auto crash = [&]() -> task<void> {
        co_await reached_.wait();
        co_await until_ready();
        last_words_ = ledger_.places.at(0);
        queue::test::write_file(file("go"));
    };
    const JobResult result = run_twice(waiting(), crash);
    EXPECT_TRUE(result.ok()) << result.reason;
    // What runs is known by its claim, although SLURM does not tell of it.
    EXPECT_EQ(result.attempt, 1);
    EXPECT_EQ(runs(), 1u);
}

TEST_F(SlurmCrash, BetweenSbatchAndTheRecordOfItsIdAndAllIsOver) {
    setup("--min-job-age 0s");
    mute_at_ = "slurm ";
    auto crash = [&]() -> task<void> {
        co_await reached_.wait();
        co_await until_ended();
        last_words_ = ledger_.places.at(0);
    };
    const JobResult result = run_twice(script("true"), crash);
    EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_EQ(result.attempt, 1);
    EXPECT_EQ(runs(), 1u);
}

TEST_F(SlurmCrash, WhileItWaits) {
    faults("start_delay=1h");
    auto crash = [&]() -> task<void> {
        auto known = [&] { return last_words_.starts_with("slurm "); };
        std::function<bool()> condition = known;
        co_await until(condition);
        co_await until_called("squeue", 1);
        faults("start_delay=off");
    };
    const JobResult result = run_twice(script("true"), crash);
    EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_EQ(result.attempt, 1);
    EXPECT_EQ(runs(), 1u);
}

TEST_F(SlurmCrash, WhileItRuns) {
    auto crash = [&]() -> task<void> {
        co_await until_ready();
        queue::test::write_file(file("go"));
    };
    const JobResult result = run_twice(waiting(), crash);
    EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_EQ(result.attempt, 1);
    EXPECT_EQ(runs(), 1u);
}

TEST_F(SlurmCrash, AfterItsEnd) {
    auto crash = [&]() -> task<void> { co_await until_ended(); };
    const JobResult result = run_twice(script("exit 3"), crash);
    EXPECT_EQ(result.state, JobState::failed);
    EXPECT_EQ(result.exit.exit_code, 3);
    EXPECT_EQ(result.attempt, 1);
    EXPECT_EQ(runs(), 1u);
}

TEST_F(SlurmCrash, AfterItsEndAndSlurmHasForgottenIt) {
    setup("--min-job-age 0s");
    auto crash = [&]() -> task<void> {
        co_await until_ended();
        faults("forget=all");
    };
    const JobResult result = run_twice(script("echo > out"), crash);
    EXPECT_TRUE(result.ok()) << result.reason;
    EXPECT_EQ(result.attempt, 1);
    EXPECT_EQ(runs(), 1u);
    EXPECT_TRUE(fs::exists(file("jobs/job/out")));
}

TEST_F(SlurmCrash, ManyThatRunAreFoundWithFewCalls) {
    constexpr std::size_t kJobs = 12;
    std::vector<Job> jobs;
    std::vector<std::string> words(kJobs);
    for (std::size_t i = 0; i < kJobs; ++i) jobs.push_back(waiting("job" + std::to_string(i)));
    // Here the first program ends in order, but for its ledger.
    auto body = [&]() -> task<void> {
        Event found;
        auto first = [&]() -> task<void> {
            try {
                co_await all(jobs);
                ADD_FAILURE() << "the first program goes on";
            } catch (const Error& error) {
                EXPECT_THAT(error.what(), HasSubstr("another program"));
            }
        };
        auto second = [&]() -> task<void> {
            for (const Job& job : jobs) co_await until_ready(job.key());
            next_ = make_queue(next_ledger_);
            std::vector<task<JobResult>> children;
            for (std::size_t i = 0; i < kJobs; ++i) {
                co_await next_ledger_.inherit(jobs[i], ledger_.places.at(kJobs + i));
                children.push_back(next_->run(jobs[i]));
            }
            const std::size_t before = calls("squeue").size();
            queue::test::write_file(file("go"));
            const std::vector<JobResult> results = co_await runtime::gather(std::move(children));
            for (const JobResult& result : results) EXPECT_TRUE(result.ok()) << result.reason;
            EXPECT_LT(calls("squeue").size() - before, 2 * kJobs);
            over_.set();
        };
        co_await runtime::gather(first(), second());
    };
    context_.run(body());
    EXPECT_EQ(runs(), kJobs);
    EXPECT_THAT(calls("sbatch"), SizeIs(1));
}

}  // namespace
}  // namespace coromd::functional
