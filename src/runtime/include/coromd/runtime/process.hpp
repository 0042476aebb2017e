// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::runtime {

/// A program to run and how. Nothing of it passes through a shell.
class Command {
public:
    /// argv[0] is looked for in PATH (that of environment() where it is set there) unless it holds
    /// a slash; a relative path is taken from working_directory(). Throws Error(usage) where `argv`
    /// is empty or a string holds a NUL.
    explicit Command(std::vector<std::string> argv);

    Command& working_directory(std::filesystem::path path);
    /// Added to the inherited environment, or replaces what is there.
    Command& environment(std::string name, std::string value);
    /// What the program reads from its standard input; without it that is /dev/null.
    Command& input(std::string text);
    /// Where standard output and error are written to (truncated first); the same path for both
    /// merges them. A relative path is taken from the directory of the caller. Without it, what was
    /// written last is kept in memory.
    Command& output_files(std::filesystem::path stdout_path, std::filesystem::path stderr_path);
    /// How many of the last bytes of each stream are kept in memory (16 KiB).
    Command& tail_limit(std::size_t bytes);

    /// The program leads a session of its own, and so outlives ours and the terminal.
    Command& new_session();

    const std::vector<std::string>& argv() const noexcept { return argv_; }
    const std::filesystem::path& working_directory() const noexcept { return working_directory_; }
    const std::map<std::string, std::string>& environment() const noexcept { return environment_; }
    const std::optional<std::string>& input() const noexcept { return input_; }
    /// Empty where the streams are kept in memory.
    const std::filesystem::path& stdout_path() const noexcept { return stdout_path_; }
    const std::filesystem::path& stderr_path() const noexcept { return stderr_path_; }
    std::size_t tail_limit() const noexcept { return tail_limit_; }
    bool is_new_session() const noexcept { return new_session_; }

    /// argv quoted as a shell would need it. For messages only.
    std::string text() const;

private:
    std::vector<std::string> argv_;
    std::filesystem::path working_directory_;
    std::map<std::string, std::string> environment_;
    std::optional<std::string> input_;
    std::filesystem::path stdout_path_;
    std::filesystem::path stderr_path_;
    std::size_t tail_limit_ = 16 << 10;
    bool new_session_ = false;
};

/// Which file start() would run. Throws Error(system) where the name is not found in PATH.
std::string find_program(const Command& command);

/// How a program ended: exactly one of the two is set.
struct ExitStatus {
    std::optional<int> exit_code;
    std::optional<int> signal;

    bool success() const noexcept { return exit_code == 0; }
    /// "exit code 3", "killed by signal 9 (Killed)"
    std::string text() const;
};

/// What is known of a program that has ended.
struct ProcessResult {
    ExitStatus status;
    std::string stdout_tail;
    std::string stderr_tail;
    std::uint64_t stdout_bytes = 0;  ///< all that was written, kept or not; 0 where it went to a file
    std::uint64_t stderr_bytes = 0;
    pid_t pid = 0;
    std::chrono::nanoseconds wall_time{};
    std::chrono::nanoseconds cpu_time{};  ///< user and system, with children that were waited for
    std::uint64_t max_rss_bytes = 0;
};

/// How the end of a process is noticed.
enum class ExitNotice {
    automatic,     ///< by pidfd where the kernel has it (Linux 5.3), else as below
    without_pidfd  ///< by SIGCHLD for a child, by polling for any other
};

/// A running child process, the leader of a process group of its own, with default signal
/// dispositions and no descriptor of ours but its standard streams.
///
/// The loop drains its output and reaps it, whether or not anybody waits. Destroying the object
/// neither stops the process nor forgets it. Once it has ended, and no object of this class is left,
/// its pipes are closed: what it left running and still writes to them gets SIGPIPE. It must not
/// outlive the Context.
class Process {
public:
    /// Throws Error(system) that names the program where it cannot be started: not in PATH, not
    /// executable, no such working directory, an output file that cannot be created.
    static Process start(Context& context, const Command& command, ExitNotice notice = ExitNotice::automatic);

    Process(Process&&) noexcept;
    Process& operator=(Process&&) noexcept;
    ~Process();

    pid_t pid() const noexcept;
    /// Tells the process from a later one with the same pid, together with boot_id().
    const std::string& start_time() const noexcept;

    /// Waits until the process has ended, been reaped, and what it wrote been read. The end of a
    /// grandchild that holds the same pipes is not waited for. Any number may wait. Throws
    /// Error(system) where the status was lost because the program ignores SIGCHLD.
    ///
    /// Cancellation: throws Cancelled at once; the process is not touched.
    task<ExitStatus> wait();
    /// Whether wait() returns at once.
    bool ended() const noexcept;

    /// Sends a signal to the process itself. Does nothing when it has ended.
    void signal(int number) noexcept;
    /// Sends a signal to all of its process group that still live.
    void signal_group(int number) noexcept;

    /// The last bytes written so far (Command::tail_limit).
    std::string stdout_tail() const;
    std::string stderr_tail() const;
    /// All that is known; complete when it has ended.
    ProcessResult result() const;

private:
    struct State;
    explicit Process(std::shared_ptr<State> state);

    std::shared_ptr<State> state_;
};

/// Starts a program and waits for its end. Failing programs are no error: see
/// ProcessResult::status. Throws Error(system) where it cannot be started.
///
/// Cancellation: SIGTERM to its process group, once; SIGKILL to what is left of the group after
/// `grace`, or before if none is left; always reaps the process, then throws Cancelled.
task<ProcessResult> run_process(Context& context, Command command,
                                std::chrono::nanoseconds grace = std::chrono::seconds(10));

/// Identifies the running kernel: a pid means nothing after a reboot. Throws Error(system).
std::string boot_id();

/// When a process started, in the kernel's clock ticks since boot; empty where there is none, or
/// where it has ended and only waits to be reaped.
std::optional<std::string> process_start_time(pid_t pid);

/// Whether the process that had this pid and start time still runs. It need not be a child.
bool process_is(pid_t pid, const std::string& start_time);

/// Waits until process_is() is false.
///
/// Cancellation: throws Cancelled at once; the process is not touched.
task<void> wait_for_foreign(pid_t pid, std::string start_time, ExitNotice notice = ExitNotice::automatic);

}  // namespace coromd::runtime
