// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Jobs as child processes of this program, as many at once as there are cores for.
//
// Cores are counted by a semaphore, first come, first served; which ones a job gets is the lowest
// run of neighbours that is free, so that mdrun can be pinned to them. Where the machine's cores
// are not all ours (a container, a batch job), or no run is long enough, the job is not pinned.
//
// A child is the leader of a process group. SIGTERM goes to the child alone, because mdrun takes a
// second one for an order to hurry; when the child has ended, the rest of the group gets SIGKILL, so
// that nobody writes the files any more when they are judged.
//
// A child is known again after a crash of ours by boot id, pid and start time; in the instant
// before that is recorded, by the files that its output goes to.
#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include <sched.h>
#include <unistd.h>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/queue/queue.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/semaphore.hpp"
#include "coromd/runtime/timeout.hpp"
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

/// `{name}` replaced by its value, in one pass: what a value holds is not looked at again.
std::string filled_in(std::string_view text, const std::map<std::string, std::string>& values) {
    std::string out;
    for (auto open = text.find('{'); open != text.npos; open = text.find('{')) {
        out += text.substr(0, open);
        text.remove_prefix(open);
        const auto close = text.find('}');
        const auto value =
            close == text.npos ? values.end() : values.find(std::string(text.substr(1, close - 1)));
        out += value == values.end() ? "{" : value->second;
        text.remove_prefix(value == values.end() ? 1 : close + 1);
    }
    return out += text;
}

std::vector<std::string> command_of(const Job& job, const LocalAdmission& admission, bool may_pin) {
    const bool pin = may_pin && admission.first_core();
    std::map<std::string, std::string> values = job.parameters();
    values["cores"] = std::to_string(admission.cores());
    values["first_core"] = std::to_string(pin ? *admission.first_core() : 0);
    values["pin"] = pin ? "on" : "auto";
    std::vector<std::string> command;
    for (const std::string& argument : job.command()) command.push_back(filled_in(argument, values));
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

task<void> stop_process(runtime::Process& process, std::chrono::milliseconds grace) {
    process.signal(SIGTERM);
    const auto in_time = co_await runtime::with_timeout(grace, process.wait());
    if (in_time) co_return;
    process.signal_group(SIGKILL);
    co_await process.wait();
}

struct Leftover {
    pid_t pid;
    std::string start_time;
};

/// Empty for what is no number, and for 0 and 1, which would mean somebody else.
std::optional<pid_t> parse_pid(std::string_view text) {
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
    if (error != std::errc() || end != text.data() + text.size() || pid <= 1) return std::nullopt;
    return pid;
}

/// "boot id:pid:start time" as execute() recorded it; nothing where the machine was booted since.
std::optional<Leftover> parse_submission(const std::string& submission) {
    const auto first = submission.find(':');
    const auto second = submission.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) return std::nullopt;
    if (submission.substr(0, first) != runtime::boot_id()) return std::nullopt;
    const auto pid = parse_pid(std::string_view(submission).substr(first + 1, second - first - 1));
    if (!pid) return std::nullopt;
    return Leftover{*pid, submission.substr(second + 1)};
}

/// The leader of a group whose output goes to the streams of this attempt. Not the working directory:
/// a person who looks at the files has a shell in there.
std::optional<Leftover> find_leftover(const fs::path& attempt_directory) {
    std::error_code error;
    const fs::path directory = fs::canonical(attempt_directory, error);
    if (error) return std::nullopt;
    for (const fs::directory_entry& entry : fs::directory_iterator("/proc", error)) {
        const auto pid = parse_pid(entry.path().filename().native());
        if (!pid || *pid == ::getpid() || ::getpgid(*pid) != *pid) continue;
        if (fs::read_symlink(entry.path() / "fd/1", error) != directory / kStdoutFile &&
            fs::read_symlink(entry.path() / "fd/2", error) != directory / kStderrFile)
            continue;
        if (auto start_time = runtime::process_start_time(*pid))
            return Leftover{*pid, std::move(*start_time)};
    }
    return std::nullopt;
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
        if (needs.cores > cores_)
            fail(ErrorKind::usage, "job '{}' asks for {} cores; this queue has {}", job.key(), needs.cores,
                 cores_);
        if (needs.gpus > 0)
            fail(ErrorKind::usage, "job '{}' asks for {} GPUs; this queue has none", job.key(), needs.gpus);
        runtime::Permit permit = co_await free_.acquire(static_cast<std::size_t>(needs.cores));
        co_return std::make_unique<LocalAdmission>(std::move(permit), map_, needs.cores);
    }

    task<JobExit> execute(const Job& job, const Admission& admission, fs::path directory,
                          std::function<task<void>(std::string)> submitted) override {
        runtime::Command command(command_of(job, static_cast<const LocalAdmission&>(admission), may_pin_));
        command.working_directory(directory).output_files(directory / kStdoutFile, directory / kStderrFile);
        for (const auto& [name, value] : job.environment()) command.environment(name, value);
        if (!job.input().empty()) command.input(job.input());

        JobExit exit;
        exit.node = host_name();
        exit.started_ms = now_ms();
        runtime::Process process = runtime::Process::start(context_, command);
        std::exception_ptr error;
        try {
            co_await submitted(
                fmt::format("{}:{}:{}", runtime::boot_id(), process.pid(), process.start_time()));
            exit.timed_out = !co_await ended_in_time(process, job.resources().walltime);
        } catch (const Cancelled&) {
            exit.stopped = !process.ended();
        } catch (...) {
            error = std::current_exception();
        }
        if (!process.ended()) {
            try {
                co_await runtime::shield(stop_process(process, job.grace()));
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

    task<void> end_leftover(const Job& job, std::string submission, fs::path directory) override {
        auto look = [&] {
            return submission.empty() ? find_leftover(directory) : parse_submission(submission);
        };
        const std::optional<Leftover> leftover = co_await runtime::offload(context_, look);
        if (!leftover || !runtime::process_is(leftover->pid, leftover->start_time)) co_return;
        context_.log().warn("{}: stopping process {} of an earlier run", job.key(), leftover->pid);
        ::kill(leftover->pid, SIGTERM);
        co_await runtime::with_timeout(job.grace(),
                                       runtime::wait_for_foreign(leftover->pid, leftover->start_time));
        ::kill(-leftover->pid, SIGKILL);
        co_await runtime::wait_for_foreign(leftover->pid, leftover->start_time);
    }

private:
    static task<bool> ended_in_time(runtime::Process& process, std::chrono::milliseconds walltime) {
        if (walltime.count() == 0) {
            co_await process.wait();
            co_return true;
        }
        const auto status = co_await runtime::with_timeout(walltime, process.wait());
        co_return status.has_value();
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
                constexpr std::int64_t kMaxCores = 1 << 16;
                const std::int64_t cores = settings.integer_from("cores", 1, machine_cores().usable);
                if (cores > kMaxCores)
                    settings.complain("cores",
                                      fmt::format("'cores' must be at most {}, not {}", kMaxCores, cores));
                return local_backend(context, static_cast<int>(cores));
            }};
}

}  // namespace coromd::queue
