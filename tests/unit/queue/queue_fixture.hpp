// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coromd/runtime/semaphore.hpp"
#include "unit/queue/fixtures.hpp"

namespace coromd::queue::test {

class FakeAdmission final : public Admission {
public:
    FakeAdmission(Log& log, runtime::Permit permit) : log_(log), permit_(std::move(permit)) {}
    ~FakeAdmission() override { log_.push_back("give back"); }

private:
    Log& log_;
    runtime::Permit permit_;
};

/// One job at a time; `program` stands for what the job runs.
class FakeBackend final : public Backend {
public:
    explicit FakeBackend(Log& log, std::size_t at_once = 1) : one_at_a_time(at_once), log_(log) {}

    task<std::unique_ptr<Admission>> admit(const Job& job) override {
        if (job.resources().gpus > 0) fail(ErrorKind::usage, "no GPUs here");
        runtime::Permit permit = co_await one_at_a_time.acquire();
        log_.push_back("admit");
        co_return std::make_unique<FakeAdmission>(log_, std::move(permit));
    }

    task<JobExit> execute(Attempt attempt, const Admission&, Submitted submitted) override {
        log_.push_back("execute");
        co_await submitted("here");
        co_return co_await program(attempt.directory());
    }

    task<std::optional<JobExit>> reattach(Attempt attempt, std::string submission) override {
        log_.push_back(
            fmt::format("reattach '{}' in {}", submission, attempt.directory().filename().string()));
        std::optional<JobExit> exit = co_await leftover();
        co_return exit;
    }

    void forget(const Attempt& attempt, bool finished) noexcept override {
        const std::lock_guard lock(forgetting_);
        forgotten.push_back(fmt::format("{} {}", attempt.number(), finished ? "for good" : "for now"));
    }
    void send_signal(const Attempt& attempt, int number) override {
        log_.push_back(fmt::format("signal {} to attempt {}", number, attempt.number()));
    }

    runtime::Semaphore one_at_a_time;
    Log forgotten;
    std::function<task<JobExit>(fs::path directory)> program;
    std::function<task<std::optional<JobExit>>()> leftover = []() -> task<std::optional<JobExit>> {
        co_return std::nullopt;
    };

private:
    std::mutex forgetting_;  // forget() is called on threads of the pool
    Log& log_;
};

inline JobExit exit_with(int code) {
    JobExit exit;
    exit.exit_code = code;
    return exit;
}

class QueueTest : public testing::Test {
protected:
    QueueTest() {
        auto backend = std::make_unique<FakeBackend>(log_);
        backend_ = backend.get();
        queue_ = std::make_unique<Queue>("fake", context_, ledger_, std::move(backend));
        write_and_exit(0);
    }

    Job job() const {
        Job job("a/job", {"program"});
        job.in_directory(directory_);
        return job;
    }
    JobResult run(Job job) { return context_.run(queue_->run(std::move(job))); }
    /// As the next run of the program would.
    JobResult run_again(Job job) {
        ledger_.forget_claim(job.key());
        log_.clear();
        return run(std::move(job));
    }
    /// The Error that run() throws.
    Error error_of(Job job) {
        try {
            run(std::move(job));
        } catch (const Error& error) {
            return error;
        }
        ADD_FAILURE() << "nothing was thrown";
        return Error(ErrorKind::usage, "");
    }
    /// What the ledger knows, seen by the next run of the program.
    Claim known() {
        ledger_.forget_claim("a/job");
        return context_.run(ledger_.claim("a/job", job().specification()));
    }

    void write_and_exit(int code) {
        backend_->program = [code](fs::path directory) -> task<JobExit> {
            write_file(directory / "md.xtc");
            co_return exit_with(code);
        };
    }
    void exit_as(JobExit exit) {
        backend_->program = [exit](fs::path) -> task<JobExit> { co_return exit; };
    }
    /// A program that runs until it is stopped, then leaves a file and `exit`.
    void run_until_stopped(JobExit exit) {
        exit.stopped = true;
        backend_->program = [this, exit](fs::path directory) -> task<JobExit> {
            running_.set();
            try {
                co_await runtime::sleep_for(runtime::test::kForever);
            } catch (const Cancelled&) {
            }
            write_file(directory / "md.cpt");
            co_return exit;
        };
    }
    /// The ledger as an earlier program left it that was killed in attempt 1.
    void leave_behind(const std::string& submission) {
        context_.run(ledger_.claim("a/job", job().specification()));
        context_.run(ledger_.begin_attempt("a/job"));
        if (!submission.empty()) context_.run(ledger_.submitted("a/job", 1, submission));
        fs::create_directories(attempt(1));
    }
    /// The ledger as an earlier program left it that was killed after the acceptance of attempt 1.
    void leave_finished(std::vector<OutputFile> files) {
        leave_behind("here");
        JobResult result;
        result.key = "a/job";
        result.attempt = 1;
        result.state = JobState::finished;
        result.files = std::move(files);
        context_.run(ledger_.ended(result));
    }
    fs::path attempt(int number) const { return job().attempt_directory(number); }

    TemporaryDirectory temporary_;
    fs::path directory_ = temporary_.path() / "new" / "walker";
    runtime::Context context_{2};
    Log log_;
    RecordingLedger ledger_{log_};
    FakeBackend* backend_ = nullptr;
    std::unique_ptr<Queue> queue_;
    Event running_;
};

}  // namespace coromd::queue::test
