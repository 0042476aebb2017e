// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The life of a job, the same in every kind of queue:
//
//   claim ----------- known as finished: move what is still in its attempt directory, answer
//     | not finished
//   reattach          an attempt of an earlier program is gone on with, never doubled
//   admit             wait for cores
//   begin_attempt     durable, before anything is touched; up to here the key is given back on errors
//   execute           in a fresh directory; where it runs is recorded as soon as it does
//   judge             on the attempt's directory; what is accepted is synced
//   ended             durable: this line is the acceptance, with the names and sizes of the files
//   move              renames into the job's directory; repeated at the next start if cut short
//
// Every attempt that was begun is ended in the ledger, also where its program could not be started or
// its judge threw. A cancelled wait stops the program; the steps after execute are carried out all
// the same. A failed attempt is followed by another one as long as the budget of its class lasts.
#include "coromd/queue/queue.hpp"

#include <algorithm>
#include <csignal>
#include <utility>
#include <vector>

#include <unistd.h>

#include "coromd/core/error.hpp"
#include "coromd/core/fault.hpp"
#include "coromd/core/file.hpp"
#include "coromd/queue/attempt_files.hpp"
#include "coromd/runtime/event.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/timer.hpp"
#include "coromd/runtime/with.hpp"

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

constexpr std::chrono::milliseconds kMaxRetryDelay{600'000};
/// How long files that a record names are waited for on a file system that lags behind.
constexpr std::chrono::seconds kFileLag{60};

Verdict default_verdict(const JobExit& exit) {
    // What was stopped may well say 0, and have left half of its work.
    const bool cut_short = exit.stopped || exit.timed_out || exit.terminated;
    if (exit.exit_code == 0 && !cut_short) return Verdict::good();
    // Nobody here sends SIGKILL to a program that runs well.
    const bool killed = exit.terminated || (exit.signal == SIGKILL && !exit.stopped);
    return Verdict::bad(killed ? FailureClass::infrastructure : FailureClass::user, exit.text());
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
    const fs::path directory = job.attempt_directory(result.attempt, result.exit.restart);
    try {
        // Where a queue has no program's words to tell, it may have said something itself.
        const auto add = [&](const char* file, std::string& tail) {
            const std::string words = read_tail(directory / file, kStreamTail);
            if (!words.empty()) tail = words;
        };
        add(kStdoutFile, result.exit.stdout_tail);
        add(kStderrFile, result.exit.stderr_tail);
        Verdict verdict = judge(job, result.exit, directory);
        if (!verdict.success) return verdict;
        std::vector<OutputFile> files = files_in(directory);
        for (OutputFile& file : files) {
            sync_path(directory / file.name);
            const auto told = std::ranges::find(result.exit.files, file.name, &OutputFile::name);
            if (told != result.exit.files.end() && told->size == file.size)
                file.fingerprint = told->fingerprint;
        }
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

// Each file has both names until the new one is on the disk for good: a power loss may undo half a rename
// from one directory to another. A file that is in neither place was removed by the user after it had been
// moved, which is the user's right.
void move_outputs(const fs::path& from, const JobResult& result) {
    for (const OutputFile& file : result.files) {
        const fs::path before = from / file.name;
        const fs::path after = from.parent_path() / file.name;
        if (!fs::exists(before)) continue;
        // Where the name is taken, or the file system has no links, a rename must do.
        if (::link(before.c_str(), after.c_str()) != 0) fs::rename(before, after);
        fault_point("queue.file_moved");
    }
    if (!result.files.empty()) sync_path(from.parent_path());
    for (const OutputFile& file : result.files) fs::remove(from / file.name);
    fault_point("queue.moved");
}

/// Whether all files that a record names are seen as it names them.
bool all_there(const fs::path& directory, const JobExit& exit) {
    return std::ranges::all_of(exit.files, [&](const OutputFile& file) {
        std::error_code error;
        return fs::file_size(directory / file.name, error) == file.size && !error;
    });
}

fs::path make_attempt_directory(const Job& job, int attempt) {
    const fs::path directory = job.attempt_directory(attempt);
    make_directories_durably(directory.parent_path());
    fs::remove_all(directory);
    fs::create_directory(directory);
    fault_point("queue.directory_made");
    return directory;
}

}  // namespace

runtime::task<QueueFacts> Backend::facts() {
    co_return QueueFacts();
}

int& Retries::of(FailureClass failure) {
    switch (failure) {
        case FailureClass::timeout:
            return timeout;
        case FailureClass::memory:
            return memory;
        case FailureClass::user:
            return user;
        default:
            return infrastructure;
    }
}

Queue::Queue(std::string name, runtime::Context& context, JobLedger& ledger, std::unique_ptr<Backend> backend,
             Retries retries)
    : name_(std::move(name)),
      context_(context),
      ledger_(ledger),
      backend_(std::move(backend)),
      retries_(retries) {}

/// How a job of this program stands, for those that depend on it.
struct Queue::Entry {
    runtime::Event over;
    bool ok = false;
    int attempt = 0;  ///< that runs; 0 where none does
};

Queue::~Queue() = default;

runtime::task<JobResult> Queue::run(Job job) {
    const auto entry = std::make_shared<Entry>();
    Claim claim = co_await ledger_.claim(job.key(), job.specification());
    entries_[job.key()] = entry;
    bool begun = false;
    std::exception_ptr error;
    JobResult result;
    try {
        result = co_await run_claimed(job, std::move(claim), begun);
    } catch (...) {
        error = std::current_exception();
    }
    entry->ok = !error && result.ok();
    entry->attempt = 0;
    entry->over.set();
    if (!error && result.attempt > 0) co_return result;
    if (!begun) ledger_.release(job.key());
    if (error) std::rethrow_exception(error);
    co_return result;
}

/// Waits for the jobs that this one is to run after. Returns why it never can; "" where it may begin.
runtime::task<std::string> Queue::wait_for_dependencies(const Job& job) {
    for (const auto& [key, when] : job.dependencies()) {
        const auto known = entries_.find(key);
        if (known == entries_.end())
            fail(ErrorKind::usage,
                 "job '{}' is to run after '{}', which was not given to the queue '{}' before it", job.key(),
                 key, name_);
        const std::shared_ptr<Entry> other = known->second;
        co_await other->over.wait();
        if (when == After::ok && !other->ok)
            co_return fmt::format("job '{}', after which it was to run, has not succeeded", key);
    }
    co_return std::string();
}

void Queue::send_signal(const std::string& key, int number) {
    const auto entry = entries_.find(key);
    if (entry == entries_.end() || entry->second->attempt == 0) return;
    const Job name_only(key, {"true"});
    backend_->send_signal(Attempt(name_only, entry->second->attempt), number);
}

runtime::task<JobResult> Queue::run_claimed(const Job& job, Claim claim, bool& begun) {
    if (claim.state == JobState::finished) {
        co_await deliver(job, *claim.result);
        co_return std::move(*claim.result);
    }
    std::optional<JobResult> result;
    if (claim.state == JobState::started) {
        result = co_await recover(job, claim);
    } else if (claim.state != JobState::unknown) {
        // The program that recorded this may have died before it could.
        auto forget = [&] { backend_->forget(Attempt(job, claim.attempts), false); };
        co_await runtime::offload(context_, forget);
    }
    const std::shared_ptr<Entry> entry = entries_[job.key()];
    runtime::Permit turn;
    if (!result) {
        std::string impossible = co_await wait_for_dependencies(job);
        if (!impossible.empty()) {
            JobResult never;
            never.key = job.key();
            never.state = JobState::failed;
            never.failure = FailureClass::user;
            never.reason = std::move(impossible);
            co_return never;
        }
    }
    if (!job.group().empty()) {
        std::unique_ptr<runtime::Semaphore>& group = groups_[job.group()];
        if (!group) group = std::make_unique<runtime::Semaphore>(1);
        turn = co_await group->acquire();
    }
    Retries left = retries_;
    for (;;) {
        if (!result) {
            std::unique_ptr<Admission> admission = co_await backend_->admit(job);
            const int number = co_await ledger_.begin_attempt(job.key());
            begun = true;
            fault_point("queue.begun");
            entry->attempt = number;
            result = co_await attempt(job, number, std::move(admission));
        }
        if (result->state != JobState::failed || left.of(result->failure)-- <= 0)
            co_return std::move(*result);
        context_.log().warn("{}: tried again in {} s: attempt {} failed ({}: {})", job.key(),
                            static_cast<double>(left.delay.count()) / 1000.0, result->attempt,
                            to_string(result->failure), result->reason);
        result.reset();
        co_await runtime::sleep_for(left.delay);
        left.delay = std::min(left.delay * 2, kMaxRetryDelay);
    }
}

runtime::task<std::optional<JobResult>> Queue::recover(const Job& job, const Claim& claim) {
    const Attempt attempt(job, claim.attempts);
    context_.log().info("{}: attempt {} was left behind by an earlier run", job.key(), claim.attempts);
    if (job.on_start()) job.on_start()(attempt.directory());
    std::optional<JobExit> exit = co_await backend_->reattach(attempt, claim.submission);
    if (exit) {
        JobResult result = co_await runtime::shield(conclude(attempt, std::move(*exit)));
        context_.log().info("{}: attempt {} has {}", job.key(), claim.attempts, to_string(result.state));
        // Nobody saw its end, and its files do not tell: what was lost is done again.
        if (result.state == JobState::interrupted && !result.exit.known) co_return std::nullopt;
        co_return result;
    }
    auto is_there = [&] {
        std::error_code ignored;
        return fs::is_directory(attempt.directory(), ignored);
    };
    const bool left = co_await runtime::offload(context_, is_there);
    if (!left || !job.is_recoverable()) co_return std::nullopt;
    JobExit unknown;
    unknown.known = false;
    JobResult result = co_await runtime::shield(conclude(attempt, std::move(unknown)));
    if (!result.ok()) co_return std::nullopt;
    context_.log().info("{}: what attempt {} did is accepted", job.key(), claim.attempts);
    co_return result;
}

runtime::task<JobResult> Queue::attempt(const Job& job, int number, std::unique_ptr<Admission> admission) {
    const Attempt attempt(job, number);
    JobExit exit;
    std::exception_ptr error;
    std::string reason;
    bool cancelled = false;
    try {
        auto prepare = [&] { return translated([&] { return make_attempt_directory(job, number); }); };
        const fs::path directory = co_await runtime::offload(context_, prepare);
        if (job.on_start()) job.on_start()(directory);
        Submitted submitted = [&](std::string submission) {
            return ledger_.submitted(job.key(), number, std::move(submission));
        };
        context_.log().debug("{} attempt {}: starts", job.key(), number);
        fault_point("queue.execute");
        exit = co_await backend_->execute(attempt, *admission, std::move(submitted));
    } catch (const Cancelled&) {
        cancelled = true;
        error = std::current_exception();
    } catch (const Error& failure) {
        reason = failure.message();
        // A copy: a ledger may throw the same object at many.
        error = std::make_exception_ptr(
            Error(failure).add_context(fmt::format("job '{}', attempt {}", job.key(), number)));
    } catch (...) {
        error = std::current_exception();
    }
    admission.reset();
    // One that was left running has not ended; one that was not started yet leaves no trace but its number.
    if (cancelled && context_.leaves_jobs(backend_->leaves_jobs())) std::rethrow_exception(error);
    if (error) {
        JobResult result;
        result.key = job.key();
        result.attempt = number;
        result.state = cancelled ? state_when_stopped() : JobState::failed;
        result.failure = cancelled ? FailureClass::none : FailureClass::infrastructure;
        result.reason = reason.empty() ? describe(error) : std::move(reason);
        context_.log().info("{} attempt {}: {} ({})", job.key(), number, to_string(result.state),
                            result.reason);
        co_await ledger_.ended(std::move(result));
        std::rethrow_exception(error);
    }
    // Throws Cancelled at its end where execute() was cancelled.
    co_return co_await runtime::shield(conclude(attempt, std::move(exit)));
}

JobState Queue::state_when_stopped() const {
    return context_.stop_requested() ? JobState::interrupted : JobState::cancelled;
}

runtime::task<void> Queue::wait_for_files(Attempt attempt, const JobExit& exit) {
    if (exit.files.empty()) co_return;
    const fs::path directory = attempt.job().attempt_directory(attempt.number(), exit.restart);
    std::chrono::milliseconds pause{20};
    std::chrono::milliseconds waited{0};
    for (;;) {
        auto look = [&] { return all_there(directory, exit); };
        const bool there = co_await runtime::offload(context_, look);
        if (there || waited >= kFileLag) break;
        co_await runtime::sleep_for(pause);
        waited += pause;
        pause = std::min(pause * 2, std::chrono::milliseconds(2000));
    }
    if (waited.count() > 0)
        context_.log().warn("{} attempt {}: waited {} ms for the files that its record names",
                            attempt.job().key(), attempt.number(), waited.count());
}

runtime::task<JobResult> Queue::conclude(Attempt attempt, JobExit exit) {
    const Job& job = attempt.job();
    co_await wait_for_files(attempt, exit);
    JobResult result;
    result.key = job.key();
    result.attempt = attempt.number();
    result.exit = std::move(exit);
    auto look = [&] { return inspect(job, result); };
    fault_point("queue.executed");
    Verdict verdict = co_await runtime::offload(context_, look);
    result.reason = std::move(verdict.reason);
    if (!verdict.success && !result.exit.remark.empty()) result.reason += ": " + result.exit.remark;
    if (verdict.success) {
        result.state = JobState::finished;
    } else if (!result.exit.known && result.exit.cause == FailureClass::none) {
        result.state = JobState::interrupted;
    } else if (result.exit.stopped) {
        result.state = state_when_stopped();
    } else {
        result.state = JobState::failed;
        result.failure = result.exit.timed_out                     ? FailureClass::timeout
                         : result.exit.cause != FailureClass::none ? result.exit.cause
                                                                   : verdict.failure;
    }
    context_.log().debug("{} attempt {}: {} ({}) {}", job.key(), attempt.number(), to_string(result.state),
                         result.exit.text(), result.reason);
    fault_point("queue.judged");
    co_await ledger_.ended(result);
    fault_point("queue.ended");
    auto work = [&] { clear_up(attempt, result); };
    co_await runtime::offload(context_, work);
    co_return result;
}

runtime::task<void> Queue::deliver(const Job& job, const JobResult& result) {
    auto work = [&] {
        std::error_code ignored;
        const Attempt attempt(job, result.attempt);
        if (fs::exists(job.attempt_directory(result.attempt, result.exit.restart), ignored))
            clear_up(attempt, result);
    };
    co_await runtime::offload(context_, work);
}

// The directory of an accepted attempt goes last: while it is there, something is still to be done.
void Queue::clear_up(const Attempt& attempt, const JobResult& result) {
    const Job& job = attempt.job();
    const fs::path directory = job.attempt_directory(result.attempt, result.exit.restart);
    if (result.ok() && fs::exists(directory)) translated([&] { move_outputs(directory, result); });
    backend_->forget(attempt, result.ok());
    fault_point("queue.forgotten");
    if (!result.ok()) return;
    for (int restart = 0; restart <= result.exit.restart; ++restart)
        translated([&] { return fs::remove_all(job.attempt_directory(result.attempt, restart)); });
    fault_point("queue.cleared");
}

}  // namespace coromd::queue
