// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What whoever gives jobs to a queue relies on, whichever kind it is.
#include <csignal>

#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/watch.hpp"
#include "unit/queue/fixtures.hpp"

namespace coromd::queue {
namespace {

using namespace test;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// A kind of queue, and whether its jobs run under the agent.
struct Variant {
    QueueKind kind;
    bool agent;
};

void PrintTo(const Variant& variant, std::ostream* out) {
    *out << variant.kind.name;
}

class QueueContract : public testing::TestWithParam<Variant> {
protected:
    QueueContract() {
        if (needs_cluster()) shell("setup", "--nodes 2 --cores-per-node 4 --minute 1s");
        if (GetParam().kind.name == "srun") enter_allocation();
        queue_ = make_queue(ledger_);
    }
    ~QueueContract() override {
        queue_.reset();
        if (needs_cluster()) shell("stop", "");
        for (const std::string& name : allocation_) ::unsetenv(name.c_str());
    }

    static bool needs_cluster() { return GetParam().kind.name != "local"; }
    /// Makes this process one that runs in a job of the cluster, as far as its environment tells.
    void enter_allocation() {
        const fs::path variables = temporary_.path() / "variables";
        write_file(temporary_.path() / "job.sh", "#!/bin/sh\nenv | grep ^SLURM > " + variables.string() +
                                                     ".new; mv " + variables.string() + ".new " +
                                                     variables.string() + "; exec sleep 1000\n");
        const std::string line = (temporary_.path() / "cluster/bin/sbatch").string() +
                                 " --nodes=2 --ntasks-per-node=4 --time=600 --output=/dev/null " +
                                 (temporary_.path() / "job.sh").string() + " >&2";
        ASSERT_EQ(std::system(line.c_str()), 0);
        context_.run(runtime::wait_until_grown(variables, 0, 2ms));
        std::ifstream in(variables);
        for (std::string text; std::getline(in, text);) {
            const auto equals = text.find('=');
            allocation_.push_back(text.substr(0, equals));
            ::setenv(allocation_.back().c_str(), text.substr(equals + 1).c_str(), 1);
        }
    }
    void shell(const std::string& command, const std::string& arguments) const {
        const std::string line = std::string(COROMD_FAKE_SLURM) + " " + command + " " +
                                 (temporary_.path() / "cluster").string() + " " + arguments + " >&2";
        ASSERT_EQ(std::system(line.c_str()), 0) << line;
    }

    std::unique_ptr<Queue> make_queue(JobLedger& ledger) {
        // No kind insists on a setting; where SLURM's commands are is not known otherwise.
        Setting::Table table;
        if (needs_cluster())
            table["commands"] = Setting((temporary_.path() / "cluster" / "bin").string(), Origin{});
        const Setting setting(std::move(table), Origin{});
        SettingsReader settings(setting, "queues.test");
        const Site site = GetParam().agent ? Site{temporary_.path() / "spool", COROMD_PROGRAM} : Site{};
        auto queue =
            std::make_unique<Queue>("test", context_, ledger, GetParam().kind.make(context_, site, settings));
        settings.finish();
        return queue;
    }

    Job script(const std::string& text, const std::string& key = "job") const {
        Job job(key, {"/bin/sh", "-c", text});
        job.in_directory(temporary_.path() / "walker").grace(1h);
        return job;
    }
    /// A job that says when it runs, and ends when it is told to.
    Job endless(const std::string& first = "") const {
        return script(first + "\necho > ready\nwhile :; do sleep 0.01; done");
    }
    JobResult run(Job job) { return context_.run(queue_->run(std::move(job))); }
    JobResult run_again(Job job) {
        ledger_.forget_claim(job.key());
        return run(std::move(job));
    }
    task<void> until_ready(Job job) {
        co_await runtime::wait_until_grown(job.attempt_directory(1) / "ready", 0, 2ms);
    }
    /// Cancels the job when it runs.
    std::string run_until_ready(Job job) {
        auto body = [&]() -> task<std::string> {
            Event ready;
            std::string ended;
            auto watch = [&]() -> task<void> {
                co_await until_ready(job);
                ready.set();
            };
            auto main = [&]() -> task<void> { ended = co_await run_until(ready, *queue_, job); };
            co_await runtime::gather(main(), watch());
            co_return ended;
        };
        return context_.run(body());
    }
    /// What the ledger heard; of what was recorded as the job's place only the last word.
    Log calls() const {
        Log calls = log_;
        const auto is_place = [](const std::string& call) { return call.starts_with("submitted"); };
        const auto same = [&](const std::string& a, const std::string& b) {
            return is_place(a) && is_place(b);
        };
        const auto end = std::unique(calls.rbegin(), calls.rend(), same);
        calls.erase(calls.begin(), end.base());
        return calls;
    }
    std::string output(const std::string& name) const {
        return read_text_file(temporary_.path() / "walker" / name);
    }

    TemporaryDirectory temporary_;
    runtime::Context context_{2};
    Log log_;
    RecordingLedger ledger_{log_};
    std::vector<std::string> allocation_;  // names of variables
    std::unique_ptr<Queue> queue_;
};

TEST_P(QueueContract, ItHasANameAndADescription) {
    EXPECT_FALSE(GetParam().kind.name.empty());
    EXPECT_FALSE(GetParam().kind.description.empty());
}

TEST_P(QueueContract, AJobRunsInAFolderOfItsOwnAndItsFilesArrive) {
    Job job =
        script("pwd > where; cat > in; echo $A > env; echo {cores} {p} > given; echo out; echo err >&2");
    job.input("text").environment("A", "b").parameter("p", "q").writes("where");
    const JobResult result = run(job);
    ASSERT_TRUE(result.ok()) << result.reason;
    EXPECT_EQ(result.exit.exit_code, 0);
    EXPECT_EQ(result.exit.stdout_tail, "out\n");
    EXPECT_EQ(result.exit.stderr_tail, "err\n");
    EXPECT_FALSE(result.exit.node.empty());
    EXPECT_LE(result.exit.started_ms, result.exit.ended_ms);
    EXPECT_THAT(names_in(temporary_.path() / "walker"), ElementsAre("env", "given", "in", "where"));
    EXPECT_THAT(output("where"), HasSubstr("/walker/job.attempt1"));
    EXPECT_EQ(output("in"), "text");
    EXPECT_EQ(output("env"), "b\n");
    EXPECT_EQ(output("given"), "1 q\n");
}

TEST_P(QueueContract, ItsPlaceIsRecordedWhileItRuns) {
    run(script("true"));
    ASSERT_EQ(calls().size(), 3u);
    EXPECT_THAT(calls()[1], testing::MatchesRegex("submitted 1 '.+'"));
}

TEST_P(QueueContract, WhatIsFinishedIsNotRunAgain) {
    const Job job = script("echo x >> ../runs; echo > out");
    const std::string first = run(job).to_json();
    EXPECT_EQ(run_again(job).to_json(), first);
    EXPECT_EQ(output("runs"), "x\n");
    EXPECT_THAT(calls(), ElementsAre("begin 1", testing::StartsWith("submitted 1"), "ended 1 finished"));
}

TEST_P(QueueContract, AFailureIsAValueAndTriedAgain) {
    const JobResult failed = run(script("[ -e ../mended ]"));
    EXPECT_EQ(failed.state, JobState::failed);
    EXPECT_EQ(failed.exit.exit_code, 1);
    write_file(temporary_.path() / "walker" / "mended");
    EXPECT_EQ(run_again(script("[ -e ../mended ]")).attempt, 2);
}

TEST_P(QueueContract, ASignalIsSeen) {
    const JobResult result = run(script("kill -SEGV $$"));
    EXPECT_EQ(result.exit.signal, SIGSEGV);
    EXPECT_FALSE(result.exit.exit_code);
}

TEST_P(QueueContract, AProgramThatIsNotThereIsNamed) {
    Job job("job", {"no-such-program"});
    job.in_directory(temporary_.path() / "walker");
    try {
        run(job);
        ADD_FAILURE() << "it ran";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("no-such-program"));
        EXPECT_THAT(error.what(), HasSubstr("'job'"));
    }
}

TEST_P(QueueContract, WhatItCanNeverGiveIsRefused) {
    Resources resources;
    resources.cores = 1 << 30;
    EXPECT_THROW(run(script("true").needs(resources)), Error);
}

TEST_P(QueueContract, CancelledItIsStoppedGracefully) {
    const Job job = endless("trap 'echo saved > md.cpt; exit 1' TERM")
                        .judged_by([](const JobExit& exit, const fs::path&) {
                            EXPECT_TRUE(exit.stopped);
                            return Verdict::good();
                        });
    EXPECT_EQ(run_until_ready(job), "Cancelled");
    EXPECT_EQ(log_.back(), "ended 1 finished");
    EXPECT_EQ(output("md.cpt"), "saved\n");
}

TEST_P(QueueContract, AfterItsGraceItIsKilled) {
    Job job = endless("trap '' TERM");
    EXPECT_EQ(run_until_ready(job.grace(20ms)), "Cancelled");
    EXPECT_EQ(log_.back(), "ended 1 cancelled");
}

TEST_P(QueueContract, TheWallTimeIsKept) {
    Resources resources;
    resources.walltime = 300ms;
    const JobResult result = run(endless().needs(resources));
    EXPECT_TRUE(result.exit.timed_out);
    EXPECT_EQ(result.failure, FailureClass::timeout);
}

TEST_P(QueueContract, ASignalReachesTheProgram) {
    if (!GetParam().agent) return;  // it is the agent that sends them
    const Job job = script(
        "trap 'echo got > signal; exit 0' USR1; echo > ready\nwhile :; do sleep 0.01; done", "signalled");
    auto body = [&]() -> task<JobResult> {
        auto send = [&]() -> task<void> {
            co_await until_ready(job);
            queue_->send_signal("signalled", SIGUSR1);
        };
        std::optional<JobResult> result;
        auto main = [&]() -> task<void> { result = co_await queue_->run(job); };
        co_await runtime::gather(main(), send());
        co_return result.value();
    };
    EXPECT_TRUE(context_.run(body()).ok());
    EXPECT_EQ(output("signal"), "got\n");
}

TEST_P(QueueContract, WhatIsLeftBehindIsNotDoubledAndItsWorkCounts) {
    const Job job = script(
                        "trap 'echo saved > md.cpt; exit 1' TERM; echo x >> runs; echo > ready\n"
                        "while [ ! -e finish ]; do sleep 0.01; done; echo saved > md.cpt")
                        .recoverable()
                        .judged_by([](const JobExit&, const fs::path&) { return Verdict::good(); });
    // A second ledger plays that of the next program: it has seen begin and submission, and no end.
    RecordingLedger next_ledger(log_);
    const std::unique_ptr<Queue> next = make_queue(next_ledger);
    auto body = [&]() -> task<JobResult> {
        co_await next_ledger.claim(job.key(), job.specification());
        co_await next_ledger.begin_attempt(job.key());
        next_ledger.forget_claim(job.key());
        std::optional<JobResult> recovered;
        Event done;
        ledger_.before = [&](std::string call) -> task<void> {
            if (call == "ended") co_await done.wait();  // the first program is as good as dead
        };
        auto crash = [&]() -> task<void> {
            co_await until_ready(job);
            std::string submission = log_.back();
            submission = submission.substr(submission.find('\'') + 1);
            submission.pop_back();
            co_await next_ledger.submitted(job.key(), 1, submission);
            // Under the agent it goes on to its own end; a plain child is stopped.
            if (GetParam().agent) write_file(job.attempt_directory(1) / "finish");
            recovered = co_await next->run(job);
            done.set();
        };
        std::vector<task<void>> both;
        both.push_back(crash());
        auto first = [&]() -> task<void> { co_await queue_->run(job); };
        both.push_back(first());
        co_await runtime::gather_outcomes(std::move(both));
        co_return recovered.value();
    };
    const JobResult result = context_.run(body());
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result.attempt, 1);
    EXPECT_EQ(result.exit.known, GetParam().agent);
    EXPECT_EQ(output("md.cpt"), "saved\n");
    EXPECT_EQ(output("runs"), "x\n");
}

TEST_P(QueueContract, ManyJobsRunAndNoneDisturbsAnother) {
    constexpr int kJobs = 40;
    std::vector<task<JobResult>> jobs;
    for (int i = 0; i < kJobs; ++i) {
        const std::string name = std::to_string(i);
        jobs.push_back(
            queue_->run(script("echo " + name + " > out" + name + "; exit " + std::to_string(i % 2), name)));
    }
    const std::vector<JobResult> results = context_.run(runtime::gather(std::move(jobs)));
    for (int i = 0; i < kJobs; ++i) {
        EXPECT_EQ(results[static_cast<std::size_t>(i)].ok(), i % 2 == 0);
        if (i % 2 == 0) {
            EXPECT_EQ(output("out" + std::to_string(i)), std::to_string(i) + "\n");
        }
    }
}

std::vector<Variant> variants() {
    std::vector<Variant> all;
    const Registry<QueueKind> kinds = builtin_queues();
    for (const QueueKind& kind : kinds.entries())
        for (const bool agent : {false, true})
            if (agent || kind.name == "local") all.push_back({kind, agent});
    return all;
}

INSTANTIATE_TEST_SUITE_P(Kinds, QueueContract, testing::ValuesIn(variants()), [](const auto& info) {
    return info.param.kind.name + (info.param.agent ? "_agent" : "_direct");
});

}  // namespace
}  // namespace coromd::queue
