// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The life of a job in every kind of queue, with a backend that runs nothing.
#include "coromd/queue/queue.hpp"

#include <csignal>

#include "coromd/runtime/gather.hpp"
#include "unit/queue/queue_fixture.hpp"

namespace coromd::queue {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(QueueTest, EachStepIsDurableBeforeTheNext) {
    ledger_.before = [&](std::string call) -> task<void> {
        EXPECT_EQ(fs::exists(directory_), call != "begin");
        EXPECT_FALSE(fs::exists(directory_ / "md.xtc"));
        co_return;
    };
    const JobResult result = run(job().on_start([&](const fs::path& where) {
        log_.push_back("on start");
        EXPECT_EQ(where, attempt(1));
        EXPECT_THAT(names_in(where), IsEmpty());
    }));
    EXPECT_THAT(log_, ElementsAre("admit", "begin 1", "on start", "execute", "submitted 1 'here'",
                                  "give back", "ended 1 finished"));
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result.key, "a/job");
    EXPECT_EQ(result.attempt, 1);
    EXPECT_EQ(result.failure, FailureClass::none);
    ASSERT_EQ(result.files.size(), 1u);
    EXPECT_EQ(result.files[0].name, "md.xtc");
    EXPECT_EQ(result.files[0].size, 7u);
    EXPECT_THAT(names_in(directory_), ElementsAre("md.xtc"));
}

TEST_F(QueueTest, WhatIsFinishedIsAnsweredFromTheLedger) {
    const std::string first = run(job()).to_json();
    fs::remove(directory_ / "md.xtc");  // the user's right
    EXPECT_EQ(run_again(job()).to_json(), first);
    EXPECT_THAT(log_, IsEmpty());
}

TEST_F(QueueTest, AKeyIsUsedOnceInARun) {
    run(job());
    EXPECT_EQ(error_of(job()).kind(), ErrorKind::conflict);
}

TEST_F(QueueTest, AKeyStaysWithItsSpecification) {
    run(job());
    ledger_.forget_claim("a/job");
    const Error error = error_of(job().environment("A", "new"));
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error.what(), HasSubstr("+"));
    EXPECT_THAT(error.what(), HasSubstr("\"new\""));
}

TEST_F(QueueTest, AFailureIsAValueAndIsTriedAgainAtTheNextStart) {
    write_and_exit(3);
    const JobResult failed = run(job());
    EXPECT_EQ(failed.state, JobState::failed);
    EXPECT_EQ(failed.failure, FailureClass::user);
    EXPECT_EQ(failed.reason, "exit code 3");
    EXPECT_THAT(failed.files, IsEmpty());
    EXPECT_THAT(names_in(directory_), ElementsAre("job.attempt1"));
    write_and_exit(0);
    EXPECT_TRUE(run_again(job()).ok());
    EXPECT_THAT(log_, testing::Contains("begin 2"));
    EXPECT_THAT(names_in(directory_), ElementsAre("job.attempt1", "md.xtc"));
}

TEST_F(QueueTest, OnlyFilesMove) {
    backend_->program = [](fs::path directory) -> task<JobExit> {
        write_file(directory / "a");
        write_file(directory / "empty", "");
        write_file(directory / "job.out");
        write_file(directory / "job.err");
        fs::create_directory(directory / "folder");
        co_return exit_with(0);
    };
    run(job());
    EXPECT_THAT(names_in(directory_), ElementsAre("a", "empty"));
}

TEST_F(QueueTest, WhatLiesInTheWayOfAnAttemptIsRemoved) {
    fs::create_directories(attempt(1) / "folder");
    write_file(attempt(1) / "stale.xtc");
    run(job());
    EXPECT_THAT(names_in(directory_), ElementsAre("md.xtc"));
}

TEST_F(QueueTest, AnOutputMustBeThereAndNotEmpty) {
    EXPECT_EQ(run(job().writes("md.cpt")).reason, "exit code 0, but 'md.cpt' was not written");
    backend_->program = [](fs::path directory) -> task<JobExit> {
        write_file(directory / "md.cpt", "");
        co_return exit_with(0);
    };
    const JobResult result = run_again(job().writes("md.cpt"));
    EXPECT_EQ(result.state, JobState::failed);
    EXPECT_EQ(result.failure, FailureClass::user);
    EXPECT_EQ(result.reason, "exit code 0, but 'md.cpt' is empty");
}

TEST_F(QueueTest, AnOutputIsAskedForWhateverTheJudgeSays) {
    const Judge kind = [](const JobExit&, const fs::path&) { return Verdict::good(); };
    EXPECT_EQ(run(job().writes("md.cpt").judged_by(kind)).state, JobState::failed);
}

TEST_F(QueueTest, AJudgeSeesFilesAndLastWords) {
    backend_->program = [](fs::path directory) -> task<JobExit> {
        write_file(directory / "job.out", "said");
        write_file(directory / "job.err", "complained");
        write_file(directory / "md.log");
        co_return exit_with(1);
    };
    const JobResult result = run(job().judged_by([this](const JobExit& exit, const fs::path& where) {
        EXPECT_EQ(exit.exit_code, 1);
        EXPECT_EQ(exit.stdout_tail, "said");
        EXPECT_EQ(exit.stderr_tail, "complained");
        EXPECT_EQ(where, attempt(1));
        EXPECT_TRUE(fs::exists(where / "md.log"));
        return Verdict::good();
    }));
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result.exit.stderr_tail, "complained");
}

TEST_F(QueueTest, AJudgeThatThrowsMakesTheAttemptAFailedOne) {
    const JobResult result = run(job().judged_by(
        [](const JobExit&, const fs::path&) -> Verdict { throw std::out_of_range("no such frame"); }));
    EXPECT_EQ(result.state, JobState::failed);
    EXPECT_EQ(result.failure, FailureClass::infrastructure);
    EXPECT_EQ(result.reason, "exit code 0, but it cannot be judged: no such frame");
    EXPECT_EQ(log_.back(), "ended 1 failed");
    EXPECT_EQ(run_again(job().judged_by([](const JobExit&, const fs::path&) -> Verdict { throw 1; })).state,
              JobState::failed);
}

TEST_F(QueueTest, TheWallTimeIsAFailureOfItsOwnClass) {
    JobExit exit = exit_with(0);
    exit.timed_out = true;
    exit_as(exit);
    const JobResult result = run(job());
    EXPECT_EQ(result.state, JobState::failed);
    EXPECT_EQ(result.failure, FailureClass::timeout);
    EXPECT_EQ(result.reason, "stopped at its wall time");
    const JobResult judged = run_again(job().judged_by(
        [](const JobExit&, const fs::path&) { return Verdict::bad(FailureClass::user, "half a log"); }));
    EXPECT_EQ(judged.failure, FailureClass::timeout);
    EXPECT_EQ(judged.reason, "half a log");
    const JobResult accepted =
        run_again(job().judged_by([](const JobExit&, const fs::path&) { return Verdict::good(); }));
    EXPECT_TRUE(accepted.ok());
    EXPECT_EQ(accepted.failure, FailureClass::none);
}

TEST_F(QueueTest, AProgramThatSomebodyKilledMayBeTriedAgain) {
    JobExit exit;
    exit.signal = SIGKILL;
    exit_as(exit);
    EXPECT_EQ(run(job()).failure, FailureClass::infrastructure);
    exit.signal = SIGSEGV;
    exit_as(exit);
    EXPECT_EQ(run_again(job()).failure, FailureClass::user);
}

TEST_F(QueueTest, AProgramThatCannotBeStartedIsAnErrorAndARecordedFailure) {
    backend_->program = [](fs::path) -> task<JobExit> {
        fail(ErrorKind::system, "'gmx' was not found in PATH");
        co_return JobExit{};
    };
    const Error error = error_of(job());
    EXPECT_EQ(error.kind(), ErrorKind::system);
    EXPECT_STREQ(error.what(), "job 'a/job', attempt 1:\n  'gmx' was not found in PATH");
    EXPECT_EQ(log_.back(), "ended 1 failed");
    EXPECT_EQ(known().result->failure, FailureClass::infrastructure);
    write_and_exit(0);
    EXPECT_EQ(run_again(job()).attempt, 2);
}

TEST_F(QueueTest, AFolderThatCannotBeMadeIsAnErrorAndARecordedFailure) {
    write_file(temporary_.path() / "new");
    const Error error = error_of(job());
    EXPECT_EQ(error.kind(), ErrorKind::system);
    EXPECT_THAT(error.what(), HasSubstr((temporary_.path() / "new").string()));
    EXPECT_THAT(log_, ElementsAre("admit", "begin 1", "give back", "ended 1 failed"));
}

TEST_F(QueueTest, AnErrorThatManyShareIsNotChanged) {
    const Error shared(ErrorKind::system, "disk full");
    const std::exception_ptr thrown = std::make_exception_ptr(shared);
    ledger_.before = [&](std::string call) -> task<void> {
        if (call == "submitted") std::rethrow_exception(thrown);
        co_return;
    };
    EXPECT_THAT(error_of(job()).what(), HasSubstr("'a/job'"));
    EXPECT_EQ(describe(thrown), "disk full");
}

TEST_F(QueueTest, WhatCanNeverRunGivesTheKeyBack) {
    Resources resources;
    resources.gpus = 1;
    EXPECT_EQ(error_of(job().needs(resources)).kind(), ErrorKind::usage);
    EXPECT_THAT(log_, ElementsAre("release"));
    EXPECT_TRUE(run(job()).ok());
}

TEST_F(QueueTest, AnAttemptThatCannotBeBegunGivesKeyAndCoresBack) {
    ledger_.before = [](std::string) -> task<void> {
        fail(ErrorKind::system, "disk full");
        co_return;
    };
    EXPECT_EQ(error_of(job()).message(), "disk full");
    EXPECT_THAT(log_, ElementsAre("admit", "give back", "release"));
    EXPECT_FALSE(fs::exists(directory_));
    ledger_.before = [](std::string) -> task<void> { co_return; };
    EXPECT_TRUE(run(job()).ok());
}

TEST_F(QueueTest, CancelledInTheLineItGivesTheKeyBack) {
    auto body = [&]() -> task<std::string> {
        const runtime::Permit taken = co_await backend_->one_at_a_time.acquire();
        Event stop;
        stop.set();
        co_return co_await run_until(stop, *queue_, job());
    };
    EXPECT_EQ(context_.run(body()), "Cancelled");
    EXPECT_THAT(log_, ElementsAre("release"));
    EXPECT_EQ(run(job()).attempt, 1);
}

TEST_F(QueueTest, CancelledBetweenBeginAndStartItRunsNothing) {
    Event stop;
    ledger_.before = [&](std::string call) -> task<void> {
        if (call != "begin") co_return;
        stop.set();
        try {
            co_await runtime::shield(settle());
        } catch (const Cancelled&) {
        }
    };
    EXPECT_EQ(context_.run(run_until(stop, *queue_, job())), "Cancelled");
    EXPECT_THAT(log_, ElementsAre("admit", "begin 1", "give back", "ended 1 cancelled"));
    EXPECT_EQ(known().result->failure, FailureClass::none);
}

TEST_F(QueueTest, CancelledByTheProgramItRunsWhenTheNextOneAsksForIt) {
    JobExit exit;
    exit.signal = SIGTERM;
    run_until_stopped(exit);
    EXPECT_EQ(context_.run(run_until(running_, *queue_, job())), "Cancelled");
    EXPECT_EQ(log_.back(), "ended 1 cancelled");
    EXPECT_FALSE(fs::exists(directory_ / "md.cpt"));
    backend_->program = [](fs::path) -> task<JobExit> { co_return exit_with(0); };
    const JobResult result = run_again(job());
    EXPECT_EQ(result.state, JobState::finished);
    EXPECT_EQ(result.attempt, 2);
}

TEST_F(QueueTest, CancelledByAShutdownItGoesOnAtTheNextStart) {
    JobExit exit;
    exit.signal = SIGTERM;
    run_until_stopped(exit);
    auto stop = [&]() -> task<void> {
        co_await running_.wait();
        context_.request_stop();
    };
    std::vector<task<void>> both;
    auto run_job = [&]() -> task<void> { co_await queue_->run(job()); };
    both.push_back(run_job());
    both.push_back(stop());
    EXPECT_THROW(context_.run(runtime::gather(std::move(both))), Cancelled);
    EXPECT_EQ(log_.back(), "ended 1 interrupted");

    runtime::Context next;
    auto backend = std::make_unique<FakeBackend>(log_);
    backend->program = [](fs::path) -> task<JobExit> { co_return exit_with(0); };
    Queue queue("next", next, ledger_, std::move(backend));
    ledger_.forget_claim("a/job");
    EXPECT_EQ(next.run(queue.run(job())).attempt, 2);
}

TEST_F(QueueTest, WhatAStoppedProgramLeftCountsIfItsJudgeSaysSo) {
    run_until_stopped(exit_with(1));
    const Judge kind = [](const JobExit& exit, const fs::path&) {
        EXPECT_TRUE(exit.stopped);
        return Verdict::good();
    };
    EXPECT_EQ(context_.run(run_until(running_, *queue_, job().judged_by(kind))), "Cancelled");
    EXPECT_EQ(log_.back(), "ended 1 finished");
    EXPECT_THAT(names_in(directory_), ElementsAre("md.cpt"));
    EXPECT_TRUE(run_again(job()).ok());
}

TEST_F(QueueTest, WithoutAJudgeAStoppedProgramHasNotFinished) {
    run_until_stopped(exit_with(0));
    EXPECT_EQ(context_.run(run_until(running_, *queue_, job())), "Cancelled");
    EXPECT_EQ(log_.back(), "ended 1 cancelled");
}

TEST_F(QueueTest, AMoveThatWasCutShortIsCompleted) {
    leave_finished({{"md.cpt", 7}, {"md.xtc", 7}, {"removed", 7}});
    write_file(directory_ / "md.cpt", "moved");
    write_file(attempt(1) / "md.xtc", "not yet");
    write_file(attempt(1) / "job.err");
    write_file(attempt(1) / "unknown");  // written after the acceptance: nobody vouches for it
    EXPECT_TRUE(run_again(job()).ok());
    EXPECT_THAT(log_, IsEmpty());
    EXPECT_THAT(names_in(directory_), ElementsAre("md.cpt", "md.xtc"));
    EXPECT_EQ(read_text_file(directory_ / "md.cpt"), "moved");
    EXPECT_EQ(read_text_file(directory_ / "md.xtc"), "not yet");
    EXPECT_THAT(backend_->forgotten, ElementsAre("1 for good"));
    EXPECT_TRUE(run_again(job()).ok());
    EXPECT_THAT(backend_->forgotten, SizeIs(1)) << "all was done";
}

TEST_F(QueueTest, WhatAnEarlierProgramHadNoTimeToForgetIsForgotten) {
    exit_as(exit_with(3));
    EXPECT_FALSE(run(job()).ok());
    write_and_exit(0);
    EXPECT_TRUE(run_again(job()).ok());
    EXPECT_THAT(backend_->forgotten, ElementsAre("1 for now", "1 for now", "2 for good"));
}

TEST_F(QueueTest, AMoveThatFailsIsRepeatedAndTheWorkIsNotLost) {
    fs::create_directories(directory_ / "md.xtc");
    EXPECT_EQ(error_of(job()).kind(), ErrorKind::system);
    EXPECT_EQ(log_.back(), "ended 1 finished");
    ledger_.forget_claim("a/job");
    EXPECT_EQ(error_of(job()).kind(), ErrorKind::system);
    fs::remove(directory_ / "md.xtc");
    EXPECT_TRUE(run(job()).ok());  // the key was given back
    EXPECT_THAT(names_in(directory_), ElementsAre("md.xtc"));
}

TEST_F(QueueTest, AnAttemptThatWasLeftBehindIsEndedBeforeTheNext) {
    leave_behind("pid 7");
    write_file(attempt(1) / "md.xtc", "half of it");
    EXPECT_TRUE(run_again(job()).ok());
    EXPECT_THAT(log_, ElementsAre("reattach 'pid 7' in job.attempt1", "admit", "begin 2", "execute",
                                  "submitted 2 'here'", "give back", "ended 2 finished"));
    EXPECT_EQ(read_text_file(directory_ / "md.xtc"), "content");
}

TEST_F(QueueTest, AnAttemptThatWasNeverSubmittedIsLookedForAsWell) {
    leave_behind("");
    run_again(job());
    EXPECT_EQ(log_.front(), "reattach '' in job.attempt1");
}

TEST_F(QueueTest, WhatWentOnWithoutUsCountsIfItsFilesSaySo) {
    leave_behind("pid 7");
    write_file(attempt(1) / "md.log", "Finished mdrun");
    write_file(attempt(1) / "job.err", "thanks");
    const Judge by_the_log = [](const JobExit& exit, const fs::path& where) {
        EXPECT_FALSE(exit.known);
        EXPECT_EQ(exit.stderr_tail, "thanks");
        return fs::exists(where / "md.log") ? Verdict::good() : Verdict::bad(FailureClass::user, "no log");
    };
    const JobResult result = run_again(job().recoverable().judged_by(by_the_log));
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result.attempt, 1);
    EXPECT_THAT(log_, ElementsAre("reattach 'pid 7' in job.attempt1", "ended 1 finished"));
    EXPECT_THAT(names_in(directory_), ElementsAre("md.log"));
}

TEST_F(QueueTest, WhatWentOnWithoutUsAndIsNotGoodIsRunAgain) {
    leave_behind("pid 7");
    const Judge strict = [](const JobExit& exit, const fs::path&) {
        return exit.known ? Verdict::good() : Verdict::bad(FailureClass::user, "no log");
    };
    EXPECT_EQ(run_again(job().recoverable().judged_by(strict)).attempt, 2);
    EXPECT_THAT(log_, testing::IsSupersetOf({"ended 1 interrupted", "begin 2", "ended 2 finished"}));
}

TEST_F(QueueTest, WithoutItsDirectoryNothingIsRecovered) {
    leave_behind("");
    fs::remove_all(directory_);
    const Judge kind = [](const JobExit&, const fs::path&) { return Verdict::good(); };
    EXPECT_EQ(run_again(job().recoverable().judged_by(kind)).attempt, 2);
}

TEST_F(QueueTest, CancelledWhileALeftoverEndsItGivesTheKeyBack) {
    leave_behind("pid 7");
    ledger_.forget_claim("a/job");
    log_.clear();
    Event waiting;
    backend_->leftover = [&]() -> task<std::optional<JobExit>> {
        waiting.set();
        co_await runtime::sleep_for(runtime::test::kForever);
        co_return std::nullopt;
    };
    EXPECT_EQ(context_.run(run_until(waiting, *queue_, job())), "Cancelled");
    EXPECT_THAT(log_, ElementsAre("reattach 'pid 7' in job.attempt1", "release"));
    const Claim left = known();
    EXPECT_EQ(left.state, JobState::started);
    EXPECT_EQ(left.submission, "pid 7");
}

TEST_F(QueueTest, AnAttemptThatAnEarlierProgramBeganIsGoneOnWith) {
    leave_behind("pid 7");
    ledger_.forget_claim("a/job");
    log_.clear();
    backend_->leftover = []() -> task<std::optional<JobExit>> { co_return exit_with(0); };
    const JobResult result = run(job());
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result.attempt, 1);
    EXPECT_THAT(log_, ElementsAre("reattach 'pid 7' in job.attempt1", "ended 1 finished"));
}

TEST_F(QueueTest, AnAttemptWhoseEndNobodySawIsRunAgain) {
    leave_behind("pid 7");
    ledger_.forget_claim("a/job");
    backend_->leftover = []() -> task<std::optional<JobExit>> {
        JobExit lost;
        lost.known = false;
        co_return lost;
    };
    EXPECT_EQ(run(job()).attempt, 2);
}

TEST_F(QueueTest, ASignalGoesToTheAttemptThatRuns) {
    run_until_stopped(exit_with(0));
    auto body = [&]() -> task<void> {
        auto send = [&]() -> task<void> {
            co_await running_.wait();
            queue_->send_signal("a/job", 10);
            queue_->send_signal("a/other", 10);
        };
        std::vector<task<void>> both;
        both.push_back(send());
        auto main = [&]() -> task<void> { co_await run_until(running_, *queue_, job()); };
        both.push_back(main());
        co_await runtime::gather(std::move(both));
    };
    context_.run(body());
    EXPECT_THAT(log_, testing::Contains("signal 10 to attempt 1"));
    const Log before = log_;
    queue_->send_signal("a/job", 10);
    EXPECT_EQ(log_, before) << "it has ended";
}

TEST_F(QueueTest, CoresAreFreeAgainWhileAJobIsJudged) {
    const Judge look = [&](const JobExit&, const fs::path&) {
        EXPECT_EQ(log_.back(), "give back");
        return Verdict::good();
    };
    EXPECT_TRUE(run(job().judged_by(look)).ok());
}

}  // namespace
}  // namespace coromd::queue
