// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Why a claim holds on a network file system: each run has a file name of its own, made with O_EXCL,
// so that two processes can never both think to be that run; and who is overtaken is seen from the
// names alone. Nobody ever changes a file of somebody else.
//
// A run that claims looks for later ones after it has made its own file, and so does each other: of
// two that claim at once at least the lower one sees the higher one, now or with its next heartbeat.
#include "coromd/queue/spool.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/core/fault.hpp"
#include "coromd/core/file.hpp"
#include "coromd/core/hash.hpp"
#include "coromd/runtime/process.hpp"
#include "json.hpp"

namespace coromd::queue {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// A record names each file that a job has left, in some 100 bytes.
constexpr std::size_t kLimit = std::size_t{64} << 20;
constexpr std::string_view kRecordSuffix = ".json";

template <typename T>
bool take_number(std::string_view& text, T& number, int base = 10) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc()) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

bool take_dot(std::string_view& text) {
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
    return true;
}

std::int64_t milliseconds_of(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

void make_folder(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) fail(ErrorKind::system, "cannot create '{}': {}", path.string(), error.message());
}

}  // namespace

std::string RunId::text() const {
    return fmt::format("{:016x}.{}.{}", job, attempt, restart);
}

std::optional<RunId> RunId::parse(std::string_view text) {
    RunId run;
    const bool good = take_number(text, run.job, 16) && take_dot(text) && take_number(text, run.attempt) &&
                      take_dot(text) && take_number(text, run.restart) && text.empty();
    return good && run.attempt > 0 && run.restart >= 0 ? std::optional(run) : std::nullopt;
}

RunId run_id(std::string_view key, int attempt, int restart) {
    return {hash64(key), attempt, restart};
}

std::string host_name() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

Runner this_process() {
    Runner runner;
    runner.host = host_name();
    runner.boot_id = runtime::boot_id();
    runner.pid = ::getpid();
    runner.start_time = runtime::process_start_time(::getpid()).value_or("");
    return runner;
}

Spool::Spool(const fs::path& directory) : directory_(fs::absolute(directory).lexically_normal()) {
    for (const char* folder : {"records", "claims", "stop", "signals"})
        make_directories_durably(directory_ / folder);
}

fs::path Spool::claims_of(std::uint64_t job) const {
    return directory_ / "claims" / fmt::format("{:016x}", job);
}

fs::path Spool::record_file(const RunId& run) const {
    return directory_ / "records" / (run.text() + std::string(kRecordSuffix));
}

fs::path Spool::stop_file(const RunId& run) const {
    return directory_ / "stop" / fmt::format("{:016x}.{}", run.job, run.attempt);
}

fs::path Spool::signal_file(const RunId& run) const {
    return directory_ / "signals" / fmt::format("{:016x}.{}", run.job, run.attempt);
}

std::vector<RunId> Spool::claims(std::uint64_t job) const {
    std::vector<RunId> runs;
    std::error_code error;
    fs::directory_iterator entry(claims_of(job), error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error))
        if (const auto run = RunId::parse(entry->path().filename().native())) runs.push_back(*run);
    if (error && error != std::errc::no_such_file_or_directory)
        fail(ErrorKind::system, "cannot read '{}': {}", claims_of(job).string(), error.message());
    return runs;
}

bool Spool::overtaken(const RunId& run) const {
    return std::ranges::any_of(claims(run.job), [&](const RunId& other) { return other > run; });
}

bool Spool::claim(const RunId& run, const Runner& runner) const {
    if (stop_requested(run)) return false;
    const fs::path folder = claims_of(run.job);
    make_folder(folder);
    const fs::path path = folder / run.text();
    const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file) {
        if (errno == EEXIST) return false;
        fail_errno(errno, fmt::format("cannot create '{}'", path.string()));
    }
    fault_point("spool.claim_created");
    const std::string text = json_text({{"version", 1},
                                        {"host", runner.host},
                                        {"boot_id", runner.boot_id},
                                        {"pid", runner.pid},
                                        {"start_time", runner.start_time},
                                        {"scheduler_job", runner.scheduler_job}});
    // Who reads half of it takes it for nothing, and looks again.
    if (const ssize_t n = ::write(file.get(), text.data(), text.size());
        n != static_cast<ssize_t>(text.size())) {
        const int error = n < 0 ? errno : ENOSPC;
        ::unlink(path.c_str());
        fail_errno(error, fmt::format("cannot write '{}'", path.string()));
    }
    fault_point("spool.claimed");
    return !overtaken(run);
}

bool Spool::beat(const RunId& run) const noexcept {
    try {
        const fs::path path = claims_of(run.job) / run.text();
        if (::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0) return !overtaken(run);
        // Somebody has removed the claim; or all of the file system is away, and may come back.
        return errno != ENOENT || ::access((directory_ / "claims").c_str(), F_OK) != 0;
    } catch (...) {
        return true;
    }
}

bool Spool::stop_requested(const RunId& run) const noexcept {
    try {
        return ::access(stop_file(run).c_str(), F_OK) == 0;
    } catch (...) {
        return false;
    }
}

std::optional<int> Spool::take_signal(const RunId& run) const noexcept {
    try {
        const fs::path path = signal_file(run);
        if (::access(path.c_str(), F_OK) != 0) return std::nullopt;
        const std::string text = read_text_file(path, 64);
        fs::remove(path);
        std::string_view rest = text;
        int number = 0;
        if (take_number(rest, number) && number > 0 && number < NSIG) return number;
    } catch (...) {
        // Gone meanwhile, or not readable yet.
    }
    return std::nullopt;
}

void Spool::write_record(const RunId& run, const ExitRecord& record) const {
    write_file_durably(record_file(run), record.to_json());
}

std::vector<RunId> Spool::records() const {
    std::vector<RunId> runs;
    std::error_code error;
    fs::directory_iterator entry(directory_ / "records", error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        std::string_view name = entry->path().native();
        name.remove_prefix(name.rfind('/') + 1);
        if (!name.ends_with(kRecordSuffix)) continue;
        name.remove_suffix(kRecordSuffix.size());
        if (const auto run = RunId::parse(name)) runs.push_back(*run);
    }
    if (error) fail(ErrorKind::system, "cannot read '{}': {}", directory_.string(), error.message());
    return runs;
}

bool Spool::has_record(const RunId& run) const noexcept {
    try {
        return ::access(record_file(run).c_str(), F_OK) == 0;
    } catch (...) {
        return false;
    }
}

std::optional<ExitRecord> Spool::read_record(const RunId& run) const {
    const fs::path path = record_file(run);
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return std::nullopt;
    try {
        ExitRecord record = ExitRecord::from_json(read_text_file(path, kLimit));
        if (run_id(record.key, record.attempt, record.exit.restart) != run)
            fail(ErrorKind::input, "it is that of another run");
        return record;
    } catch (Error& error) {
        throw error.add_context(fmt::format("while reading '{}'", path.string()));
    }
}

std::optional<RunId> Spool::last_claim(const RunId& attempt) const {
    std::optional<RunId> last;
    for (const RunId& run : claims(attempt.job))
        if (run.attempt == attempt.attempt && (!last || run > *last)) last = run;
    return last;
}

std::optional<Runner> Spool::runner(const RunId& run) const {
    const fs::path path = claims_of(run.job) / run.text();
    try {
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0) return std::nullopt;
        const std::string text = read_text_file(path, kLimit);
        return from_versioned_json(text, "the claim", 1, [&](const json& in) {
            Runner runner;
            runner.host = in.at("host").get<std::string>();
            runner.boot_id = in.at("boot_id").get<std::string>();
            runner.pid = json_integer<pid_t>(in, "pid");
            runner.start_time = in.at("start_time").get<std::string>();
            runner.scheduler_job = in.at("scheduler_job").get<std::string>();
            runner.beat_ms = milliseconds_of(status.st_mtim);
            if (runner.pid <= 1) fail(ErrorKind::input, "it names process {}", runner.pid);
            return runner;
        });
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::int64_t Spool::now_ms() const {
    const fs::path path = directory_ / "clock";
    const FileDescriptor file = open_file(path, O_WRONLY | O_CREAT);
    struct stat status {};
    if (::futimens(file.get(), nullptr) != 0 || ::fstat(file.get(), &status) != 0)
        fail_errno(errno, fmt::format("cannot touch '{}'", path.string()));
    return milliseconds_of(status.st_mtim);
}

void Spool::request_stop(const RunId& attempt) const {
    open_file(stop_file(attempt), O_WRONLY | O_CREAT);
}

void Spool::request_signal(const RunId& attempt, int number) const {
    if (number < 1 || number >= NSIG) fail(ErrorKind::usage, "{} is no signal", number);
    write_file_durably(signal_file(attempt), std::to_string(number));
}

void Spool::remove(const RunId& attempt, bool job_too) const noexcept {
    try {
        std::error_code ignored;
        const auto last = last_claim(attempt);
        for (int restart = 0; restart <= (last ? last->restart : 0); ++restart) {
            const RunId run{attempt.job, attempt.attempt, restart};
            fs::remove(record_file(run), ignored);
            fault_point("spool.record_removed");
        }
        fs::remove(signal_file(attempt), ignored);
        if (!job_too) return;
        fs::remove(stop_file(attempt), ignored);
        fault_point("spool.stop_removed");
        fs::remove_all(claims_of(attempt.job), ignored);
    } catch (...) {
        // Rubbish that stays does no harm.
    }
}

}  // namespace coromd::queue
