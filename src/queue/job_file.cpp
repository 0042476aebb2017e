// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/queue/job_file.hpp"

#include <csignal>

#include "json.hpp"

namespace coromd::queue {

using nlohmann::json;

namespace {

constexpr int kVersion = 1;

std::chrono::milliseconds duration_of(const json& object, const char* name) {
    // More than thirty years: sums of a few do not overflow a clock.
    constexpr std::int64_t kMost = 1'000'000'000'000;
    const auto count = json_integer<std::int64_t>(object, name);
    if (count < 0 || count > kMost) fail(ErrorKind::input, "'{}' is out of range", name);
    return std::chrono::milliseconds(count);
}

}  // namespace

std::string JobFile::to_json() const {
    const json out{{"version", kVersion},
                   {"key", key},
                   {"attempt", attempt},
                   {"spool", spool.string()},
                   {"directory", directory.string()},
                   {"command", command},
                   {"script", script},
                   {"environment", environment},
                   {"input", input},
                   {"walltime_ms", walltime.count()},
                   {"stop_early_ms", stop_early.count()},
                   {"grace_ms", grace.count()},
                   {"heartbeat_ms", heartbeat.count()},
                   {"record_patience_ms", record_patience.count()},
                   {"stop",
                    {{"signal", stop.signal},
                     {"log", stop.log},
                     {"ready", stop.ready},
                     {"acknowledged", stop.acknowledged}}},
                   {"signalled_together", signalled_together},
                   {"recoverable", recoverable},
                   {"cores", cores},
                   {"gpus", gpus}};
    // A file name of bytes that are no UTF-8 must arrive as it is, or the job runs something else.
    try {
        return out.dump(1) + "\n";
    } catch (const json::exception&) {
        fail(ErrorKind::usage, "job '{}': its command, environment and input must be UTF-8", key);
    }
}

JobFile JobFile::from_json(std::string_view text) {
    return from_versioned_json(text, "the job file", kVersion, [](const json& in) {
        JobFile file;
        file.key = in.at("key").get<std::string>();
        file.attempt = json_integer<int>(in, "attempt");
        file.spool = in.at("spool").get<std::string>();
        file.directory = in.at("directory").get<std::string>();
        file.command = in.at("command").get<std::vector<std::string>>();
        file.script = in.at("script").get<bool>();
        file.environment = in.at("environment").get<std::map<std::string, std::string>>();
        file.input = in.at("input").get<std::string>();
        file.walltime = duration_of(in, "walltime_ms");
        file.stop_early = duration_of(in, "stop_early_ms");
        file.grace = duration_of(in, "grace_ms");
        file.heartbeat = duration_of(in, "heartbeat_ms");
        file.record_patience = duration_of(in, "record_patience_ms");
        const json& stop = in.at("stop");
        file.stop.signal = json_integer<int>(stop, "signal");
        file.stop.log = stop.at("log").get<std::string>();
        file.stop.ready = stop.at("ready").get<std::string>();
        file.stop.acknowledged = stop.at("acknowledged").get<std::string>();
        file.signalled_together = in.at("signalled_together").get<bool>();
        file.recoverable = in.at("recoverable").get<bool>();
        file.cores = in.at("cores").get<std::vector<int>>();
        file.gpus = in.at("gpus").get<std::vector<int>>();
        if (file.command.empty() || file.command.front().empty()) fail(ErrorKind::input, "it has no command");
        if (!file.directory.is_absolute() || !file.spool.is_absolute())
            fail(ErrorKind::input, "its paths are not absolute");
        if (file.attempt < 1 || file.heartbeat.count() < 1)
            fail(ErrorKind::input, "its attempt and heartbeat must be at least 1");
        if (file.stop.signal < 1 || file.stop.signal >= NSIG)
            fail(ErrorKind::input, "there is no signal {}", file.stop.signal);
        return file;
    });
}

std::string ExitRecord::to_json() const {
    json out{{"version", kVersion},
             {"key", key},
             {"attempt", attempt},
             {"error", error},
             {"files", files_json(exit.files)}};
    add_exit(out, exit);
    return json_text(out, 1) + "\n";
}

ExitRecord ExitRecord::from_json(std::string_view text) {
    return from_versioned_json(text, "the exit record", kVersion, [](const json& in) {
        ExitRecord record;
        record.key = in.at("key").get<std::string>();
        record.attempt = json_integer<int>(in, "attempt");
        record.error = in.at("error").get<std::string>();
        record.exit = exit_of(in);
        record.exit.files = files_of(in.at("files"));
        return record;
    });
}

}  // namespace coromd::queue
