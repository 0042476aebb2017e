// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "coromd/queue/job_file.hpp"

namespace coromd::queue {

/// Names one run of one attempt: the attempt, and how often the scheduler has begun it again.
struct RunId {
    std::uint64_t job = 0;  ///< hash of the key
    int attempt = 0;
    int restart = 0;

    friend auto operator<=>(const RunId&, const RunId&) = default;

    /// "4f0c1a5be6d2b391.2.0"
    std::string text() const;
    static std::optional<RunId> parse(std::string_view text);
};

RunId run_id(std::string_view key, int attempt, int restart = 0);

/// Who runs an attempt, and where.
struct Runner {
    std::string host;
    std::string boot_id;
    pid_t pid = 0;
    std::string start_time;     ///< see runtime::process_start_time()
    std::int64_t beat_ms = 0;   ///< when it last said that it lives, by the clock of the file system
    std::string scheduler_job;  ///< empty where there is none
};

/// The folder in which a queue and the agents of its jobs tell each other what happens, on any file
/// system that all nodes see. Plain files, each written by one side:
///
///   records/<run>.json    by the agent at the end, by rename: one directory read finds all new ones
///   claims/<job>/<run>    by the agent at the start, created exclusively; touched as a heartbeat
///   stop/<job>.<attempt>  by the queue: a request to stop, or not to begin
///   signals/<job>.<attempt>  by the queue: the number of a signal for the program
class Spool {
public:
    /// Makes the folders where they are missing. Throws Error(system).
    explicit Spool(const std::filesystem::path& directory);

    const std::filesystem::path& directory() const noexcept { return directory_; }

    // The agent's side.

    /// Takes the run. False where it was taken before, where a later run of the same job was, or where
    /// it has been asked to stop: then there is nothing to do. Throws Error(system).
    bool claim(const RunId& run, const Runner& runner) const;
    /// Says that the run goes on. False where a later run has taken over, or the job has ended for
    /// good: then it must stop.
    bool beat(const RunId& run) const noexcept;
    bool stop_requested(const RunId& run) const noexcept;
    /// The number of a signal that the program is to be sent, once; empty where none is.
    std::optional<int> take_signal(const RunId& run) const noexcept;
    /// Durable when it returns. Throws Error(system).
    void write_record(const RunId& run, const ExitRecord& record) const;

    // The queue's side.

    /// All runs that have a record. Throws Error(system).
    std::vector<RunId> records() const;
    bool has_record(const RunId& run) const noexcept;
    /// Empty where there is none. Throws Error(input) where it cannot be read.
    std::optional<ExitRecord> read_record(const RunId& run) const;
    /// The last run of the attempt that was claimed; empty where none was. Throws Error(system).
    std::optional<RunId> last_claim(const RunId& attempt) const;
    /// Who claimed the run; empty where nobody has, or what it says cannot be read.
    std::optional<Runner> runner(const RunId& run) const;
    /// What the clock of the file system says, with which heartbeats are dated. Throws Error(system).
    std::int64_t now_ms() const;
    /// Asks all runs of the attempt to stop, and those that come to leave at once.
    void request_stop(const RunId& attempt) const;
    /// Has the agent send a signal to the program. Replaces one that it has not seen yet. Throws Error.
    void request_signal(const RunId& attempt, int number) const;
    /// Removes what is left of an attempt that has ended. With `job_too` also the job's claims, which
    /// until then keep runs of earlier attempts from going on.
    void remove(const RunId& attempt, bool job_too) const noexcept;

private:
    std::filesystem::path claims_of(std::uint64_t job) const;
    std::filesystem::path record_file(const RunId& run) const;
    std::filesystem::path stop_file(const RunId& run) const;
    std::filesystem::path signal_file(const RunId& run) const;
    /// All runs of the job that were claimed.
    std::vector<RunId> claims(std::uint64_t job) const;
    bool overtaken(const RunId& run) const;

    std::filesystem::path directory_;
};

/// This process, as who claims a run.
Runner this_process();

std::string host_name();

}  // namespace coromd::queue
