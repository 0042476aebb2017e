// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/core/error.hpp"
#include "coromd/core/hash.hpp"

namespace coromd::queue {

/// What a job needs of a machine. Zero means "not asked for".
struct Resources {
    int cores = 1;  ///< of each task
    int tasks = 1;  ///< processes of an MPI program
    int nodes = 0;
    int gpus = 0;  ///< in all
    std::uint64_t memory_mib = 0;
    std::chrono::milliseconds walltime{0};

    int all_cores() const noexcept { return cores * tasks; }
};

/// When a job may begin that depends on another one.
enum class After {
    ok,  ///< when that was accepted; never where it was not
    any  ///< when that has ended, however
};

/// How a running program is asked to stop. mdrun takes a second signal for an order to hurry, dies of
/// one that comes before it has begun, and says in its log when it has got one: hence the texts.
struct StopRule {
    int signal = 15;           ///< SIGTERM
    std::string log;           ///< a file in the attempt's directory; empty: nothing is looked at
    std::string ready;         ///< a signal is held back until the log has this, bounded
    std::string acknowledged;  ///< the program was told already where the log has this
};

/// Who is to blame for a failure: each class has its own remedy.
enum class FailureClass {
    none,
    infrastructure,  ///< node, network or scheduler: try again
    timeout,         ///< the time limit
    memory,          ///< out of memory
    user             ///< the program or its input: trying again will not help
};

std::string_view to_string(FailureClass failure) noexcept;
/// Throws Error(input).
FailureClass failure_class(std::string_view text);

/// A file that an attempt left, by name in its directory.
struct OutputFile {
    std::string name;
    std::uint64_t size = 0;
    std::string fingerprint{};  ///< of fingerprint_file(), in hex; empty where nobody has computed it
};

/// How a process of a job ended, before anybody judged it.
struct JobExit {
    std::optional<int> exit_code;  ///< empty where a signal ended it
    int signal = 0;                ///< 0 where none ended it
    bool known = true;             ///< false where nobody saw the end: only its files tell
    bool stopped = false;          ///< we asked it to stop, because its wait was cancelled
    bool timed_out = false;        ///< stopped at, or before, its wall time
    bool terminated = false;       ///< somebody else asked it to stop: the scheduler, a person
    /// What the queue knows of why it ended badly, before anybody judged; none where it knows nothing.
    FailureClass cause = FailureClass::none;
    int restart = 0;              ///< how often the scheduler had begun the attempt again
    std::string scheduler_job;    ///< the scheduler's id of it; empty where there is none
    std::string scheduler_state;  ///< its last word on it ("NODE_FAIL"); empty where it was not asked
    std::string node;
    std::vector<int> gpus;        ///< their ids on the node
    std::int64_t started_ms = 0;  ///< Unix time
    std::int64_t ended_ms = 0;
    double cpu_seconds = 0.0;  ///< user and system
    std::uint64_t peak_memory_kib = 0;
    std::string stdout_tail;
    std::string stderr_tail;
    std::vector<OutputFile> files;  ///< what was seen beside the program; empty where nobody looked
    std::string remark;  ///< what the queue has to say of a bad end; goes into the result's reason only

    /// "exit code 3", "killed by signal 9 (Killed)", "stopped at its wall time", "it was not run"
    std::string text() const;
};

/// What became of an attempt in the eyes of who wrote the job.
struct Verdict {
    bool success = false;
    FailureClass failure = FailureClass::none;
    std::string reason;  ///< one or a few lines for a person

    static Verdict good() { return {true, FailureClass::none, {}}; }
    static Verdict bad(FailureClass failure, std::string reason) {
        return {false, failure, std::move(reason)};
    }
};

/// Looks at an attempt's directory and at how the process ended. The default asks for exit code 0 of
/// a program that was not stopped. Runs on a pool thread. What it throws makes the attempt a failed one.
using Judge = std::function<Verdict(const JobExit&, const std::filesystem::path& attempt_directory)>;

/// One run of one program: what to run, what it needs, and the key under which it is known.
///
/// The program runs in a directory of its own, `<directory>/<leaf of the key>.attempt<N>`, and the
/// files that it leaves there move to `directory` once the attempt was accepted: so two attempts
/// never write the same file, and half-written output is never taken for finished. Folders in there,
/// and the files of its standard output and error, vanish. Jobs whose keys have the same leaf need
/// different directories.
///
/// The job ends when its program does: what that left running in its process group is killed.
/// A program that starts another one therefore passes SIGTERM on and waits for it, or execs it.
///
/// In the arguments, `{cores}`, `{tasks}`, `{first_core}` and `{pin}` ("on" or "auto") are replaced by
/// what the queue gave the job, and `{name}` by what parameter() says; any other brace stays as it is.
/// A program that asks for neither `{first_core}` nor `{pin}` is bound to its cores by the local queue.
class Job {
public:
    /// `key` names the job for good: the same program asks for it by the same key after a restart.
    /// Parts are separated by '/'; the characters are those of a portable file name.
    /// Throws Error(usage) for another key, and for an empty command.
    Job(std::string key, std::vector<std::string> command);

    /// Where the outputs end up; created if need be.
    Job& in_directory(std::filesystem::path directory);
    /// Throws Error(usage) for less than one core and for negative numbers.
    Job& needs(const Resources& resources);
    /// An input. An argument that is equal to this path stands in the specification as its content,
    /// so that a campaign may move and a changed input is noticed.
    Job& reads(const std::filesystem::path& file, const Fingerprint& content);
    /// A file that must be there, not empty, for the attempt to be accepted.
    /// Throws Error(usage) where it is not the plain name of a file.
    Job& writes(std::string file_name);
    Job& environment(std::string name, std::string value);
    /// A value for `{name}` in the arguments that is no part of the specification: a limit that
    /// may differ at the next start.
    Job& parameter(std::string name, std::string value);
    /// Text for its standard input.
    Job& input(std::string text);
    /// How long a stopped program may take before it is killed.
    Job& grace(std::chrono::milliseconds grace);
    Job& judged_by(Judge judge);
    /// How it is asked to stop. The default is SIGTERM.
    Job& stops_by(StopRule rule);
    /// A short helper: where the queue starts processes on this machine, it runs as a plain child,
    /// without the agent that would let it survive us and be found again.
    Job& direct();
    /// It begins after the job with that key, which was given to the same queue before.
    Job& after(std::string key, After when = After::ok);
    /// Of the jobs of one group, one runs at a time.
    Job& alone_in(std::string group);
    /// An option for the scheduler, for this job alone: ("constraint", "zen4"). Local queues ignore it.
    Job& scheduler_option(std::string name, std::string value);
    /// The judge can tell from the files alone, so that an attempt whose program went on without
    /// us, after a crash of ours, may still count.
    Job& recoverable();
    /// Called with the attempt's directory when it is about to start.
    Job& on_start(std::function<void(const std::filesystem::path&)> callback);

    const std::string& key() const noexcept { return key_; }
    /// The last part of the key.
    std::string leaf() const;
    const std::vector<std::string>& command() const noexcept { return command_; }
    const std::filesystem::path& directory() const noexcept { return directory_; }
    const Resources& resources() const noexcept { return resources_; }
    const std::vector<std::string>& outputs() const noexcept { return outputs_; }
    const std::map<std::string, std::string>& environment() const noexcept { return environment_; }
    const std::string& input() const noexcept { return input_; }
    std::chrono::milliseconds grace() const noexcept { return grace_; }
    const Judge& judge() const noexcept { return judge_; }
    bool is_recoverable() const noexcept { return recoverable_; }
    const StopRule& stop_rule() const noexcept { return stop_rule_; }
    const std::map<std::string, After>& dependencies() const noexcept { return dependencies_; }
    const std::string& group() const noexcept { return group_; }
    bool is_direct() const noexcept { return direct_; }
    const std::map<std::string, std::string>& scheduler_options() const noexcept {
        return scheduler_options_;
    }
    const std::map<std::string, std::string>& parameters() const noexcept { return parameters_; }
    const std::function<void(const std::filesystem::path&)>& on_start() const noexcept { return on_start_; }
    /// Where attempt `number` runs, or what the scheduler made of it when it began it again; an
    /// absolute path.
    std::filesystem::path attempt_directory(int number, int restart = 0) const;

    /// What makes this job this job, as JSON of several lines: command, inputs by content,
    /// environment. Not: resources, places, limits.
    std::string specification() const;

private:
    std::string key_;
    std::vector<std::string> command_;
    std::filesystem::path directory_ = ".";
    Resources resources_;
    std::map<std::string, std::string> inputs_;  // path as in the arguments -> content
    std::vector<std::string> outputs_;
    std::map<std::string, std::string> environment_;
    std::map<std::string, std::string> parameters_;
    std::string input_;
    std::chrono::milliseconds grace_{std::chrono::seconds(60)};
    Judge judge_;
    StopRule stop_rule_;
    std::map<std::string, std::string> scheduler_options_;
    std::map<std::string, After> dependencies_;
    std::string group_;
    bool direct_ = false;
    bool recoverable_ = false;
    std::function<void(const std::filesystem::path&)> on_start_;
};

enum class JobState {
    unknown,      ///< never tried
    started,      ///< an attempt was begun, and nothing is known of its end
    finished,     ///< accepted; its result is recorded
    failed,       ///< tried again at the next start
    interrupted,  ///< stopped because the campaign stopped; goes on at the next start
    cancelled     ///< stopped by the program itself
};

std::string_view to_string(JobState state) noexcept;
/// Throws Error(input).
JobState job_state(std::string_view text);

/// What a queue returns: a job that failed is a value, not an exception.
struct JobResult {
    std::string key;
    int attempt = 0;
    JobState state = JobState::unknown;
    JobExit exit;
    FailureClass failure = FailureClass::none;  ///< where the state is failed
    std::string reason;
    std::vector<OutputFile> files;

    bool ok() const noexcept { return state == JobState::finished; }

    std::string to_json() const;
    /// Throws Error(input).
    static JobResult from_json(std::string_view text);
};

/// What to throw where a job had to succeed and did not: reason, attempt, command, and where to look.
Error job_error(const Job& job, const JobResult& result);

}  // namespace coromd::queue
