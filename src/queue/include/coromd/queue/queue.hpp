// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "coromd/core/registry.hpp"
#include "coromd/core/settings.hpp"
#include "coromd/queue/job.hpp"
#include "coromd/queue/ledger.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::queue {

/// What a queue gave a job for the time that it runs. Given back when it is destroyed.
class Admission {
public:
    virtual ~Admission() = default;
};

/// What a queue kind does for one attempt. The ledger, the judging and the moving of files are
/// the same for all kinds and live in Queue.
class Backend {
public:
    virtual ~Backend() = default;

    /// Waits until the job may start.
    /// Throws Error(usage) for what this queue can never give.
    /// Cancellation: leaves the line.
    virtual runtime::task<std::unique_ptr<Admission>> admit(const Job& job) = 0;

    /// Runs one attempt in `directory`, which exists, with its standard output and error going to
    /// the files of streams.hpp in there, whose ends Queue adds to the exit. Calls `submitted` once,
    /// as soon as the program runs, with words by which end_leftover() can find it again; where that
    /// throws, the program is stopped first. Nothing of the program runs on when this returns.
    /// Throws Error(system) where the program cannot be started.
    /// Cancellation: the program is stopped (SIGTERM, after the job's grace SIGKILL), and the exit
    /// is returned, with `stopped` set unless it had ended already: never throws Cancelled.
    virtual runtime::task<JobExit> execute(const Job& job, const Admission& admission,
                                           std::filesystem::path directory,
                                           std::function<runtime::task<void>(std::string)> submitted) = 0;

    /// Ends an attempt that an earlier program left behind, if it still runs: SIGTERM, after the
    /// job's grace SIGKILL. `submission` is empty where the crash came before it was recorded.
    /// Cancellation: stops waiting, throws Cancelled.
    virtual runtime::task<void> end_leftover(const Job& job, std::string submission,
                                             std::filesystem::path directory) = 0;
};

/// Where jobs run. An engine never knows which kind it is.
class Queue {
public:
    /// `ledger` must outlive the queue.
    Queue(std::string name, runtime::Context& context, JobLedger& ledger, std::unique_ptr<Backend> backend);

    const std::string& name() const noexcept { return name_; }

    /// Runs the job, or answers from the ledger where it is known to be finished: then the files
    /// lie in the job's directory. A job that failed is a result, not an exception.
    ///
    /// Throws Error(conflict) for a key used twice or with another specification, Error(system)
    /// where the program cannot be started or its files cannot be moved, Error(usage) where the queue
    /// can never run it. A key whose job was not begun is free again then.
    /// Cancellation: the program is stopped gracefully and its end recorded; if the judge accepts
    /// what it left, the work counts and is found at the next start. Then throws Cancelled.
    runtime::task<JobResult> run(Job job);

private:
    runtime::task<std::optional<JobResult>> recover(const Job& job, const Claim& claim);
    runtime::task<JobResult> attempt(const Job& job, int number, std::unique_ptr<Admission> admission);
    runtime::task<JobResult> conclude(const Job& job, int attempt, JobExit exit);
    runtime::task<void> deliver(const Job& job, const JobResult& result);
    JobState state_when_stopped() const;

    std::string name_;
    runtime::Context& context_;
    JobLedger& ledger_;
    std::unique_ptr<Backend> backend_;
};

/// A kind of queue that settings can name (`kind = "local"`).
struct QueueKind {
    std::string name;
    std::string description;
    /// Takes what it needs from the reader and leaves the check for unknown keys to the caller.
    std::function<std::unique_ptr<Backend>(runtime::Context&, SettingsReader&)> make;
};

Registry<QueueKind> builtin_queues();

/// The local queue without settings: `cores` cores of this machine (0: all that this process may use).
std::unique_ptr<Backend> local_backend(runtime::Context& context, int cores = 0);

}  // namespace coromd::queue
