// SPDX-License-Identifier: LGPL-3.0-or-later
#include "json.hpp"

#include <charconv>

#include <fmt/format.h>

namespace coromd::queue {

using nlohmann::json;

std::string json_text(const json& value, int indent) {
    return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

void add_exit(json& object, const JobExit& exit) {
    if (exit.exit_code) object["exit_code"] = *exit.exit_code;
    object["signal"] = exit.signal;
    object["known"] = exit.known;
    object["stopped"] = exit.stopped;
    object["timed_out"] = exit.timed_out;
    object["terminated"] = exit.terminated;
    if (exit.cause != FailureClass::none) object["cause"] = to_string(exit.cause);
    object["restart"] = exit.restart;
    if (!exit.scheduler_job.empty()) object["scheduler_job"] = exit.scheduler_job;
    if (!exit.scheduler_state.empty()) object["scheduler_state"] = exit.scheduler_state;
    object["node"] = exit.node;
    if (!exit.gpus.empty()) object["gpus"] = exit.gpus;
    object["started_ms"] = exit.started_ms;
    object["ended_ms"] = exit.ended_ms;
    object["cpu_seconds"] = exit.cpu_seconds;
    object["peak_memory_kib"] = exit.peak_memory_kib;
    object["stdout_tail"] = exit.stdout_tail;
    object["stderr_tail"] = exit.stderr_tail;
}

JobExit exit_of(const json& object) {
    JobExit exit;
    if (object.contains("exit_code")) exit.exit_code = json_integer<int>(object, "exit_code");
    exit.signal = json_integer<int>(object, "signal");
    exit.known = object.at("known").get<bool>();
    exit.stopped = object.at("stopped").get<bool>();
    exit.timed_out = object.at("timed_out").get<bool>();
    exit.terminated = object.at("terminated").get<bool>();
    if (object.contains("cause")) exit.cause = failure_class(object.at("cause").get<std::string>());
    exit.restart = json_integer<int>(object, "restart");
    exit.scheduler_job = object.value("scheduler_job", "");
    exit.scheduler_state = object.value("scheduler_state", "");
    exit.node = object.at("node").get<std::string>();
    if (object.contains("gpus")) exit.gpus = object.at("gpus").get<std::vector<int>>();
    exit.started_ms = json_integer<std::int64_t>(object, "started_ms");
    exit.ended_ms = json_integer<std::int64_t>(object, "ended_ms");
    exit.cpu_seconds = object.at("cpu_seconds").get<double>();
    exit.peak_memory_kib = json_integer<std::uint64_t>(object, "peak_memory_kib");
    exit.stdout_tail = object.at("stdout_tail").get<std::string>();
    exit.stderr_tail = object.at("stderr_tail").get<std::string>();
    return exit;
}

namespace {

std::string hex_of(std::string_view bytes) {
    std::string hex;
    for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return hex;
}

std::string bytes_of(std::string_view hex) {
    std::string bytes;
    for (; hex.size() >= 2; hex.remove_prefix(2)) {
        unsigned value = 0;
        if (std::from_chars(hex.data(), hex.data() + 2, value, 16).ptr != hex.data() + 2) break;
        bytes += static_cast<char>(value);
    }
    if (!hex.empty()) fail(ErrorKind::input, "the name of a file is no hexadecimal text");
    return bytes;
}

bool is_utf8(const std::string& text) {
    try {
        static_cast<void>(json(text).dump());
        return true;
    } catch (const json::exception&) {
        return false;
    }
}

}  // namespace

json files_json(const std::vector<OutputFile>& files) {
    json array = json::array();
    for (const OutputFile& file : files) {
        json entry{{"name", file.name}, {"size", file.size}};
        if (!file.fingerprint.empty()) entry["fingerprint"] = file.fingerprint;
        // The name is for people then: what does not fit becomes a question mark.
        if (!is_utf8(file.name)) entry["name_hex"] = hex_of(file.name);
        array.push_back(std::move(entry));
    }
    return array;
}

std::vector<OutputFile> files_of(const json& array) {
    std::vector<OutputFile> files;
    for (const json& entry : array.get_ref<const json::array_t&>()) {
        OutputFile file{entry.at("name").get<std::string>(), json_integer<std::uint64_t>(entry, "size"),
                        entry.value("fingerprint", "")};
        if (entry.contains("name_hex")) file.name = bytes_of(entry.at("name_hex").get<std::string>());
        if (!is_output_name(file.name)) fail(ErrorKind::input, "it names a file '{}'", file.name);
        files.push_back(std::move(file));
    }
    return files;
}

std::string JobResult::to_json() const {
    json out{{"version", 1},
             {"key", key},
             {"attempt", attempt},
             {"state", to_string(state)},
             {"failure", to_string(failure)},
             {"reason", reason},
             {"files", files_json(files)}};
    add_exit(out, exit);
    return json_text(out);
}

JobResult JobResult::from_json(std::string_view text) {
    return from_versioned_json(text, "a job's recorded result", 1, [](const json& in) {
        JobResult result;
        result.key = in.at("key").get<std::string>();
        result.attempt = json_integer<int>(in, "attempt");
        result.state = job_state(in.at("state").get<std::string>());
        result.failure = failure_class(in.at("failure").get<std::string>());
        result.reason = in.at("reason").get<std::string>();
        result.exit = exit_of(in);
        result.files = files_of(in.at("files"));
        return result;
    });
}

}  // namespace coromd::queue
