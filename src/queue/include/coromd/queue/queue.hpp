// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coromd/core/registry.hpp"
#include "coromd/core/settings.hpp"
#include "coromd/queue/job.hpp"
#include "coromd/queue/ledger.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/runtime/semaphore.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::queue {

/// What a queue gave a job for the time that it runs. Given back when it is destroyed.
class Admission {
public:
    virtual ~Admission() = default;
};

/// One try at a job.
class Attempt {
public:
    /// `job` must outlive it.
    Attempt(const Job& job, int number) : job_(&job), number_(number) {}

    const Job& job() const noexcept { return *job_; }
    /// From 1.
    int number() const noexcept { return number_; }
    std::filesystem::path directory() const { return job_->attempt_directory(number_); }

private:
    const Job* job_;
    int number_;
};

/// Records where an attempt runs, durably, in the words of its queue; called again, the last one counts.
using Submitted = std::function<runtime::task<void>(std::string)>;

/// What a queue finds out about itself, for a person who sets it up.
struct QueueFacts {
    std::vector<std::pair<std::string, std::string>> facts;  ///< name and value
    std::vector<std::string> hints;                          ///< what looks wrong and how to mend it
    bool usable = true;  ///< false: a job would wait until what the hints tell is mended
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

    /// Runs one attempt in its directory, which exists, with its standard output and error going to
    /// the files of attempt_files.hpp in there, whose ends Queue adds to the exit. Calls `submitted`
    /// with words by which reattach() can find it again; where that throws, the program is stopped
    /// first. Nothing of the program runs on when this returns.
    /// Throws Error(system) where the program cannot be started.
    /// Cancellation: the program is stopped (by the job's rule, after its grace SIGKILL), and the exit
    /// is returned, with `stopped` set unless it had ended already. Throws Cancelled only in a shutdown that
    /// leaves jobs running (runtime::Context::leaves_jobs()), where this one runs on.
    virtual runtime::task<JobExit> execute(Attempt attempt, const Admission& admission,
                                           Submitted submitted) = 0;

    /// Goes on with an attempt that an earlier program has begun: waits for its end, and returns it as
    /// execute() does. Empty where nothing of it runs, nothing will, and nothing tells how it ended.
    /// `submission` is empty where the crash came before it was recorded.
    /// Throws Error(conflict) where another kind of queue has it.
    /// Cancellation: as for execute().
    virtual runtime::task<std::optional<JobExit>> reattach(Attempt attempt, std::string submission) = 0;

    /// The end of the attempt is recorded: what is kept of it outside of its directory may go, and with
    /// `finished` what keeps earlier attempts at the job from going on. Called on a pool thread.
    virtual void forget(const Attempt& attempt, bool finished) noexcept = 0;

    /// Has a signal sent to the program of an attempt that runs. Throws Error.
    virtual void send_signal(const Attempt& attempt, int number) = 0;

    /// Whether it is usual here that jobs run on when the program is shut down.
    virtual bool leaves_jobs() const noexcept { return false; }

    /// What there is to know before anything is run.
    /// Cancellation: throws Cancelled.
    virtual runtime::task<QueueFacts> facts();
};

/// How often a job that failed is tried again at once, for each class of failure on its own. What
/// is left then is tried again at the next start of the program.
struct Retries {
    int infrastructure = 0;
    int timeout = 0;
    int memory = 0;
    int user = 0;
    /// Before the first one; doubled each time, up to ten minutes.
    std::chrono::milliseconds delay{1000};

    int& of(FailureClass failure);
};

/// Where jobs run. An engine never knows which kind it is.
class Queue {
public:
    /// `ledger` must outlive the queue.
    Queue(std::string name, runtime::Context& context, JobLedger& ledger, std::unique_ptr<Backend> backend,
          Retries retries = {});
    ~Queue();
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    const std::string& name() const noexcept { return name_; }

    /// Runs the job, or answers from the ledger where it is known to be finished: then the files
    /// lie in the job's directory. An attempt that still runs, or has ended meanwhile, is gone on with.
    /// A job that failed, and may not be tried again now, is a result, not an exception.
    ///
    /// A job that depends on one that was not accepted fails without an attempt.
    ///
    /// Throws Error(conflict) for a key used twice or with another specification, Error(system)
    /// where the program cannot be started or its files cannot be moved, Error(usage) where the queue
    /// can never run it, or a job that it depends on was not given to it. A key whose job was not begun is
    /// free again then. Cancellation: the program is stopped gracefully and its end recorded; if the judge
    /// accepts what it left, the work counts and is found at the next start. In a shutdown that leaves jobs
    /// running it goes on and is found again. Then throws Cancelled.
    runtime::task<JobResult> run(Job job);

    /// Sends a signal to the program of a job that runs, within some seconds. Does nothing where it does
    /// not run, and for direct jobs. Throws Error(usage) for what is no signal.
    void send_signal(const std::string& key, int number);

    /// See Backend::facts().
    runtime::task<QueueFacts> facts() { return backend_->facts(); }

private:
    runtime::task<std::optional<JobResult>> recover(const Job& job, const Claim& claim);
    struct Entry;

    runtime::task<JobResult> run_claimed(const Job& job, Claim claim, bool& begun);
    runtime::task<std::string> wait_for_dependencies(const Job& job);
    runtime::task<JobResult> attempt(const Job& job, int number, std::unique_ptr<Admission> admission);
    runtime::task<JobResult> conclude(Attempt attempt, JobExit exit);
    runtime::task<void> wait_for_files(Attempt attempt, const JobExit& exit);
    runtime::task<void> deliver(const Job& job, const JobResult& result);
    void clear_up(const Attempt& attempt, const JobResult& result);
    JobState state_when_stopped() const;

    std::string name_;
    runtime::Context& context_;
    JobLedger& ledger_;
    std::unique_ptr<Backend> backend_;
    Retries retries_;
    std::map<std::string, std::shared_ptr<Entry>> entries_;  // of jobs that others may depend on
    std::map<std::string, std::unique_ptr<runtime::Semaphore>> groups_;
};

/// What kinds of queues need to know of where they are used.
struct Site {
    /// Where the agents of jobs leave their records; all nodes see it. Empty: no agent is used.
    std::filesystem::path spool;
    /// The program that runs beside the jobs: coromd, of which `supervise` is called. Empty: none is.
    std::filesystem::path agent;

    bool has_agent() const noexcept { return !spool.empty() && !agent.empty(); }
};

/// A kind of queue that settings can name (`kind = "local"`).
struct QueueKind {
    std::string name;
    std::string description;
    /// Takes what it needs from the reader and leaves the check for unknown keys to the caller.
    std::function<std::unique_ptr<Backend>(runtime::Context&, const Site&, SettingsReader&)> make;
    Retries retries{};  ///< where the settings say nothing
};

Registry<QueueKind> builtin_queues();

/// The local queue without settings: `cores` cores of this machine (0: all that this process may use).
std::unique_ptr<Backend> local_backend(runtime::Context& context, int cores = 0, const Site& site = {});

}  // namespace coromd::queue
