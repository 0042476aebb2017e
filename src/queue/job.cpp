// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/queue/job.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "coromd/core/error.hpp"
#include "coromd/queue/attempt_files.hpp"
#include "coromd/runtime/process.hpp"
#include "json.hpp"
#include "placeholders.hpp"

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

}  // namespace

bool is_output_name(const std::string& name) {
    return !name.empty() && name.find_first_of(std::string_view("/\0", 2)) == name.npos && name != "." &&
           name != ".." && !is_ours(name);
}

namespace {

std::string last_lines(std::string_view text, int count) {
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    auto begin = text.size();
    while (count-- > 0 && begin != std::string_view::npos)
        begin = text.rfind('\n', begin == 0 ? 0 : begin - 1);
    return std::string(begin == std::string_view::npos ? text : text.substr(begin + 1));
}

}  // namespace

std::string_view to_string(FailureClass failure) noexcept {
    return kFailureNames[static_cast<std::size_t>(failure)];
}

std::string_view to_string(JobState state) noexcept {
    return kStateNames[static_cast<std::size_t>(state)];
}

FailureClass failure_class(std::string_view text) {
    const auto it = std::ranges::find(kFailureNames, text);
    if (it == kFailureNames.end()) fail(ErrorKind::input, "unknown failure class '{}'", text);
    return static_cast<FailureClass>(it - kFailureNames.begin());
}

JobState job_state(std::string_view text) {
    const auto it = std::ranges::find(kStateNames, text);
    if (it == kStateNames.end()) fail(ErrorKind::input, "unknown job state '{}'", text);
    return static_cast<JobState>(it - kStateNames.begin());
}

std::string JobExit::text() const {
    if (!known && !scheduler_state.empty())
        return "its end was not seen; its scheduler says " + scheduler_state;
    if (!known) return "its end was not seen";
    if (timed_out) return "stopped at its wall time";
    if (terminated) return "stopped from outside";
    if (exit_code) return runtime::ExitStatus{exit_code, {}}.text();
    if (signal != 0) return runtime::ExitStatus{{}, signal}.text();
    return scheduler_state.empty() ? "it was not run"
                                   : "it was not run; its scheduler says " + scheduler_state;
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
    constexpr int kMany = 1 << 20;
    const auto sensible = [](int n, int least) { return n >= least && n <= kMany; };
    if (!sensible(resources.cores, 1) || !sensible(resources.tasks, 1) || !sensible(resources.nodes, 0) ||
        !sensible(resources.gpus, 0) || resources.walltime.count() < 0 ||
        resources.cores > kMany / resources.tasks)
        fail(ErrorKind::usage, "job '{}' asks for {} tasks of {} cores, {} nodes, {} GPUs and {} ms", key_,
             resources.tasks, resources.cores, resources.nodes, resources.gpus, resources.walltime.count());
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

Job& Job::stops_by(StopRule rule) {
    if (!rule.log.empty() && !is_output_name(rule.log))
        fail(ErrorKind::usage, "job '{}': '{}' is no name of a log", key_, rule.log);
    stop_rule_ = std::move(rule);
    return *this;
}

Job& Job::after(std::string key, After when) {
    dependencies_[std::move(key)] = when;
    return *this;
}

Job& Job::alone_in(std::string group) {
    group_ = std::move(group);
    return *this;
}

Job& Job::direct() {
    direct_ = true;
    return *this;
}

Job& Job::scheduler_option(std::string name, std::string value) {
    scheduler_options_[std::move(name)] = std::move(value);
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

fs::path Job::attempt_directory(int number, int restart) const {
    const std::string again = restart > 0 ? fmt::format("-{}", restart) : "";
    return fs::absolute(directory_) / fmt::format("{}.attempt{}{}", leaf(), number, again);
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
    return json_text(specification, 1);
}

Error job_error(const Job& job, const JobResult& result) {
    std::string reason = result.reason.empty() ? std::string(to_string(result.state)) : result.reason;
    const std::string_view tail =
        result.exit.stderr_tail.empty() ? result.exit.stdout_tail : result.exit.stderr_tail;
    if (reason == result.exit.text() && !tail.empty()) reason += "; its last words:\n" + last_lines(tail, 10);
    return Error(ErrorKind::job, std::move(reason))
        .add_context(fmt::format("command: {}", runtime::Command(filled_in(job, std::nullopt)).text()))
        .add_context(fmt::format("its files are in '{}'", job.attempt_directory(result.attempt).string()))
        .add_context(fmt::format(
            "job '{}' {} (attempt {} on {}, {})", job.key(), to_string(result.state), result.attempt,
            result.exit.node.empty() ? "an unknown node" : result.exit.node, result.exit.text()));
}

}  // namespace coromd::queue
