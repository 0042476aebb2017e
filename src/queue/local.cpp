// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Jobs as child processes of this program, as many at once as there are cores for.
//
// Cores are counted by a semaphore, first come, first served; which ones a job gets is the lowest
// run of neighbours that is free, so that mdrun can be pinned to them. Where the machine's cores
// are not all ours (a container, a batch job), or no run is long enough, the job is not pinned.
//
// A child is known again after a crash of ours by boot id, pid and start time; in the instant
// before that is recorded, by its working directory.
#include <algorithm>
#include <array>
#include <csignal>
#include <charconv>
#include <optional>
#include <vector>

#include <sched.h>
#include <unistd.h>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/queue/queue.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/semaphore.hpp"
#include "coromd/runtime/timeout.hpp"
#include "coromd/runtime/timer.hpp"
#include "coromd/runtime/with.hpp"
#include "kinds.hpp"
#include "streams.hpp"

namespace coromd::queue {

namespace fs = std::filesystem;
using runtime::task;

namespace {

struct MachineCores {
    int usable = 1;
    bool all = false;  ///< nothing keeps us from any core of the machine
};

MachineCores machine_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return {};
    const int usable = std::max(1, CPU_COUNT(&set));
    return {usable, usable == ::sysconf(_SC_NPROCESSORS_CONF)};
}

/// Which cores are taken.
class CoreMap {
public:
    explicit CoreMap(int cores) : taken_(static_cast<std::size_t>(cores), false) {}

    /// The first of `n` free neighbours, which are then taken; empty where there are none.
    std::optional<int> take(int n) {
        int run = 0;
        for (std::size_t core = 0; core < taken_.size(); ++core) {
            run = taken_[core] ? 0 : run + 1;
            if (run < n) continue;
            const auto first = core + 1 - static_cast<std::size_t>(n);
            std::fill_n(taken_.begin() + static_cast<std::ptrdiff_t>(first), n, true);
            return static_cast<int>(first);
        }
        return std::nullopt;
    }

    void give_back(int first, int n) noexcept { std::fill_n(taken_.begin() + first, n, false); }

private:
    std::vector<bool> taken_;
};

class LocalAdmission final : public Admission {
public:
    LocalAdmission(runtime::Permit permit, CoreMap& map, int cores)
        : permit_(std::move(permit)), map_(map), cores_(cores), first_(map.take(cores)) {}
    ~LocalAdmission() override {
        if (first_) map_.give_back(*first_, cores_);
    }

    int cores() const noexcept { return cores_; }
    std::optional<int> first_core() const noexcept { return first_; }

private:
    runtime::Permit permit_;
    CoreMap& map_;
    int cores_;
    std::optional<int> first_;
};

void replace_all(std::string& text, std::string_view what, std::string_view by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

std::vector<std::string> filled_in(const Job& job, const LocalAdmission& admission, bool may_pin) {
    const bool pin = may_pin && admission.first_core();
    std::map<std::string, std::string> values = job.parameters();
    values["cores"] = std::to_string(admission.cores());
    values["first_core"] = std::to_string(pin ? *admission.first_core() : 0);
    values["pin"] = pin ? "on" : "auto";
    std::vector<std::string> command = job.command();
    for (std::string& argument : command)
        for (const auto& [name, value] : values) replace_all(argument, fmt::format("{{{}}}", name), value);
    return command;
}

std::int64_t now_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

/// SIGTERM to the program, which passes it on if it wants to; SIGKILL to its whole group.
task<void> stop_process(runtime::Process& process, std::chrono::milliseconds grace) {
    process.signal(SIGTERM);
    const auto in_time = co_await runtime::with_timeout(grace, process.wait());
    if (in_time) co_return;
    process.signal_group(SIGKILL);
    co_await process.wait();
}

class LocalBackend final : public Backend {
public:
    LocalBackend(runtime::Context& context, int cores)
        : context_(context), cores_(cores), map_(cores), free_(static_cast<std::size_t>(cores)) {
        const MachineCores machine = machine_cores();
        may_pin_ = machine.all && cores <= machine.usable;
    }

    task<std::unique_ptr<Admission>> admit(const Job& job) override {
        const Resources& needs = job.resources();
        if (needs.cores < 1 || needs.cores > cores_)
            fail(ErrorKind::usage, "job '{}' asks for {} cores; this queue has {}", job.key(), needs.cores, cores_);
        if (needs.gpus > 0) fail(ErrorKind::usage, "job '{}' asks for {} GPUs; this queue has none", job.key(), needs.gpus);
        runtime::Permit permit = co_await free_.acquire(static_cast<std::size_t>(needs.cores));
        co_return std::make_unique<LocalAdmission>(std::move(permit), map_, needs.cores);
    }

    task<JobExit> execute(const Job& job, const Admission& admission, fs::path directory,
                          std::function<task<void>(std::string)> submitted) override {
        runtime::Command command(filled_in(job, static_cast<const LocalAdmission&>(admission), may_pin_));
        command.working_directory(directory).output_files(directory / kStdoutFile, directory / kStderrFile);
        for (const auto& [name, value] : job.environment()) command.environment(name, value);
        if (!job.input().empty()) command.input(job.input());

        JobExit exit;
        exit.node = host_name();
        exit.started_ms = now_ms();
        runtime::Process process = runtime::Process::start(context_, command);
        std::exception_ptr error;
        try {
            co_await submitted(fmt::format("{}:{}:{}", runtime::boot_id(), process.pid(), process.start_time()));
            exit.timed_out = !co_await ended_in_time(process, job.resources().walltime);
        } catch (const Cancelled&) {
            exit.stopped = true;
        } catch (...) {
            error = std::current_exception();
        }
        if (!process.ended()) {
            try {
                co_await runtime::shield(stop_process(process, job.grace()));
            } catch (const Cancelled&) {
                exit.stopped = true;
            }
        }
        if (error) std::rethrow_exception(error);

        const runtime::ProcessResult result = process.result();
        exit.ended_ms = now_ms();
        exit.exit_code = result.status.exit_code;
        exit.signal = result.status.signal.value_or(0);
        exit.cpu_seconds = std::chrono::duration<double>(result.cpu_time).count();
        exit.peak_memory_kib = result.max_rss_bytes / 1024;
        exit.stdout_tail = read_tail(directory / kStdoutFile, kStreamTail);
        exit.stderr_tail = read_tail(directory / kStderrFile, kStreamTail);
        co_return exit;
    }

    task<void> end_leftover(const Job& job, std::string submission, fs::path directory) override {
        for (const Leftover& leftover : submission.empty() ? running_in(directory) : parse(submission)) {
            if (!runtime::process_is(leftover.pid, leftover.start_time)) continue;
            context_.log().warn("{}: stopping process {} of an earlier run", job.key(), leftover.pid);
            ::kill(leftover.pid, SIGTERM);
            const auto in_time = co_await runtime::with_timeout(
                job.grace(), runtime::wait_for_foreign(leftover.pid, leftover.start_time));
            if (!in_time) ::kill(-leftover.pid, SIGKILL);
        }
    }

private:
    struct Leftover {
        pid_t pid;
        std::string start_time;
    };

    static task<bool> ended_in_time(runtime::Process& process, std::chrono::milliseconds walltime) {
        if (walltime.count() == 0) {
            co_await process.wait();
            co_return true;
        }
        const auto status = co_await runtime::with_timeout(walltime, process.wait());
        co_return status.has_value();
    }

    /// "boot id:pid:start time" as execute() recorded it; nothing where the machine was booted since.
    static std::vector<Leftover> parse(const std::string& submission) {
        const auto first = submission.find(':');
        const auto second = submission.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) return {};
        if (submission.substr(0, first) != runtime::boot_id()) return {};
        pid_t pid = 0;
        const char* begin = submission.data() + first + 1;
        const char* end = submission.data() + second;
        if (std::from_chars(begin, end, pid).ptr != end || pid <= 1) return {};
        return {{pid, submission.substr(second + 1)}};
    }

    static std::vector<Leftover> running_in(const fs::path& directory) {
        std::vector<Leftover> found;
        std::error_code error;
        const fs::path wanted = fs::canonical(directory, error);
        if (error) return found;
        for (const fs::directory_entry& entry : fs::directory_iterator("/proc", error)) {
            const std::string name = entry.path().filename();
            pid_t pid = 0;
            if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
            if (fs::read_symlink(entry.path() / "cwd", error) != wanted) continue;
            if (const auto start_time = runtime::process_start_time(pid)) found.push_back({pid, *start_time});
        }
        return found;
    }

    runtime::Context& context_;
    int cores_;
    bool may_pin_ = false;
    CoreMap map_;
    runtime::Semaphore free_;
};

}  // namespace

std::unique_ptr<Backend> local_backend(runtime::Context& context, int cores) {
    return std::make_unique<LocalBackend>(context, cores > 0 ? cores : machine_cores().usable);
}

QueueKind local_kind() {
    return {"local", "processes on this machine, as many at once as it has cores",
            [](runtime::Context& context, SettingsReader& settings) {
                return local_backend(context, static_cast<int>(settings.integer_from("cores", 1, machine_cores().usable)));
            }};
}

}  // namespace coromd::queue
