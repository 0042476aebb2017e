// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/queue/job.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "coromd/core/error.hpp"

namespace coromd::queue {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::array kFailureNames{"none", "infrastructure", "timeout", "memory", "user"};
constexpr std::array kStateNames{"unknown", "started", "finished", "failed", "interrupted", "cancelled"};

void check_key(const std::string& key) {
    const auto portable = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::strchr("._-+/", c) != nullptr;
    };
    const bool good = !key.empty() && key.size() <= 512 && std::ranges::all_of(key, portable) &&
                      key.front() != '/' && key.back() != '/' && key.find("//") == std::string::npos &&
                      key.find("..") == std::string::npos;
    if (!good)
        fail(ErrorKind::usage,
             "'{}' cannot be the key of a job: use letters, digits and ._-+ in parts separated by '/'", key);
}

void check_file_name(const std::string& name) {
    if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..")
        fail(ErrorKind::usage, "'{}' cannot be an output of a job: it must be the name of a file", name);
}

FailureClass failure_class(std::string_view text) {
    const auto it = std::ranges::find(kFailureNames, text);
    if (it == kFailureNames.end()) fail(ErrorKind::input, "unknown failure class '{}'", text);
    return static_cast<FailureClass>(it - kFailureNames.begin());
}

std::string last_lines(std::string_view text, int count) {
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    auto begin = text.size();
    while (count-- > 0 && begin != std::string_view::npos) begin = text.rfind('\n', begin == 0 ? 0 : begin - 1);
    return std::string(begin == std::string_view::npos ? text : text.substr(begin + 1));
}

// Program output may hold any bytes; JSON only takes UTF-8.
std::string dump(const json& value, int indent = -1) {
    return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string_view to_string(FailureClass failure) noexcept {
    return kFailureNames[static_cast<std::size_t>(failure)];
}

std::string_view to_string(JobState state) noexcept { return kStateNames[static_cast<std::size_t>(state)]; }

JobState job_state(std::string_view text) {
    const auto it = std::ranges::find(kStateNames, text);
    if (it == kStateNames.end()) fail(ErrorKind::input, "unknown job state '{}'", text);
    return static_cast<JobState>(it - kStateNames.begin());
}

std::string JobExit::text() const {
    if (!known) return "its end was not seen";
    if (timed_out) return "stopped at its wall time";
    if (exit_code) return fmt::format("exit code {}", *exit_code);
    return fmt::format("killed by signal {} ({})", signal, ::strsignal(signal));
}

Job::Job(std::string key, std::vector<std::string> command) : key_(std::move(key)), command_(std::move(command)) {
    check_key(key_);
    if (command_.empty() || command_.front().empty()) fail(ErrorKind::usage, "job '{}' has no command", key_);
}

Job& Job::in_directory(fs::path directory) {
    directory_ = std::move(directory);
    return *this;
}

Job& Job::needs(const Resources& resources) {
    resources_ = resources;
    return *this;
}

Job& Job::reads(const fs::path& file, const Fingerprint& content) {
    inputs_[file.string()] = fmt::format("{}#{}", file.filename().string(), content.hex());
    return *this;
}

Job& Job::writes(std::string file_name) {
    check_file_name(file_name);
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
    return directory_ / fmt::format("{}.attempt{}", leaf(), number);
}

std::string Job::leaf() const { return key_.substr(key_.rfind('/') + 1); }

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
        if (in.at("version").get<int>() != 1)
            fail(ErrorKind::input, "a job's result has version {}, this program reads version 1",
                 in.at("version").get<int>());
        JobResult result;
        result.key = in.at("key").get<std::string>();
        result.attempt = in.at("attempt").get<int>();
        result.state = job_state(in.at("state").get<std::string>());
        result.failure = failure_class(in.at("failure").get<std::string>());
        result.reason = in.at("reason").get<std::string>();
        JobExit& exit = result.exit;
        if (in.contains("exit_code")) exit.exit_code = in.at("exit_code").get<int>();
        exit.signal = in.at("signal").get<int>();
        exit.known = in.at("known").get<bool>();
        exit.timed_out = in.at("timed_out").get<bool>();
        exit.stopped = in.at("stopped").get<bool>();
        exit.node = in.at("node").get<std::string>();
        exit.started_ms = in.at("started_ms").get<std::int64_t>();
        exit.ended_ms = in.at("ended_ms").get<std::int64_t>();
        exit.cpu_seconds = in.at("cpu_seconds").get<double>();
        exit.peak_memory_kib = in.at("peak_memory_kib").get<std::uint64_t>();
        exit.stdout_tail = in.at("stdout_tail").get<std::string>();
        exit.stderr_tail = in.at("stderr_tail").get<std::string>();
        for (const json& file : in.at("files")) {
            OutputFile output{file.at("name").get<std::string>(), file.at("size").get<std::uint64_t>()};
            check_file_name(output.name);
            result.files.push_back(std::move(output));
        }
        return result;
    } catch (const json::exception& error) {
        fail(ErrorKind::input, "a job's recorded result cannot be read: {}", error.what());
    }
}

Error job_error(const Job& job, const JobResult& result) {
    std::string reason = result.reason.empty() ? std::string(to_string(result.state)) : result.reason;
    const std::string_view tail = result.exit.stderr_tail.empty() ? result.exit.stdout_tail : result.exit.stderr_tail;
    if (reason == result.exit.text() && !tail.empty()) reason += "; its last words:\n" + last_lines(tail, 10);
    std::string command;
    for (const std::string& argument : job.command()) command += (command.empty() ? "" : " ") + argument;
    return Error(ErrorKind::job, std::move(reason))
        .add_context(fmt::format("command: {}", command))
        .add_context(fmt::format("its files are in '{}'", job.attempt_directory(result.attempt).string()))
        .add_context(fmt::format("job '{}' {} (attempt {} on {}, {})", job.key(), to_string(result.state),
                                 result.attempt, result.exit.node.empty() ? "an unknown node" : result.exit.node,
                                 result.exit.text()));
}

}  // namespace coromd::queue
