// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The life of a job, the same in every kind of queue:
//
//   claim ----------- known as finished: move what is still in its attempt directory, answer
//     | not finished
//   end_leftover      an attempt of an earlier program that still runs is stopped, never doubled
//   admit             wait for cores
//   begin_attempt     durable, before anything is touched; up to here the key is given back on errors
//   execute           in a fresh directory; where it runs is recorded as soon as it does
//   judge             on the attempt's directory; what is accepted is synced
//   ended             durable: this line is the acceptance, with the names and sizes of the files
//   move              renames into the job's directory; repeated at the next start if cut short
//
// Every attempt that was begun is ended in the ledger, also where its program could not be started or
// its judge threw. A cancelled wait stops the program; the steps after execute are carried out all
// the same.
#include "coromd/queue/queue.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/with.hpp"
#include "streams.hpp"

namespace coromd::queue {

namespace fs = std::filesystem;

namespace {

/// fn() with what the file system throws made an Error.
template <typename Fn>
auto translated(Fn&& fn) {
    try {
        return fn();
    } catch (const fs::filesystem_error& error) {
        fail(ErrorKind::system, "{}", error.what());
    }
}

Verdict default_verdict(const JobExit& exit) {
    // What was stopped may well say 0, and have left half of its work.
    if (exit.exit_code == 0 && !exit.stopped && !exit.timed_out) return Verdict::good();
    // Nobody here sends SIGKILL to a program that runs well.
    const bool killed = exit.signal == SIGKILL && !exit.stopped;
    return Verdict::bad(killed ? FailureClass::infrastructure : FailureClass::user, exit.text());
}

std::vector<OutputFile> files_in(const fs::path& directory) {
    std::vector<OutputFile> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory))
        if (entry.is_regular_file() && !is_stream(entry.path().filename().native()))
            files.push_back({entry.path().filename().string(), entry.file_size()});
    std::ranges::sort(files, {}, &OutputFile::name);
    return files;
}

Verdict judge(const Job& job, const JobExit& exit, const fs::path& directory) {
    Verdict verdict = job.judge() ? job.judge()(exit, directory) : default_verdict(exit);
    for (const std::string& name : job.outputs()) {
        if (!verdict.success) break;
        std::error_code error;
        const auto size = fs::file_size(directory / name, error);
        if (error || size == 0)
            verdict = Verdict::bad(FailureClass::user, fmt::format("{}, but '{}' {}", exit.text(), name,
                                                                   error ? "was not written" : "is empty"));
    }
    return verdict;
}

/// Judges an attempt and fills in what it left. An accepted one lies on the disk for good.
Verdict inspect(const Job& job, JobResult& result) {
    const fs::path directory = job.attempt_directory(result.attempt);
    try {
        result.exit.stdout_tail = read_tail(directory / kStdoutFile, kStreamTail);
        result.exit.stderr_tail = read_tail(directory / kStderrFile, kStreamTail);
        Verdict verdict = judge(job, result.exit, directory);
        if (!verdict.success) return verdict;
        std::vector<OutputFile> files = files_in(directory);
        for (const OutputFile& file : files) sync_path(directory / file.name);
        if (!files.empty()) {
            sync_path(directory);
            sync_path(directory.parent_path());
        }
        result.files = std::move(files);
        return verdict;
    } catch (...) {
        // A judge is anybody's code.
        return Verdict::bad(FailureClass::infrastructure,
                            fmt::format("{}, but it cannot be judged: {}", result.exit.text(),
                                        describe(std::current_exception())));
    }
}

// Renames are not one step: after a crash some files are here and some still there. A file that is
// in neither place was removed by the user after it had been moved, which is the user's right.
void move_outputs(const Job& job, const JobResult& result) {
    const fs::path from = job.attempt_directory(result.attempt);
    if (!fs::exists(from)) return;
    for (const OutputFile& file : result.files)
        if (fs::exists(from / file.name)) fs::rename(from / file.name, from.parent_path() / file.name);
    if (!result.files.empty()) sync_path(from.parent_path());
    fs::remove_all(from);
}

/// Makes a folder with its parents. One is there for good when its parent is synced.
void make_directory(const fs::path& directory) {
    if (fs::is_directory(directory)) return;
    make_directory(directory.parent_path());
    fs::create_directory(directory);
    sync_path(directory.parent_path());
}

fs::path make_attempt_directory(const Job& job, int attempt) {
    const fs::path directory = job.attempt_directory(attempt);
    make_directory(directory.parent_path());
    fs::remove_all(directory);
    fs::create_directory(directory);
    return directory;
}

}  // namespace

Queue::Queue(std::string name, runtime::Context& context, JobLedger& ledger, std::unique_ptr<Backend> backend)
    : name_(std::move(name)), context_(context), ledger_(ledger), backend_(std::move(backend)) {}

runtime::task<JobResult> Queue::run(Job job) {
    Claim claim = co_await ledger_.claim(job.key(), job.specification());
    if (claim.state == JobState::cancelled) co_return std::move(*claim.result);

    std::unique_ptr<Admission> admission;
    int number = 0;
    std::exception_ptr not_begun;
    try {
        if (claim.state == JobState::finished) {
            co_await deliver(job, *claim.result);
            co_return std::move(*claim.result);
        }
        if (claim.state == JobState::started) {
            std::optional<JobResult> recovered = co_await recover(job, claim);
            if (recovered) co_return std::move(*recovered);
        }
        admission = co_await backend_->admit(job);
        number = co_await ledger_.begin_attempt(job.key());
    } catch (...) {
        not_begun = std::current_exception();
    }
    if (not_begun) {
        ledger_.release(job.key());
        std::rethrow_exception(not_begun);
    }
    co_return co_await attempt(job, number, std::move(admission));
}

runtime::task<std::optional<JobResult>> Queue::recover(const Job& job, const Claim& claim) {
    const fs::path directory = job.attempt_directory(claim.attempts);
    context_.log().info("{}: attempt {} was left behind by an earlier run", job.key(), claim.attempts);
    co_await backend_->end_leftover(job, claim.submission, directory);
    auto is_there = [&] {
        std::error_code ignored;
        return fs::is_directory(directory, ignored);
    };
    const bool left = co_await runtime::offload(context_, is_there);
    if (!left || !job.is_recoverable()) co_return std::nullopt;
    JobExit exit;
    exit.known = false;
    JobResult result = co_await runtime::shield(conclude(job, claim.attempts, std::move(exit)));
    if (!result.ok()) co_return std::nullopt;
    context_.log().info("{}: what attempt {} did is accepted", job.key(), claim.attempts);
    co_return result;
}

runtime::task<JobResult> Queue::attempt(const Job& job, int number, std::unique_ptr<Admission> admission) {
    JobExit exit;
    std::exception_ptr error;
    bool cancelled = false;
    try {
        auto prepare = [&] { return translated([&] { return make_attempt_directory(job, number); }); };
        fs::path directory = co_await runtime::offload(context_, prepare);
        if (job.on_start()) job.on_start()(directory);
        std::function<runtime::task<void>(std::string)> submitted = [&](std::string submission) {
            return ledger_.submitted(job.key(), number, std::move(submission));
        };
        context_.log().debug("{} attempt {}: starts", job.key(), number);
        exit = co_await backend_->execute(job, *admission, std::move(directory), std::move(submitted));
    } catch (const Cancelled&) {
        cancelled = true;
        error = std::current_exception();
    } catch (const Error& failure) {
        // A copy: a ledger may throw the same object at many.
        error = std::make_exception_ptr(
            Error(failure).add_context(fmt::format("job '{}', attempt {}", job.key(), number)));
    } catch (...) {
        error = std::current_exception();
    }
    admission.reset();
    if (error) {
        JobResult result;
        result.key = job.key();
        result.attempt = number;
        result.state = cancelled ? state_when_stopped() : JobState::failed;
        result.failure = cancelled ? FailureClass::none : FailureClass::infrastructure;
        result.reason = describe(error);
        context_.log().info("{} attempt {}: {} ({})", job.key(), number, to_string(result.state),
                            result.reason);
        co_await ledger_.ended(std::move(result));
        std::rethrow_exception(error);
    }
    // Throws Cancelled at its end where execute() was cancelled.
    co_return co_await runtime::shield(conclude(job, number, std::move(exit)));
}

JobState Queue::state_when_stopped() const {
    return context_.stop_requested() ? JobState::interrupted : JobState::cancelled;
}

runtime::task<JobResult> Queue::conclude(const Job& job, int attempt, JobExit exit) {
    JobResult result;
    result.key = job.key();
    result.attempt = attempt;
    result.exit = std::move(exit);
    auto look = [&] { return inspect(job, result); };
    Verdict verdict = co_await runtime::offload(context_, look);
    result.reason = std::move(verdict.reason);
    if (verdict.success) {
        result.state = JobState::finished;
    } else if (!result.exit.known) {
        result.state = JobState::interrupted;
    } else if (result.exit.stopped) {
        result.state = state_when_stopped();
    } else {
        result.state = JobState::failed;
        result.failure = result.exit.timed_out ? FailureClass::timeout : verdict.failure;
    }
    context_.log().debug("{} attempt {}: {} ({}) {}", job.key(), attempt, to_string(result.state),
                         result.exit.text(), result.reason);
    co_await ledger_.ended(result);
    if (result.ok()) co_await deliver(job, result);
    co_return result;
}

runtime::task<void> Queue::deliver(const Job& job, const JobResult& result) {
    auto work = [&] { translated([&] { move_outputs(job, result); }); };
    co_await runtime::offload(context_, work);
}

}  // namespace coromd::queue
