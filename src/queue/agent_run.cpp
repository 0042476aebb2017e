// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The agent is the leader of a session of its own, so that neither our end nor that of the terminal
// reaches it. It is asked to stop by SIGUSR2, which nobody else sends it, and by the stop file where
// it runs on another machine; it stops its program by the job's rule and needs no help. Only if it has
// not come to an end well after the job's grace, all of its group is killed.
#include "agent_run.hpp"

#include <csignal>

#include <fcntl.h>

#include "coromd/core/error.hpp"
#include "coromd/core/fault.hpp"
#include "coromd/core/file.hpp"
#include "coromd/queue/attempt_files.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/timeout.hpp"
#include "coromd/runtime/timer.hpp"
#include "coromd/runtime/with.hpp"
#include "process_words.hpp"

namespace coromd::queue {

namespace fs = std::filesystem;
using runtime::task;
using std::chrono::milliseconds;

namespace {

/// What an agent may need beyond its job's grace: reading the log, hashing the files.
constexpr std::chrono::seconds kAgentGrace{120};
constexpr milliseconds kPollInterval{500};

/// An agent has ended, or is gone: what it wrote, or that nobody knows.
JobExit exit_after_agent(const Spool& spool, const Attempt& attempt, const std::string& agent_end) {
    std::optional<JobExit> exit = recorded_exit(spool, attempt);
    if (exit) return std::move(*exit);
    // Whoever comes late finds that it is not wanted.
    spool.request_stop(run_id(attempt.job().key(), attempt.number()));
    JobExit unknown;
    unknown.known = false;
    unknown.cause = FailureClass::infrastructure;
    unknown.node = host_name();
    const std::string words = read_tail(attempt.directory() / kAgentFile, 4096);
    unknown.remark =
        fmt::format("its agent ended without a record ({}){}{}", agent_end, words.empty() ? "" : ": ", words);
    return unknown;
}

/// On this machine, and not before it was booted last.
bool is_here(const Runner& runner) {
    return runner.host == host_name() && runner.boot_id == runtime::boot_id();
}

/// Waits for the end of an agent that is no child of ours.
task<void> agent_gone(runtime::Context& context, const Spool& spool, RunId run, Runner runner) {
    if (is_here(runner)) {
        co_await runtime::wait_for_foreign(runner.pid, runner.start_time);
        co_return;
    }
    if (runner.host == host_name()) co_return;  // the machine was booted since
    for (;;) {
        auto look = [&] {
            struct View {
                bool ended;
                std::optional<Runner> runner;
                std::int64_t now_ms;
            };
            return View{spool.has_record(run), spool.runner(run), spool.now_ms()};
        };
        const auto view = co_await runtime::offload(context, look);
        if (view.ended || !view.runner) co_return;
        if (milliseconds(view.now_ms - view.runner->beat_ms) > kSilence) {
            context.log().warn("run {} on {} has given no sign of life for {} minutes", run.text(),
                               runner.host, kSilence.count());
            co_return;
        }
        co_await runtime::sleep_for(kPollInterval);
    }
}

void ask_to_stop(const Spool& spool, const RunId& run, const Runner& runner) {
    spool.request_stop(run);
    if (is_here(runner) && runtime::process_is(runner.pid, runner.start_time)) ::kill(runner.pid, SIGUSR2);
}

}  // namespace

void fail_other_kind(const Attempt& attempt, const std::string& submission) {
    fail(ErrorKind::conflict,
         "attempt {} of job '{}' was given to another kind of queue, as '{}': run it with that one, "
         "or cancel it there first",
         attempt.number(), attempt.job().key(), submission);
}

JobFile job_file(const Attempt& attempt, std::vector<std::string> command, const Spool& spool) {
    const Job& job = attempt.job();
    JobFile file;
    file.key = job.key();
    file.attempt = attempt.number();
    file.spool = spool.directory();
    file.directory = attempt.directory();
    file.command = std::move(command);
    file.environment = job.environment();
    file.input = job.input();
    file.walltime = job.resources().walltime;
    file.grace = job.grace();
    file.stop = job.stop_rule();
    file.recoverable = job.is_recoverable();
    return file;
}

void write_plainly(const fs::path& path, std::string_view text) {
    write_fully(open_file(path, O_WRONLY | O_CREAT | O_TRUNC), text, path);
}

fs::path write_job_file(const JobFile& file) {
    const fs::path path = file.directory / kJobFile;
    write_plainly(path, file.to_json());
    return path;
}

std::optional<JobExit> recorded_exit(const Spool& spool, const Attempt& attempt) {
    const RunId id = run_id(attempt.job().key(), attempt.number());
    const std::optional<RunId> last = spool.last_claim(id);
    for (int restart = last ? last->restart : 0; restart >= 0; --restart) {
        std::optional<ExitRecord> record = spool.read_record({id.job, id.attempt, restart});
        if (!record) continue;
        if (!record->error.empty()) fail(ErrorKind::system, "{}", record->error);
        return std::move(record->exit);
    }
    return std::nullopt;
}

task<JobExit> run_agent(runtime::Context& context, const Site& site, const Spool& spool, JobFile file,
                        Attempt attempt, std::vector<std::string> launcher, Submitted submitted) {
    auto write = [&] { return write_job_file(file); };
    const fs::path path = co_await runtime::offload(context, write);
    std::vector<std::string> words = std::move(launcher);
    words.insert(words.end(), {site.agent.string(), "supervise", path.string()});
    runtime::Command command(std::move(words));
    const fs::path own_words = file.directory / kAgentFile;
    // How often the job was begun again that this program itself runs in is not the attempt's business.
    command.output_files(own_words, own_words).new_session().environment("SLURM_RESTART_COUNT", "0");

    fault_point("agent_run.spawn");
    runtime::Process agent = runtime::Process::start(context, command);
    fault_point("agent_run.spawned");
    std::exception_ptr error;
    bool stopped = false;
    try {
        co_await submitted(kUnderAgent + process_words(agent.pid(), agent.start_time()));
        fault_point("agent_run.submitted");
        co_await agent.wait();
    } catch (const Cancelled&) {
        // In a session of its own it outlives this program, and what it does is recorded.
        if (context.leaves_jobs(false)) throw;
        stopped = !agent.ended();
    } catch (...) {
        error = std::current_exception();
    }
    if (!agent.ended()) {
        try {
            auto stop = [&]() -> task<void> {
                // A launcher may not hand the signal on.
                spool.request_stop(run_id(attempt.job().key(), attempt.number()));
                agent.signal(SIGUSR2);
                const auto in_time =
                    co_await runtime::with_timeout(attempt.job().grace() + kAgentGrace, agent.wait());
                if (in_time) co_return;
                agent.signal_group(SIGKILL);
                co_await agent.wait();
            };
            co_await runtime::shield(stop());
        } catch (const Cancelled&) {
            // Noted above.
        }
    }
    agent.signal_group(SIGKILL);
    if (error) std::rethrow_exception(error);
    auto read = [&] { return exit_after_agent(spool, attempt, agent.result().status.text()); };
    auto reading = runtime::offload(context, read);
    JobExit exit;
    try {
        exit = co_await runtime::shield(std::move(reading));
    } catch (const Cancelled&) {
        exit = read();
    }
    // It may have died of the signal before it had anything to record.
    if (!exit.known) exit.stopped = stopped;
    co_return exit;
}

task<std::optional<JobExit>> follow_agent(runtime::Context& context, const Spool& spool, Attempt attempt) {
    const RunId id = run_id(attempt.job().key(), attempt.number());
    struct View {
        std::optional<JobExit> exit;
        std::optional<RunId> run;
        std::optional<Runner> runner;
    };
    auto look = [&] {
        View view;
        view.exit = recorded_exit(spool, attempt);
        if (!view.exit) view.run = spool.last_claim(id);
        if (view.run) view.runner = spool.runner(*view.run);
        // One that was started but has not claimed anything yet must not begin any more.
        if (!view.exit && !view.runner) spool.request_stop(id);
        return view;
    };
    View view;
    bool stopped = false;
    try {
        view = co_await runtime::offload(context, look);
    } catch (const Cancelled&) {
        if (context.leaves_jobs(false)) throw;
        stopped = true;
    }
    // It runs all the same, and nobody else would stop it.
    if (stopped) view = look();
    if (view.exit || !view.runner) co_return std::move(view.exit);

    context.log().info("{}: going on with attempt {} on {}, process {}", attempt.job().key(),
                       attempt.number(), view.runner->host, view.runner->pid);
    if (!stopped) {
        try {
            co_await agent_gone(context, spool, *view.run, *view.runner);
        } catch (const Cancelled&) {
            if (context.leaves_jobs(false)) throw;
            stopped = true;
        }
    }
    if (stopped) {
        try {
            auto stop = [&]() -> task<void> {
                ask_to_stop(spool, *view.run, *view.runner);
                co_await runtime::with_timeout(attempt.job().grace() + kAgentGrace,
                                               agent_gone(context, spool, *view.run, *view.runner));
            };
            co_await runtime::shield(stop());
        } catch (const Cancelled&) {
            // That is why.
        }
    }
    if (is_here(*view.runner)) ::kill(-view.runner->pid, SIGKILL);
    JobExit exit = exit_after_agent(spool, attempt, "it is gone");
    if (!exit.known) {
        exit.stopped = stopped;
        exit.cause = FailureClass::none;
        exit.node = view.runner->host;
    }
    co_return exit;
}

}  // namespace coromd::queue
