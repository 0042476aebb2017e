// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "slurm/states.hpp"

namespace coromd::queue::slurm {

// What SLURM's commands print, as values. Their output passes wrappers of sites and versions of SLURM,
// and holds what other people wrote: lines that make no sense are counted, never fatal, and nothing
// here throws for what is read.

/// Tasks of an array: first, first + step, ..., not beyond last.
struct TaskRange {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::uint32_t step = 1;
};

/// What a row is about: "12", "12_3", "12_[3-9,11%2]", each perhaps with a step ("12.batch").
struct JobId {
    std::uint32_t job = 0;
    /// Empty for a job as a whole: one that is no array, or, for some seconds, an array whose tasks
    /// the accounting does not tell apart yet. Such a row says nothing of any single task.
    std::vector<TaskRange> tasks;
    std::string step;
    /// The list of tasks was cut by "...": there are more. Does not happen with kEnvironment.
    bool truncated = false;

    /// The task, where it is exactly one.
    std::optional<std::uint32_t> task() const noexcept;
    std::uint64_t n_tasks() const noexcept;
    bool has_task(std::uint32_t index) const noexcept;
    void for_each_task(const std::function<void(std::uint32_t)>& visit) const;
};

/// Empty for any other text, for more tasks than SLURM can have (4,000,001), and for parts of
/// heterogeneous jobs ("12+1").
std::optional<JobId> parse_job_id(std::string_view text);

/// "3:0": exit code and signal. Of sacct the code is 128 too low from 128 on.
struct ExitStatus {
    int code = 0;
    int signal = 0;
};
std::optional<ExitStatus> parse_exit_status(std::string_view text) noexcept;

/// A job, some tasks of an array, or a step, as a command showed it. Fields that it does not show are
/// empty.
struct JobRow {
    JobId id;
    const State* state = nullptr;  ///< never null in what a parser returns
    std::string state_text;        ///< as written, for messages about unknown states
    std::optional<ExitStatus> exit;
    std::string nodes;   ///< a host list
    std::string name;    ///< cut at its first '|'
    std::string reason;  ///< why it waits or failed, in SLURM's words: "Priority"
};

struct JobRows {
    std::vector<JobRow> rows;
    std::size_t n_garbage = 0;  ///< lines that were skipped, blank ones apart
    std::string garbage;        ///< the first of them, printable and cut
};

/// What squeue and sacct need in their environment, so that lists of tasks are not cut at 64 bytes.
inline constexpr std::pair<const char*, const char*> kEnvironment{"SLURM_BITSTR_LEN", "0"};

/// `squeue -h -o kSqueueFormat`. Only the last field may hold any text; names with '|' are not ours.
inline constexpr const char* kSqueueFormat = "%i|%T|%N|%j|%r";
JobRows parse_squeue(std::string_view text);

/// `sacct -n -P -X -o kSacctFormat`.
inline constexpr const char* kSacctFormat = "JobID,State,ExitCode,NodeList,JobName";
JobRows parse_sacct(std::string_view text);

struct SubmittedJob {
    std::uint32_t job = 0;
    std::string cluster;  ///< "" for the default one
};
/// `sbatch --parsable`: its last line that holds "id" or "id;cluster", whatever a site prints around
/// it. Empty where there is none.
std::optional<SubmittedJob> parse_sbatch(std::string_view text);

/// `scontrol show config`. 0 and "" for what it does not say.
struct ClusterConfig {
    std::string version;  ///< "22.05.8"
    std::string cluster_name;
    std::string accounting_storage;    ///< "accounting_storage/slurmdbd"
    std::uint64_t max_array_size = 0;  ///< task indices are below it
    std::uint64_t max_job_count = 0;
    std::uint64_t min_job_age_s = 0;  ///< so long squeue and scontrol know ended jobs
    std::uint64_t kill_wait_s = 0;    ///< from SIGTERM to SIGKILL

    bool has_accounting() const noexcept;
};
ClusterConfig parse_config(std::string_view text);

/// `sacctmgr -n -P show assoc format=kAssocFormat ...`: the smallest limits of all rows.
struct JobLimits {
    std::optional<std::uint64_t> max_jobs;    ///< running at once
    std::optional<std::uint64_t> max_submit;  ///< in the queue at once, tasks of arrays counted
};
inline constexpr const char* kAssocFormat = "MaxJobs,MaxSubmit";
JobLimits parse_assoc(std::string_view text);

/// Why a command failed, by what is to be done about it.
enum class CommandFailure {
    none,                    ///< it did not
    controller_unreachable,  ///< nothing was done: try again
    timed_out,               ///< it may have been done: look before trying again
    accounting_unreachable,  ///< only sacct and sacctmgr suffer: try again
    no_accounting,           ///< the cluster keeps none: do without
    invalid_job_id,          ///< no such job, or it has ended
    /// Later it may be possible. With none of our own jobs in the queue, later is never.
    limit_reached,
    permission,      ///< not our job
    authentication,  ///< munge
    refused,         ///< the options are wrong: the user must mend them
    not_started,     ///< there is no such command
    other
};
std::string_view to_string(CommandFailure failure) noexcept;

/// From a command's exit code (empty where it had to be killed) and its standard error.
CommandFailure classify_failure(std::optional<int> exit_code, std::string_view stderr_text);

}  // namespace coromd::queue::slurm
