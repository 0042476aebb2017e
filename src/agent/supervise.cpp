// SPDX-License-Identifier: LGPL-3.0-or-later
//
// One thread that sleeps in poll(): signals come through a signalfd, and once a second the clock, the
// stop file and, while the program is being stopped, its log are looked at.
//
// A stop goes through these phases:
//
//   begun      the program must be ready for a signal: until its log says so it would die of one
//   together   the scheduler has signalled all processes of the job: is the program among them?
//   asked      its one signal is sent, or its log tells that it has got one
//   killed     the job's grace is over: SIGKILL to it and to all that it has started
//
// What the program leaves running when it ends becomes our child (we are a subreaper) and is killed:
// nobody writes the files any more when the record tells their sizes.
#include "coromd/agent/supervise.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <thread>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "child.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/core/hash.hpp"
#include "coromd/queue/attempt_files.hpp"
#include "coromd/queue/spool.hpp"
#include "log_watch.hpp"

namespace coromd::agent {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using queue::ExitRecord;
using queue::JobFile;
using queue::RunId;
using queue::Spool;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kMaxJobFile = std::size_t{64} << 20;
constexpr auto kTick = 1s;
constexpr auto kStoppingTick = 50ms;
/// How long a program may take to be ready for its signal, and to say that it has got one.
constexpr auto kReadyPatience = 60s;
constexpr auto kTogetherPatience = 10s;
/// How long a record that cannot be written is tried again: a full disk may be mended.
constexpr auto kRecordPatience = 300s;

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

int number_in(std::string_view text, int otherwise) {
    int number = otherwise;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// The job as SLURM names it, "12" or "12_3".
std::string slurm_job() {
    const std::string array = variable("SLURM_ARRAY_JOB_ID");
    return array.empty() ? variable("SLURM_JOB_ID") : array + "_" + variable("SLURM_ARRAY_TASK_ID");
}

std::vector<int> gpus_of(const JobFile& job) {
    if (!job.gpus.empty()) return job.gpus;
    std::vector<int> gpus;
    for (const char* name : {"SLURM_STEP_GPUS", "SLURM_JOB_GPUS"}) {
        const std::string list = gpus.empty() ? variable(name) : "";
        for (std::size_t begin = 0; begin < list.size();) {
            const std::size_t comma = std::min(list.find(',', begin), list.size());
            gpus.push_back(number_in(std::string_view(list).substr(begin, comma - begin), -1));
            begin = comma + 1;
        }
    }
    return gpus;
}

enum class StopPhase { none, begun, together, asked, killed };

class Supervisor {
public:
    Supervisor(JobFile job, RunId run)
        : job_(std::move(job)),
          run_(run),
          spool_(job_.spool),
          directory_(run.restart == 0 ? job_.directory
                                      : fs::path(fmt::format("{}-{}", job_.directory.string(), run.restart))),
          log_(directory_ / job_.stop.log, job_.stop.ready, job_.stop.acknowledged) {}

    int run() {
        if (ended_before()) return kNothingToDo;
        queue::Runner runner = queue::this_process();
        if (job_.signalled_together) runner.scheduler_job = slurm_job();
        if (!spool_.claim(run_, runner)) return kNothingToDo;

        record_.key = job_.key;
        record_.attempt = job_.attempt;
        queue::JobExit& exit = record_.exit;
        exit.restart = run_.restart;
        exit.scheduler_job = runner.scheduler_job;
        exit.node = variable("SLURMD_NODENAME");
        if (exit.node.empty()) exit.node = runner.host;
        exit.gpus = gpus_of(job_);
        exit.started_ms = now_ms();
        begun_ = beaten_ = Clock::now();
        catch_signals();
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        try {
            fs::create_directories(directory_);
            program_ = start_program(job_, directory_);
        } catch (const fs::filesystem_error& error) {
            record_.error = error.what();
        } catch (const Error& error) {
            record_.error = error.message();
        }
        if (record_.error.empty()) {
            while (!ended_) step();
            end_the_rest();
        }
        if (overtaken_) return kNothingToDo;
        return write_record();
    }

private:
    /// A restart of something that was ended gracefully has nothing to add to what is there.
    bool ended_before() const {
        if (!job_.recoverable) return false;
        for (int restart = 0; restart < run_.restart; ++restart) {
            const auto record = spool_.read_record({run_.job, run_.attempt, restart});
            if (record && (record->exit.terminated || record->exit.timed_out)) return true;
        }
        return false;
    }

    void catch_signals() {
        sigset_t set;
        sigemptyset(&set);
        for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) sigaddset(&set, number);
        ::sigprocmask(SIG_BLOCK, &set, nullptr);
        signals_ = FileDescriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
        if (!signals_) fail_errno(errno, "cannot watch for signals");
    }

    void step() {
        std::chrono::milliseconds wait = phase_ == StopPhase::none || phase_ == StopPhase::killed
                                             ? std::chrono::milliseconds(kTick)
                                             : std::chrono::milliseconds(kStoppingTick);
        if (const auto limit = stop_time(); limit && phase_ == StopPhase::none)
            wait = std::clamp(std::chrono::ceil<std::chrono::milliseconds>(*limit - Clock::now()),
                              std::chrono::milliseconds(0), wait);
        pollfd fd{signals_.get(), POLLIN, 0};
        ::poll(&fd, 1, static_cast<int>(wait.count()));
        signalfd_siginfo info{};
        while (::read(signals_.get(), &info, sizeof info) == sizeof info)
            take_signal(static_cast<int>(info.ssi_signo));
        if (ended_) return;

        const auto now = Clock::now();
        if (now - beaten_ >= job_.heartbeat) {
            beaten_ = now;
            if (!spool_.beat(run_)) return give_way();
        }
        if (const auto limit = stop_time(); limit && now >= *limit) begin_stop(record_.exit.timed_out);
        if (phase_ == StopPhase::none && spool_.stop_requested(run_)) begin_stop(record_.exit.stopped);
        if (const auto number = spool_.take_signal(run_)) send(*number);
        if (phase_ != StopPhase::none) advance_stop(now);
    }

    std::optional<Clock::time_point> stop_time() const {
        if (job_.walltime.count() == 0) return std::nullopt;
        return begun_ + std::max(job_.walltime - job_.stop_early, std::chrono::milliseconds(0));
    }

    void take_signal(int number) {
        switch (number) {
            case SIGCHLD:
                reap();
                return;
            case SIGUSR1:
                return begin_stop(record_.exit.timed_out);
            case SIGUSR2:
                return begin_stop(record_.exit.stopped);
            default:
                signalled_together_ = job_.signalled_together && number == SIGTERM;
                return begin_stop(record_.exit.terminated);
        }
    }

    /// The first reason is the one that is told.
    void begin_stop(bool& reason) {
        if (phase_ != StopPhase::none) return;
        reason = true;
        phase_ = StopPhase::begun;
        stop_begun_ = Clock::now();
    }

    void advance_stop(Clock::time_point now) {
        if (phase_ == StopPhase::killed) return;
        const auto waited = now - stop_begun_;
        if (waited >= job_.grace) {
            kill_all();
            phase_ = StopPhase::killed;
            return;
        }
        if (phase_ == StopPhase::asked) return;
        const bool watched = !job_.stop.log.empty();
        if (watched) log_.refresh();
        if (watched && log_.acknowledged()) {
            phase_ = StopPhase::asked;
        } else if (signalled_together_) {
            // Without a log there is nothing that would tell: then it has got it.
            phase_ = watched && waited < kTogetherPatience ? StopPhase::together : StopPhase::asked;
            if (watched && phase_ == StopPhase::asked) ask();
        } else if (!watched || log_.ready() || waited >= kReadyPatience) {
            phase_ = StopPhase::asked;
            ask();
        }
    }

    void ask() { send(job_.stop.signal); }

    void send(int number) const {
        if (!job_.script) {
            ::kill(program_, number);
            return;
        }
        for (const pid_t pid : leaf_descendants()) ::kill(pid, number);
    }

    void give_way() {
        overtaken_ = true;
        if (phase_ != StopPhase::killed) kill_all();
        phase_ = StopPhase::killed;
    }

    static void kill_all() {
        for (const pid_t pid : descendants()) ::kill(pid, SIGKILL);
    }

    /// Takes the ends of all children that have ended, adopted ones too.
    void reap() {
        for (;;) {
            int status = 0;
            rusage usage{};
            const pid_t pid = ::wait4(-1, &status, WNOHANG, &usage);
            if (pid <= 0) return;
            account(usage);
            if (pid != program_) continue;
            ended_ = true;
            if (WIFSIGNALED(status)) {
                record_.exit.signal = WTERMSIG(status);
            } else {
                record_.exit.exit_code = WEXITSTATUS(status);
            }
        }
    }

    void account(const rusage& usage) {
        const auto seconds = [](const timeval& time) {
            return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
        };
        queue::JobExit& exit = record_.exit;
        exit.cpu_seconds += seconds(usage.ru_utime) + seconds(usage.ru_stime);
        exit.peak_memory_kib = std::max(exit.peak_memory_kib, static_cast<std::uint64_t>(usage.ru_maxrss));
    }

    void end_the_rest() {
        for (;;) {
            int status = 0;
            rusage usage{};
            pid_t pid = 0;
            while ((pid = ::wait4(-1, &status, WNOHANG, &usage)) > 0) account(usage);
            if (pid < 0) return;  // none is left
            kill_all();
            std::this_thread::sleep_for(1ms);
        }
    }

    int write_record() {
        queue::JobExit& exit = record_.exit;
        exit.ended_ms = now_ms();
        const auto give_up = Clock::now() + kRecordPatience;
        for (;;) {
            try {
                describe_files();
                spool_.write_record(run_, record_);
                break;
            } catch (const std::exception& error) {
                fmt::print(stderr, "coromd supervise: {}\n", error.what());
                if (Clock::now() >= give_up) return kNoRecord;
            }
            std::this_thread::sleep_for(kTick);
        }
        if (!record_.error.empty()) {
            fmt::print(stderr, "coromd supervise: {}\n", record_.error);
            return 127;
        }
        return exit.exit_code ? *exit.exit_code : 128 + exit.signal;
    }

    /// What is told of the files is on the disk before it is told.
    void describe_files() {
        queue::JobExit& exit = record_.exit;
        exit.files.clear();
        if (!record_.error.empty()) return;
        exit.stdout_tail = read_tail(directory_ / queue::kStdoutFile, queue::kStreamTail);
        exit.stderr_tail = read_tail(directory_ / queue::kStderrFile, queue::kStreamTail);
        exit.files = queue::files_in(directory_);
        for (queue::OutputFile& file : exit.files) {
            sync_path(directory_ / file.name);
            file.fingerprint = fingerprint_file(directory_ / file.name).hex();
        }
        if (!exit.files.empty()) sync_path(directory_);
    }

    JobFile job_;
    RunId run_;
    Spool spool_;
    fs::path directory_;
    LogWatch log_;
    ExitRecord record_;
    FileDescriptor signals_;
    pid_t program_ = 0;
    bool ended_ = false;
    bool overtaken_ = false;
    bool signalled_together_ = false;
    StopPhase phase_ = StopPhase::none;
    Clock::time_point begun_;
    Clock::time_point beaten_;
    Clock::time_point stop_begun_;
};

}  // namespace

int supervise(const fs::path& job_file) {
    std::optional<Supervisor> supervisor;
    try {
        JobFile job = JobFile::from_json(read_text_file(job_file, kMaxJobFile));
        const int restart = job.signalled_together ? number_in(variable("SLURM_RESTART_COUNT"), 0) : 0;
        const RunId run = queue::run_id(job.key, job.attempt, restart);
        supervisor.emplace(std::move(job), run);
    } catch (const Error& error) {
        fmt::print(stderr, "coromd supervise: '{}': {}\n", job_file.string(), error.what());
        return kBadJobFile;
    }
    return supervisor->run();
}

fs::path array_element(const fs::path& list) {
    const int element = number_in(variable("SLURM_ARRAY_TASK_ID"), -1);
    const std::string text = read_text_file(list, kMaxJobFile);
    std::size_t begin = 0;
    for (int line = 0; line < element && begin < text.size(); ++line)
        begin = std::min(text.find('\n', begin), text.size() - 1) + 1;
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (element < 0 || begin >= end)
        fail(ErrorKind::input, "'{}' has no job for element {} of its array", list.string(), element);
    return text.substr(begin, end - begin);
}

}  // namespace coromd::agent
