// SPDX-License-Identifier: LGPL-3.0-or-later
//
// One thread that sleeps in poll(): signals come through a signalfd, and once a second the clock, the
// stop file and, while the program is being stopped, its log are looked at.
//
// A stop goes through these phases:
//
//   begun      the program must be ready for a signal: until its log says so it would die of one
//   together   the scheduler has signalled all processes of the job: has the program got it?
//   asked      its one signal is sent, or its log tells that it has got one
//   killed     the job's grace is over: SIGKILL to it and to all that it has started
//
// What the program leaves running when it ends becomes our child (we are a subreaper) and is killed,
// in a stop of a script with what is left of the grace: nobody writes the files any more when the
// record tells their sizes.
#include "coromd/agent/supervise.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "child.hpp"
#include "coromd/core/clock.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/fault.hpp"
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
constexpr std::chrono::milliseconds kStoppingTick{50};
/// How long a program may take to be ready for its signal, and to say that it has got one.
constexpr auto kReadyPatience = 60s;
constexpr auto kTogetherPatience = 10s;
constexpr std::size_t kMaxGpus = 1024;

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

/// The ids in SLURM's list, "0,1" or "0-3,6".
std::vector<int> numbers_of(std::string_view list) {
    std::vector<int> numbers;
    while (!list.empty()) {
        const std::string_view item = list.substr(0, list.find(','));
        list.remove_prefix(std::min(list.size(), item.size() + 1));
        const auto dash = item.find('-');
        const int first = number_in(item, -1);
        const int last = dash == item.npos ? first : number_in(item.substr(dash + 1), first);
        for (int number = first; number >= 0 && number <= last && numbers.size() < kMaxGpus; ++number)
            numbers.push_back(number);
    }
    return numbers;
}

std::vector<int> gpus_of(const JobFile& job) {
    if (!job.gpus.empty()) return job.gpus;
    const std::string of_step = variable("SLURM_STEP_GPUS");
    return numbers_of(of_step.empty() ? variable("SLURM_JOB_GPUS") : of_step);
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
        catch_signals();
        if (ended_before()) return kNothingToDo;
        queue::Runner runner = queue::this_process();
        if (job_.signalled_together) runner.scheduler_job = slurm_job();
        fault_point("supervise.begun");
        if (!spool_.claim(run_, runner)) return kNothingToDo;
        spool_folder_ = open_file(job_.spool, O_PATH | O_DIRECTORY);

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
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        take_signals();
        // Asked to stop before it began: then it does not begin, and its record says so.
        if (phase_ == StopPhase::none) start();
        if (program_ != 0) {
            while (!ended_) step();
            fault_point("supervise.ended");
            end_the_rest();
        }
        return write_record();
    }

private:
    /// A restart of something that has done its work, or was ended gracefully where a part of the work
    /// counts, has nothing to add to what is there.
    bool ended_before() const {
        for (int restart = 0; restart < run_.restart; ++restart) {
            const auto record = spool_.read_record({run_.job, run_.attempt, restart});
            if (!record) continue;
            const bool cut_short = record->exit.terminated || record->exit.timed_out;
            if (cut_short ? job_.recoverable : record->exit.exit_code == 0) return true;
        }
        return false;
    }

    void start() {
        try {
            fs::create_directories(directory_);
            directory_folder_ = open_file(directory_, O_PATH | O_DIRECTORY);
            fault_point("supervise.start");
            program_ = start_program(job_, directory_);
            fault_point("supervise.started");
        } catch (const fs::filesystem_error& error) {
            record_.error = error.what();
        } catch (const Error& error) {
            record_.error = error.message();
        }
    }

    /// From here on a request to stop waits until it can be heeded.
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
                                             : kStoppingTick;
        if (const auto limit = stop_time(); limit && phase_ == StopPhase::none)
            wait = std::clamp(std::chrono::ceil<std::chrono::milliseconds>(*limit - Clock::now()),
                              std::chrono::milliseconds(0), wait);
        pollfd fd{signals_.get(), POLLIN, 0};
        ::poll(&fd, 1, static_cast<int>(wait.count()));
        take_signals();
        if (ended_) return;

        follow_campaign();
        const auto now = Clock::now();
        if (!keep_claim(now)) return give_way();
        if (const auto limit = stop_time(); limit && now >= *limit) begin_stop(record_.exit.timed_out);
        if (phase_ == StopPhase::none && spool_.stop_requested(run_)) begin_stop(record_.exit.stopped);
        if (const auto number = spool_.take_signal(run_)) send(*number);
        if (phase_ != StopPhase::none) advance_stop(now);
    }

    std::optional<Clock::time_point> stop_time() const {
        if (job_.walltime.count() == 0) return std::nullopt;
        return begun_ + std::max(job_.walltime - job_.stop_early, std::chrono::milliseconds(0));
    }

    void take_signals() {
        signalfd_siginfo info{};
        while (::read(signals_.get(), &info, sizeof info) == sizeof info)
            take_signal(static_cast<int>(info.ssi_signo));
    }

    /// A campaign may be moved while its jobs run: the folders are where the kernel says that they are.
    void follow_campaign() {
        const auto moved_to = [](const FileDescriptor& folder, const fs::path& known) {
            std::error_code error;
            const fs::path now = fs::read_symlink(fmt::format("/proc/self/fd/{}", folder.get()), error);
            struct stat there {};
            struct stat ours {};
            // The kernel's word for a folder that is gone, or that another host has moved, is no path.
            const bool good = !error && now != known && ::stat(now.c_str(), &there) == 0 &&
                              ::fstat(folder.get(), &ours) == 0 && there.st_ino == ours.st_ino &&
                              there.st_dev == ours.st_dev;
            return good ? now : known;
        };
        if (const fs::path now = moved_to(spool_folder_, spool_.directory()); now != spool_.directory())
            spool_ = Spool(now);
        if (!directory_folder_) return;
        const fs::path now = moved_to(directory_folder_, directory_);
        if (now == directory_) return;
        directory_ = now;
        log_ = LogWatch(directory_ / job_.stop.log, job_.stop.ready, job_.stop.acknowledged);
    }

    /// The heartbeat, when its time has come. False where the run has been overtaken.
    bool keep_claim(Clock::time_point now) {
        if (now - beaten_ < job_.heartbeat) return !overtaken_;
        beaten_ = now;
        overtaken_ = overtaken_ || !spool_.beat(run_);
        return !overtaken_;
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
                if (job_.signalled_together && number == SIGTERM && !signalled_together_)
                    signalled_together_ = Clock::now();
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
        // Without a log there is nothing that would tell that it has got the scheduler's: then it has.
        if (watched ? log_.acknowledged() : signalled_together_.has_value()) {
            phase_ = StopPhase::asked;
        } else if (signalled_together_ && now - *signalled_together_ < kTogetherPatience) {
            phase_ = StopPhase::together;
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
        if (phase_ != StopPhase::killed) kill_all();
        phase_ = StopPhase::killed;
    }

    static void kill_all() {
        for (const pid_t pid : descendants()) ::kill(pid, SIGKILL);
    }

    /// Takes the ends of all children that have ended, adopted ones too. False where none is left.
    bool reap() {
        for (;;) {
            int status = 0;
            rusage usage{};
            const pid_t pid = ::wait4(-1, &status, WNOHANG, &usage);
            if (pid <= 0) return pid == 0;
            account(usage);
            if (pid != program_ || ended_) continue;
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

    /// What the program has left running is killed. But a shell dies of the scheduler's signal at once,
    /// and what it ran may need the rest of the grace to write its checkpoint.
    void end_the_rest() {
        const bool stopping = phase_ != StopPhase::none && phase_ != StopPhase::killed;
        const bool patient = stopping && (job_.script || signalled_together_);
        for (std::chrono::milliseconds pause{1}; reap(); pause = std::min(pause * 2, kStoppingTick)) {
            const auto now = Clock::now();
            if (!keep_claim(now) || !patient || now - stop_begun_ >= job_.grace) kill_all();
            std::this_thread::sleep_for(pause);
        }
    }

    int write_record() {
        queue::JobExit& exit = record_.exit;
        exit.ended_ms = now_ms();
        const auto give_up = Clock::now() + job_.record_patience;
        bool described = false;
        std::string said;
        for (;;) {
            try {
                follow_campaign();
                if (!described) describe_files();
                described = true;
                fault_point("supervise.described");
                if (overtaken_ || !spool_.beat(run_)) return kNothingToDo;
                spool_.write_record(run_, record_);
                fault_point("supervise.recorded");
                break;
            } catch (const std::exception& error) {
                if (said != error.what()) fmt::print(stderr, "coromd supervise: {}\n", error.what());
                said = error.what();
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

    /// What is told of the files is on the disk before it is told. What the program has made so that it
    /// cannot be read is told without a fingerprint: that is no reason to say nothing at all.
    void describe_files() {
        queue::JobExit& exit = record_.exit;
        if (program_ == 0) return;
        exit.stdout_tail = tail_of(queue::kStdoutFile);
        exit.stderr_tail = tail_of(queue::kStderrFile);
        std::error_code ignored;
        if (fs::status(directory_, ignored).type() == fs::file_type::not_found) return;
        exit.files = queue::files_in(directory_);
        for (queue::OutputFile& file : exit.files) {
            const fs::path path = directory_ / file.name;
            if (::access(path.c_str(), R_OK) != 0 && errno == EACCES) continue;
            sync_path(path);
            file.fingerprint = fingerprint_file(path).hex();
            keep_claim(Clock::now());
        }
        if (exit.files.empty()) return;
        sync_path(directory_);
        sync_path(directory_.parent_path());
    }

    std::string tail_of(const char* stream) const {
        std::error_code ignored;
        const fs::path path = directory_ / stream;
        return fs::is_regular_file(path, ignored) ? read_tail(path, queue::kStreamTail) : "";
    }

    JobFile job_;
    RunId run_;
    Spool spool_;
    fs::path directory_;
    LogWatch log_;
    ExitRecord record_;
    FileDescriptor signals_;
    FileDescriptor spool_folder_;
    FileDescriptor directory_folder_;
    pid_t program_ = 0;
    bool ended_ = false;
    bool overtaken_ = false;
    /// When the scheduler has signalled all processes of the job.
    std::optional<Clock::time_point> signalled_together_;
    StopPhase phase_ = StopPhase::none;
    Clock::time_point begun_;
    Clock::time_point beaten_;
    Clock::time_point stop_begun_;
};

}  // namespace

int supervise(const fs::path& job_file) {
    name_process_for_faults("agent");
    JobFile job;
    const auto report = [&](const Error& error, int exit_code) {
        fmt::print(stderr, "coromd supervise: '{}': {}\n", job_file.string(), error.what());
        return exit_code;
    };
    try {
        job = JobFile::from_json(read_text_file(job_file, kMaxJobFile));
    } catch (const Error& error) {
        return report(error, kBadJobFile);
    }
    const int restart = job.signalled_together ? number_in(variable("SLURM_RESTART_COUNT"), 0) : 0;
    const RunId run = queue::run_id(job.key, job.attempt, std::max(restart, 0));
    try {
        return Supervisor(std::move(job), run).run();
    } catch (const Error& error) {
        return report(error, kNoRecord);
    }
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
