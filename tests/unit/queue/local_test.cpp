// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The local queue with real programs: small shell scripts that say by a file when they are ready.
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

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
using testing::IsEmpty;

/// For the end of a shell script that waits to be stopped: `sleep` would outlive the signal.
const std::string kWaitForEver = "\necho > ready\nwhile :; do sleep 0.01; done";

class LocalTest : public testing::Test {
protected:
    LocalTest() { use(2); }

    void use(int cores) {
        auto backend = local_backend(context_, cores);
        backend_ = backend.get();
        queue_ = std::make_unique<Queue>("local", context_, ledger_, std::move(backend));
    }

    Job script(const std::string& text, const std::string& key = "job") const {
        Job job(key, {"/bin/sh", "-c", text});
        job.in_directory(temporary_.path()).grace(1h);
        return job;
    }
    JobResult run(Job job) { return context_.run(queue_->run(std::move(job))); }
    std::string output(const std::string& name) const { return read_text_file(temporary_.path() / name); }

    /// Runs the job, cancels it when it has written `ready`.
    std::string run_until_ready(Job job) {
        auto body = [&]() -> task<std::string> {
            Event ready;
            auto watch = [&]() -> task<void> {
                co_await runtime::wait_until_grown(job.attempt_directory(1) / "ready", 0, 2ms);
                ready.set();
            };
            std::string ended;
            auto main = [&]() -> task<void> { ended = co_await run_until(ready, *queue_, job); };
            co_await runtime::gather(main(), watch());
            co_return ended;
        };
        return context_.run(body());
    }
    /// What the ledger knows of the last attempt.
    JobResult known(const Job& job) {
        ledger_.forget_claim(job.key());
        return *context_.run(ledger_.claim(job.key(), job.specification())).result;
    }

    /// A program of an earlier run, in the first attempt directory of `job`, with its streams going to
    /// the files there or elsewhere.
    runtime::Process leave_behind(const Job& job, const std::string& text, bool with_streams = true) {
        const fs::path directory = job.attempt_directory(1);
        fs::create_directories(directory);
        runtime::Command command({"/bin/sh", "-c", text + kWaitForEver});
        command.working_directory(directory);
        if (with_streams) command.output_files(directory / "job.out", directory / "job.err");
        return runtime::Process::start(context_, command);
    }
    /// Runs the job as the next program would, whose ledger says that attempt 1 began and was
    /// submitted as `submission`.
    JobResult run_after_crash(Job job, std::string submission) {
        auto body = [&]() -> task<JobResult> {
            co_await ledger_.claim(job.key(), job.specification());
            co_await ledger_.begin_attempt(job.key());
            if (!submission.empty()) co_await ledger_.submitted(job.key(), 1, submission);
            ledger_.forget_claim(job.key());
            co_await runtime::wait_until_grown(job.attempt_directory(1) / "ready", 0, 2ms);
            co_return co_await queue_->run(job);
        };
        return context_.run(body());
    }
    static std::string submission_of(const runtime::Process& process) {
        return fmt::format("child {}:{}:{}", runtime::boot_id(), process.pid(), process.start_time());
    }
    std::optional<int> signal_that_ended(runtime::Process& process) {
        return context_.run(process.wait()).signal;
    }
    void kill_and_wait(runtime::Process& process) {
        process.signal_group(SIGKILL);
        context_.run(process.wait());
    }
    /// Waits until a process that is no child of ours is gone.
    void wait_for_end(pid_t pid) {
        if (const auto start_time = runtime::process_start_time(pid))
            context_.run(runtime::wait_for_foreign(pid, *start_time));
    }

    TemporaryDirectory temporary_;
    runtime::Context context_{2};
    Log log_;
    RecordingLedger ledger_{log_};
    Backend* backend_ = nullptr;
    std::unique_ptr<Queue> queue_;
};

TEST_F(LocalTest, RunsAProgramAndKeepsWhatItLeft) {
    const JobResult result =
        run(script("echo said; echo complained >&2; echo content > md.xtc; pwd > where"));
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result.exit.exit_code, 0);
    EXPECT_EQ(result.exit.stdout_tail, "said\n");
    EXPECT_EQ(result.exit.stderr_tail, "complained\n");
    EXPECT_FALSE(result.exit.node.empty());
    EXPECT_LE(result.exit.started_ms, result.exit.ended_ms);
    EXPECT_GT(result.exit.started_ms, 1'600'000'000'000);
    EXPECT_GT(result.exit.peak_memory_kib, 0u);
    EXPECT_FALSE(result.exit.stopped || result.exit.timed_out);
    EXPECT_THAT(names_in(temporary_.path()), ElementsAre("md.xtc", "where"));
    EXPECT_THAT(output("where"), HasSubstr("/job.attempt1\n"));
}

TEST_F(LocalTest, AFailureKeepsItsDirectory) {
    const JobResult result = run(script("echo why >&2; exit 3"));
    EXPECT_EQ(result.state, JobState::failed);
    EXPECT_EQ(result.exit.exit_code, 3);
    EXPECT_EQ(output("job.attempt1/job.err"), "why\n");
    const JobResult killed = run(script("kill -SEGV $$", "killed"));
    EXPECT_EQ(killed.reason, "killed by signal 11 (Segmentation fault)");
    EXPECT_FALSE(killed.exit.exit_code);
}

TEST_F(LocalTest, InputAndEnvironmentReachTheProgram) {
    Job job = script("cat > in; echo \"$GMX_MAXBACKUP\" > env");
    run(job.input("Protein\n").environment("GMX_MAXBACKUP", "-1"));
    EXPECT_EQ(output("in"), "Protein\n");
    EXPECT_EQ(output("env"), "-1\n");
}

TEST_F(LocalTest, NothingPassesThroughAShell) {
    Job job("job", {"/bin/sh", "-c", "echo \"$1\" > out", "sh", "$(id) `id` ; * {none} {"});
    run(job.in_directory(temporary_.path()));
    EXPECT_EQ(output("out"), "$(id) `id` ; * {none} {\n");
}

TEST_F(LocalTest, ParametersAreFilledInOnce) {
    Job job = script("echo '{a}{b} {c} {{a}} {cores' > out");
    run(job.parameter("a", "{b}").parameter("b", "2").parameter("cores", "99"));
    EXPECT_EQ(output("out"), "{b}2 {c} {{b}} {cores\n");
}

TEST_F(LocalTest, CoresAreWhatTheQueueGaveAndNotAParameter) {
    Resources two;
    two.cores = 2;
    Job job = script("echo {cores} > out");
    run(job.needs(two).parameter("cores", "99"));
    EXPECT_EQ(output("out"), "2\n");
}

/// Two that run at once, each waiting for the other, and what they were given.
TEST_F(LocalTest, NeighbouringCoresArePinnedWhereTheMachineIsOurs) {
    cpu_set_t usable;
    ASSERT_EQ(::sched_getaffinity(0, sizeof usable, &usable), 0);
    const bool ours = CPU_COUNT(&usable) == ::sysconf(_SC_NPROCESSORS_CONF) && CPU_COUNT(&usable) >= 2;
    auto meet = [&](const std::string& me, const std::string& other) {
        const std::string folder = temporary_.path().string() + "/";
        return script("echo '{pin} {first_core}' > " + me + "; cp " + me + " " + folder + "meet." + me +
                          "; until [ -s " + folder + "meet." + other + " ]; do sleep 0.01; done",
                      me);
    };
    std::vector<task<JobResult>> jobs;
    jobs.push_back(queue_->run(meet("a", "b")));
    jobs.push_back(queue_->run(meet("b", "a")));
    context_.run(runtime::gather(std::move(jobs)));
    EXPECT_THAT((std::vector{output("a"), output("b")}),
                ours ? testing::UnorderedElementsAre("on 0\n", "on 1\n")
                     : testing::UnorderedElementsAre("auto 0\n", "auto 0\n"));
}

TEST_F(LocalTest, WhereThereAreMoreJobsThanCoresNothingIsPinned) {
    use(100'000 / 2);
    run(script("echo '{pin} {first_core}' > out"));
    EXPECT_EQ(output("out"), "auto 0\n");
}

TEST_F(LocalTest, OfEightJobsOnTwoCoresTwoRunAndSixWaitInOrder) {
    std::vector<int> order;
    int running = 0;
    int most = 0;
    auto one = [&](int i) -> task<void> {
        const Job job("job", {"true"});
        const std::unique_ptr<Admission> admission = co_await backend_->admit(job);
        order.push_back(i);
        most = std::max(most, ++running);
        co_await settle();
        --running;
    };
    std::vector<task<void>> jobs;
    for (int i = 0; i < 8; ++i) jobs.push_back(one(i));
    context_.run(runtime::gather(std::move(jobs)));
    EXPECT_EQ(most, 2);
    EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
}

TEST_F(LocalTest, WhatThisMachineDoesNotHaveIsRefused) {
    Resources cores;
    cores.cores = 3;
    Resources gpus;
    gpus.gpus = 1 << 10;
    Resources nodes;
    nodes.nodes = 2;
    Resources memory;
    memory.memory_mib = std::uint64_t{1} << 40;
    for (const Resources& needs : {cores, gpus, nodes, memory}) {
        Job job = script("true");
        try {
            run(job.needs(needs));
            ADD_FAILURE() << "it ran";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            EXPECT_THAT(error.what(), HasSubstr("'job'"));
        }
    }
    EXPECT_TRUE(run(script("true")).ok());
}

TEST_F(LocalTest, AProgramThatIsNotThereIsAnErrorThatNamesIt) {
    Job job("job", {"no-such-program", "--help"});
    job.in_directory(temporary_.path());
    try {
        run(job);
        ADD_FAILURE() << "it ran";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::system);
        EXPECT_STREQ(error.what(), "job 'job', attempt 1:\n  'no-such-program' was not found in PATH");
    }
    EXPECT_EQ(known(job).state, JobState::failed);
}

TEST_F(LocalTest, ACancelledProgramMayFinishItsWork) {
    const Job job = script("trap 'echo saved > md.cpt; exit 1' TERM" + kWaitForEver)
                        .judged_by([](const JobExit& exit, const fs::path&) {
                            EXPECT_TRUE(exit.stopped);
                            EXPECT_EQ(exit.exit_code, 1);
                            return Verdict::good();
                        });
    EXPECT_EQ(run_until_ready(job), "Cancelled");
    EXPECT_EQ(output("md.cpt"), "saved\n");
    EXPECT_TRUE(known(job).ok());
}

TEST_F(LocalTest, AProgramThatIgnoresSigtermIsKilledWithAllItStarted) {
    Job job = script("trap '' TERM; sleep 1000 & echo $! > child" + kWaitForEver);
    EXPECT_EQ(run_until_ready(job.grace(20ms)), "Cancelled");
    const JobResult result = known(job);
    EXPECT_EQ(result.state, JobState::cancelled);
    EXPECT_EQ(result.exit.signal, SIGKILL);
    EXPECT_TRUE(result.exit.stopped);
    wait_for_end(std::stoi(output("job.attempt1/child")));
}

TEST_F(LocalTest, SigtermIsForTheProgramAlone) {
    // The child would say so; it is killed with the group when the program has ended.
    const Job job = script(
        "(trap 'echo > child.term' TERM; echo > child.ready; while :; do sleep 0.01; done) & "
        "trap 'sleep 0.1; echo > term; exit 0' TERM; "
        "until [ -e child.ready ]; do sleep 0.01; done" +
        kWaitForEver);
    EXPECT_EQ(run_until_ready(job), "Cancelled");
    EXPECT_THAT(names_in(job.attempt_directory(1)),
                ElementsAre("child.ready", "job.err", "job.out", "ready", "term"));
}

TEST_F(LocalTest, WhatAProgramLeavesRunningEndsWithIt) {
    EXPECT_TRUE(run(script("sleep 1000 & echo $! > child")).ok());
    wait_for_end(std::stoi(output("child")));
}

TEST_F(LocalTest, TheWallTimeEndsAProgram) {
    Resources resources;
    resources.walltime = 50ms;
    const JobResult result = run(script(kWaitForEver).needs(resources));
    EXPECT_EQ(result.state, JobState::failed);
    EXPECT_EQ(result.failure, FailureClass::timeout);
    EXPECT_EQ(result.reason, "stopped at its wall time");
    EXPECT_TRUE(result.exit.timed_out);
    EXPECT_FALSE(result.exit.stopped);
    EXPECT_EQ(result.exit.signal, SIGTERM);
}

TEST_F(LocalTest, AWallTimeThatIsNotReachedChangesNothing) {
    Resources resources;
    resources.walltime = 1h;
    EXPECT_TRUE(run(script("true").needs(resources)).ok());
}

TEST_F(LocalTest, WhereItsPlaceCannotBeRecordedTheProgramIsStopped) {
    pid_t pid = 0;
    ledger_.before = [&](std::string call) -> task<void> {
        if (call != "submitted") co_return;
        co_await runtime::wait_until_grown(temporary_.path() / "job.attempt1/ready", 0, 2ms);
        pid = std::stoi(output("job.attempt1/pid"));
        fail(ErrorKind::conflict, "another program has taken over");
    };
    const Job job = script("echo $$ > pid" + kWaitForEver);
    try {
        run(job);
        ADD_FAILURE() << "it went on";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::conflict);
    }
    ASSERT_GT(pid, 0);
    EXPECT_FALSE(runtime::process_start_time(pid));
    EXPECT_EQ(known(job).state, JobState::failed);
}

TEST_F(LocalTest, ARunningJobIsRecordedByBootPidAndStartTime) {
    run(script("echo $$ > pid"));
    EXPECT_THAT(log_[1], testing::MatchesRegex("submitted 1 'child " + runtime::boot_id() + ":" +
                                               std::to_string(std::stoi(output("pid"))) + ":[0-9]+'"));
}

TEST_F(LocalTest, ALeftoverIsStoppedGracefullyAndItsWorkCounts) {
    Job job = script("echo anew > md.cpt");
    job.recoverable().judged_by([](const JobExit& exit, const fs::path& where) {
        EXPECT_FALSE(exit.known);
        return fs::exists(where / "md.cpt") ? Verdict::good()
                                            : Verdict::bad(FailureClass::user, "no checkpoint");
    });
    runtime::Process leftover = leave_behind(job, "trap 'echo saved > md.cpt; exit 1' TERM");
    const JobResult result = run_after_crash(job, submission_of(leftover));
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result.attempt, 1);
    EXPECT_EQ(output("md.cpt"), "saved\n");
    EXPECT_FALSE(signal_that_ended(leftover));
}

TEST_F(LocalTest, ALeftoverThatIgnoresSigtermIsKilledWithAllItStarted) {
    const Job job = script("true").grace(20ms);
    runtime::Process leftover = leave_behind(job, "trap '' TERM; sleep 1000 & echo $! > child");
    EXPECT_EQ(run_after_crash(job, submission_of(leftover)).attempt, 2);
    EXPECT_EQ(signal_that_ended(leftover), SIGKILL);
    wait_for_end(std::stoi(output("job.attempt1/child")));
}

TEST_F(LocalTest, ALeftoverWhosePlaceWasNotRecordedIsFoundByItsStreams) {
    const Job job = script("true");
    runtime::Process leftover = leave_behind(job, "");
    EXPECT_EQ(run_after_crash(job, "").attempt, 2);
    EXPECT_EQ(signal_that_ended(leftover), SIGTERM);
}

TEST_F(LocalTest, WhoOnlyLooksAtTheFilesIsLeftAlone) {
    const Job job = script("true");
    runtime::Process person = leave_behind(job, "", false);
    EXPECT_EQ(run_after_crash(job, "").attempt, 2);
    EXPECT_FALSE(person.ended());
    kill_and_wait(person);
}

TEST_F(LocalTest, AProcessThatIsNotTheLeftoverIsLeftAlone) {
    Job job = script("true");
    runtime::Process other = leave_behind(job, "");
    const std::string pid = std::to_string(other.pid());
    const std::string boot = runtime::boot_id();
    int number = 0;
    for (const std::string& submission :
         {boot + ":" + pid + ":1", "another-boot:" + pid + ":" + other.start_time(), boot + ":-1:1",
          boot + ":0:1", boot + ":1:" + *runtime::process_start_time(1),
          boot + ":" + pid + "x:" + other.start_time(), boot + ":99999999999999999999:1", boot,
          std::string(":"), std::string("::"), std::string("nonsense")}) {
        // A key of its own for each, in the directory of the process.
        Job next("job" + std::to_string(++number), job.command());
        next.in_directory(temporary_.path());
        fs::create_directory_symlink(job.attempt_directory(1), next.attempt_directory(1));
        EXPECT_EQ(run_after_crash(next, "child " + submission).attempt, 2) << submission;
        EXPECT_FALSE(other.ended()) << submission;
    }
    kill_and_wait(other);
}

TEST_F(LocalTest, WhatAnotherKindOfQueueHasIsNotTouched) {
    const Job job = script("true");
    runtime::Process other = leave_behind(job, "");
    try {
        run_after_crash(job, "slurm 12_3");
        ADD_FAILURE() << "it was run a second time";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::conflict);
        EXPECT_THAT(error.what(), HasSubstr("slurm 12_3"));
    }
    EXPECT_FALSE(other.ended());
    kill_and_wait(other);
}

TEST_F(LocalTest, NoDescriptorIsLeftOpen) {
    run(script("true", "first"));
    const std::size_t before = count_open_files();
    for (int i = 0; i < 5; ++i) run(script("exit 1", "job" + std::to_string(i)));
    Job stopped = script(kWaitForEver, "stopped");
    run_until_ready(stopped);
    EXPECT_EQ(count_open_files(), before);
}

class LocalSettings : public testing::Test {
protected:
    std::unique_ptr<Backend> make(Setting::Table table) {
        const Setting setting(std::move(table), Origin{"campaign.toml", 3, 1});
        SettingsReader reader(setting, "queues.local");
        auto backend = builtin_queues().at("local").make(context_, Site{}, reader);
        reader.finish();
        return backend;
    }
    bool can_run(Backend& backend, int cores) {
        Resources resources;
        resources.cores = cores;
        Job job("job", {"true"});
        job.needs(resources);
        try {
            return context_.run(backend.admit(job)) != nullptr;
        } catch (const Error&) {
            return false;
        }
    }
    static Setting cores(std::int64_t n) { return Setting(n, Origin{"campaign.toml", 4, 9}); }

    runtime::Context context_{1};
};

TEST_F(LocalSettings, SayHowManyCores) {
    const auto backend = make({{"cores", cores(3)}});
    EXPECT_TRUE(can_run(*backend, 3));
    EXPECT_FALSE(can_run(*backend, 4));
}

TEST_F(LocalSettings, WithoutThemItIsAllThatThisProcessMayUse) {
    cpu_set_t usable;
    ASSERT_EQ(::sched_getaffinity(0, sizeof usable, &usable), 0);
    const auto backend = make({});
    EXPECT_TRUE(can_run(*backend, CPU_COUNT(&usable)));
    EXPECT_FALSE(can_run(*backend, CPU_COUNT(&usable) + 1));
}

TEST_F(LocalSettings, GpusAreANumberOrIds) {
    const auto can_run = [&](Setting gpus, int wanted) {
        const auto backend = make({{"gpus", std::move(gpus)}});
        Resources resources;
        resources.gpus = wanted;
        Job job("job", {"true"});
        job.needs(resources);
        try {
            return context_.run(backend->admit(job)) != nullptr;
        } catch (const Error&) {
            return false;
        }
    };
    const auto number = [](std::int64_t n) { return Setting(n, Origin{"campaign.toml", 5, 9}); };
    EXPECT_TRUE(can_run(number(2), 2));
    EXPECT_FALSE(can_run(number(2), 3));
    EXPECT_TRUE(can_run(Setting(Setting::Array{number(0), number(3)}, Origin{}), 2));
    EXPECT_THROW(make({{"gpus", Setting(Setting::Array{number(1), number(1)}, Origin{})}}), Error);
    EXPECT_THROW(make({{"gpus", number(-1)}}), Error);
}

TEST_F(LocalSettings, NumbersThatMakeNoSenseAreRefusedWithTheirPlace) {
    for (const std::int64_t n :
         {std::int64_t{0}, std::int64_t{-1}, std::int64_t{65537}, (std::int64_t{1} << 32) + 1}) {
        try {
            make({{"cores", cores(n)}});
            ADD_FAILURE() << n;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            EXPECT_THAT(error.what(), HasSubstr("campaign.toml:4:9"));
        }
    }
}

}  // namespace
}  // namespace coromd::queue
