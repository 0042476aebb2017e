// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A child is the leader of a process group. SIGTERM goes to the child alone, because mdrun takes a
// second one for an order to hurry; when the child has ended, the rest of the group gets SIGKILL, so
// that nobody writes the files any more when they are judged.
//
// A child is known again after a crash of ours by boot id, pid and start time; in the instant
// before that is recorded, by the files that its output goes to.
#include "direct_run.hpp"

#include <csignal>

#include <unistd.h>

#include "coromd/core/clock.hpp"
#include "coromd/core/error.hpp"
#include "coromd/queue/attempt_files.hpp"
#include "coromd/queue/spool.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/timeout.hpp"
#include "coromd/runtime/with.hpp"
#include "process_words.hpp"

namespace coromd::queue {

namespace fs = std::filesystem;
using runtime::task;

namespace {

task<void> stop_process(runtime::Process& process, int signal, std::chrono::milliseconds grace) {
    process.signal(signal);
    const auto in_time = co_await runtime::with_timeout(grace, process.wait());
    if (in_time) co_return;
    process.signal_group(SIGKILL);
    co_await process.wait();
}

/// The leader of a group whose output goes to the streams of this attempt. Not the working directory:
/// a person who looks at the files has a shell in there.
std::optional<KnownProcess> find_leftover(const fs::path& attempt_directory) {
    std::error_code error;
    const fs::path directory = fs::canonical(attempt_directory, error);
    if (error) return std::nullopt;
    for (const fs::directory_entry& entry : fs::directory_iterator("/proc", error)) {
        const std::string name = entry.path().filename();
        const auto process = known_process(fmt::format("{}:{}:", runtime::boot_id(), name));
        if (!process || process->pid == ::getpid() || ::getpgid(process->pid) != process->pid) continue;
        if (fs::read_symlink(entry.path() / "fd/1", error) != directory / kStdoutFile &&
            fs::read_symlink(entry.path() / "fd/2", error) != directory / kStderrFile)
            continue;
        if (auto start_time = runtime::process_start_time(process->pid))
            return KnownProcess{process->pid, std::move(*start_time)};
    }
    return std::nullopt;
}

task<bool> ended_in_time(runtime::Process& process, std::chrono::milliseconds walltime) {
    if (walltime.count() == 0) {
        co_await process.wait();
        co_return true;
    }
    const auto status = co_await runtime::with_timeout(walltime, process.wait());
    co_return status.has_value();
}

}  // namespace

task<JobExit> run_directly(runtime::Context& context, Attempt attempt, std::vector<std::string> command,
                           Submitted submitted) {
    const Job& job = attempt.job();
    const fs::path directory = attempt.directory();
    runtime::Command program(std::move(command));
    program.working_directory(directory).output_files(directory / kStdoutFile, directory / kStderrFile);
    for (const auto& [name, value] : job.environment()) program.environment(name, value);
    if (!job.input().empty()) program.input(job.input());

    JobExit exit;
    exit.node = host_name();
    exit.started_ms = now_ms();
    runtime::Process process = runtime::Process::start(context, program);
    std::exception_ptr error;
    try {
        co_await submitted(kDirectly + process_words(process.pid(), process.start_time()));
        exit.timed_out = !co_await ended_in_time(process, job.resources().walltime);
    } catch (const Cancelled&) {
        exit.stopped = !process.ended();
    } catch (...) {
        error = std::current_exception();
    }
    if (!process.ended()) {
        try {
            co_await runtime::shield(stop_process(process, job.stop_rule().signal, job.grace()));
        } catch (const Cancelled&) {
            // Noted above, or the stop had another reason before.
        }
    }
    process.signal_group(SIGKILL);
    if (error) std::rethrow_exception(error);

    const runtime::ProcessResult result = process.result();
    exit.ended_ms = now_ms();
    exit.exit_code = result.status.exit_code;
    exit.signal = result.status.signal.value_or(0);
    exit.cpu_seconds = std::chrono::duration<double>(result.cpu_time).count();
    exit.peak_memory_kib = result.max_rss_bytes / 1024;
    co_return exit;
}

task<void> end_leftover_child(runtime::Context& context, Attempt attempt, std::string submission) {
    const std::string_view words = submission;
    auto look = [&] {
        return words.starts_with(kDirectly) ? known_process(words.substr(std::string_view(kDirectly).size()))
                                            : find_leftover(attempt.directory());
    };
    const std::optional<KnownProcess> leftover = co_await runtime::offload(context, look);
    if (!leftover || !runtime::process_is(leftover->pid, leftover->start_time)) co_return;
    context.log().warn("{}: stopping process {} of an earlier run", attempt.job().key(), leftover->pid);
    ::kill(leftover->pid, attempt.job().stop_rule().signal);
    co_await runtime::with_timeout(attempt.job().grace(),
                                   runtime::wait_for_foreign(leftover->pid, leftover->start_time));
    ::kill(-leftover->pid, SIGKILL);
    co_await runtime::wait_for_foreign(leftover->pid, leftover->start_time);
}

}  // namespace coromd::queue
