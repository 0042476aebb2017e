// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/queue/job.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "coromd/core/error.hpp"
#include "coromd/runtime/process.hpp"
#include "streams.hpp"

namespace coromd::queue {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::array kFailureNames{"none", "infrastructure", "timeout", "memory", "user"};
constexpr std::array kStateNames{"unknown", "started", "finished", "failed", "interrupted", "cancelled"};

// Room for ".attempt<N>" in the longest name of a file (255 bytes).
constexpr std::size_t kMaxKeyPart = 200;
constexpr std::size_t kMaxKey = 512;

bool is_key_part(std::string_view part) {
    constexpr std::string_view kPortable =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+";
    return !part.empty() && part.size() <= kMaxKeyPart && part != "." && part.find("..") == part.npos &&
           part.find_first_not_of(kPortable) == part.npos;
}

void check_key(std::string_view key) {
    bool good = key.size() <= kMaxKey;
    for (std::size_t begin = 0, end = 0; good && end != key.npos; begin = end + 1) {
        end = key.find('/', begin);
        good = is_key_part(key.substr(begin, end - begin));
    }
    if (!good)
        fail(ErrorKind::usage,
             "'{}' cannot be the key of a job: use letters, digits and ._-+ in parts separated by '/'", key);
}

bool is_output_name(const std::string& name) {
    return !name.empty() && name.find_first_of(std::string_view("/\0", 2)) == name.npos && name != "." &&
           name != ".." && !is_stream(name);
}

FailureClass failure_class(std::string_view text) {
    const auto it = std::ranges::find(kFailureNames, text);
    if (it == kFailureNames.end()) fail(ErrorKind::input, "unknown failure class '{}'", text);
    return static_cast<FailureClass>(it - kFailureNames.begin());
}

std::string last_lines(std::string_view text, int count) {
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    auto begin = text.size();
    while (count-- > 0 && begin != std::string_view::npos)
        begin = text.rfind('\n', begin == 0 ? 0 : begin - 1);
    return std::string(begin == std::string_view::npos ? text : text.substr(begin + 1));
}

/// get() would convert what does not fit as a cast does.
template <typename T>
T integer(const json& object, const char* name) {
    const json& value = object.at(name);
    const bool fits = value.is_number_unsigned()
                          ? std::in_range<T>(value.get<std::uint64_t>())
                          : value.is_number_integer() && std::in_range<T>(value.get<std::int64_t>());
    if (!fits)
        fail(ErrorKind::input, "a job's recorded result cannot be read: '{}' is no integer that fits", name);
    return value.get<T>();
}

// Program output may hold any bytes; JSON only takes UTF-8.
std::string dump(const json& value, int indent = -1) {
    return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string_view to_string(FailureClass failure) noexcept {
    return kFailureNames[static_cast<std::size_t>(failure)];
}

std::string_view to_string(JobState state) noexcept {
    return kStateNames[static_cast<std::size_t>(state)];
}

JobState job_state(std::string_view text) {
    const auto it = std::ranges::find(kStateNames, text);
    if (it == kStateNames.end()) fail(ErrorKind::input, "unknown job state '{}'", text);
    return static_cast<JobState>(it - kStateNames.begin());
}

std::string JobExit::text() const {
    if (!known) return "its end was not seen";
    if (timed_out) return "stopped at its wall time";
    if (exit_code) return runtime::ExitStatus{exit_code, {}}.text();
    if (signal != 0) return runtime::ExitStatus{{}, signal}.text();
    return "it was not run";
}

Job::Job(std::string key, std::vector<std::string> command)
    : key_(std::move(key)), command_(std::move(command)) {
    check_key(key_);
    if (command_.empty() || command_.front().empty()) fail(ErrorKind::usage, "job '{}' has no command", key_);
}

Job& Job::in_directory(fs::path directory) {
    directory_ = std::move(directory);
    return *this;
}

Job& Job::needs(const Resources& resources) {
    if (resources.cores < 1 || resources.gpus < 0 || resources.walltime.count() < 0)
        fail(ErrorKind::usage, "job '{}' asks for {} cores, {} GPUs and {} ms", key_, resources.cores,
             resources.gpus, resources.walltime.count());
    resources_ = resources;
    return *this;
}

Job& Job::reads(const fs::path& file, const Fingerprint& content) {
    inputs_[file.string()] = fmt::format("{}#{}", file.filename().string(), content.hex());
    return *this;
}

Job& Job::writes(std::string file_name) {
    if (!is_output_name(file_name))
        fail(ErrorKind::usage,
             "'{}' cannot be an output of a job: it must be the name of a file, not {} or {}", file_name,
             kStdoutFile, kStderrFile);
    outputs_.push_back(std::move(file_name));
    return *this;
}

Job& Job::environment(std::string name, std::string value) {
    environment_[std::move(name)] = std::move(value);
    return *this;
}

Job& Job::input(std::string text) {
    input_ = std::move(text);
    return *this;
}

Job& Job::grace(std::chrono::milliseconds grace) {
    grace_ = grace;
    return *this;
}

Job& Job::judged_by(Judge judge) {
    judge_ = std::move(judge);
    return *this;
}

Job& Job::parameter(std::string name, std::string value) {
    parameters_[std::move(name)] = std::move(value);
    return *this;
}

Job& Job::recoverable() {
    recoverable_ = true;
    return *this;
}

Job& Job::on_start(std::function<void(const fs::path&)> callback) {
    on_start_ = std::move(callback);
    return *this;
}

fs::path Job::attempt_directory(int number) const {
    return fs::absolute(directory_) / fmt::format("{}.attempt{}", leaf(), number);
}

std::string Job::leaf() const {
    return key_.substr(key_.rfind('/') + 1);
}

std::string Job::specification() const {
    json command = json::array();
    for (const std::string& argument : command_) {
        const auto input = inputs_.find(argument);
        command.push_back(input == inputs_.end() ? argument : "@" + input->second);
    }
    json inputs = json::array();
    for (const auto& [path, content] : inputs_) inputs.push_back(content);
    std::sort(inputs.begin(), inputs.end());
    json specification{{"command", command}, {"inputs", inputs}, {"outputs", outputs_}};
    if (!environment_.empty()) specification["environment"] = environment_;
    if (!input_.empty()) specification["stdin"] = fingerprint(input_).hex();
    return dump(specification, 1);
}

std::string JobResult::to_json() const {
    json files_json = json::array();
    for (const OutputFile& file : files) files_json.push_back({{"name", file.name}, {"size", file.size}});
    json out{{"version", 1},
             {"key", key},
             {"attempt", attempt},
             {"state", to_string(state)},
             {"failure", to_string(failure)},
             {"reason", reason},
             {"signal", exit.signal},
             {"known", exit.known},
             {"stopped", exit.stopped},
             {"timed_out", exit.timed_out},
             {"node", exit.node},
             {"started_ms", exit.started_ms},
             {"ended_ms", exit.ended_ms},
             {"cpu_seconds", exit.cpu_seconds},
             {"peak_memory_kib", exit.peak_memory_kib},
             {"stdout_tail", exit.stdout_tail},
             {"stderr_tail", exit.stderr_tail},
             {"files", files_json}};
    if (exit.exit_code) out["exit_code"] = *exit.exit_code;
    return dump(out);
}

JobResult JobResult::from_json(std::string_view text) {
    try {
        const json in = json::parse(text);
        if (const int version = integer<int>(in, "version"); version != 1)
            fail(ErrorKind::input, "a job's result has version {}, this program reads version 1", version);
        JobResult result;
        result.key = in.at("key").get<std::string>();
        result.attempt = integer<int>(in, "attempt");
        result.state = job_state(in.at("state").get<std::string>());
        result.failure = failure_class(in.at("failure").get<std::string>());
        result.reason = in.at("reason").get<std::string>();
        JobExit& exit = result.exit;
        if (in.contains("exit_code")) exit.exit_code = integer<int>(in, "exit_code");
        exit.signal = integer<int>(in, "signal");
        exit.known = in.at("known").get<bool>();
        exit.stopped = in.at("stopped").get<bool>();
        exit.timed_out = in.at("timed_out").get<bool>();
        exit.node = in.at("node").get<std::string>();
        exit.started_ms = integer<std::int64_t>(in, "started_ms");
        exit.ended_ms = integer<std::int64_t>(in, "ended_ms");
        exit.cpu_seconds = in.at("cpu_seconds").get<double>();
        exit.peak_memory_kib = integer<std::uint64_t>(in, "peak_memory_kib");
        exit.stdout_tail = in.at("stdout_tail").get<std::string>();
        exit.stderr_tail = in.at("stderr_tail").get<std::string>();
        for (const json& file : in.at("files").get_ref<const json::array_t&>()) {
            OutputFile output{file.at("name").get<std::string>(), integer<std::uint64_t>(file, "size")};
            if (!is_output_name(output.name))
                fail(ErrorKind::input, "a job's recorded result cannot be read: it names a file '{}'",
                     output.name);
            result.files.push_back(std::move(output));
        }
        return result;
    } catch (const json::exception& error) {
        fail(ErrorKind::input, "a job's recorded result cannot be read: {}", error.what());
    }
}

Error job_error(const Job& job, const JobResult& result) {
    std::string reason = result.reason.empty() ? std::string(to_string(result.state)) : result.reason;
    const std::string_view tail =
        result.exit.stderr_tail.empty() ? result.exit.stdout_tail : result.exit.stderr_tail;
    if (reason == result.exit.text() && !tail.empty()) reason += "; its last words:\n" + last_lines(tail, 10);
    return Error(ErrorKind::job, std::move(reason))
        .add_context(fmt::format("command: {}", runtime::Command(job.command()).text()))
        .add_context(fmt::format("its files are in '{}'", job.attempt_directory(result.attempt).string()))
        .add_context(fmt::format(
            "job '{}' {} (attempt {} on {}, {})", job.key(), to_string(result.state), result.attempt,
            result.exit.node.empty() ? "an unknown node" : result.exit.node, result.exit.text()));
}

}  // namespace coromd::queue
