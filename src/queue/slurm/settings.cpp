// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm/settings.hpp"

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"

namespace coromd::queue::slurm {

namespace {

std::string text_of(const Setting& setting) {
    if (const auto* text = std::get_if<std::string>(&setting.value())) return *text;
    if (const auto* number = std::get_if<std::int64_t>(&setting.value())) return std::to_string(*number);
    if (const auto* flag = std::get_if<bool>(&setting.value())) return *flag ? "true" : "false";
    fail(ErrorKind::usage, "an option of sbatch is a string, a whole number, true or false, not {}",
         setting.type_name());
}

/// fn() with what it throws pointing at `key`.
template <typename Fn>
auto with_place(const SettingsReader& reader, std::string_view key, Fn&& fn) {
    try {
        return fn();
    } catch (const Error& error) {
        reader.complain(key, error.message());
    }
}

int count_from(SettingsReader& reader, const char* key, std::int64_t minimum, std::int64_t fallback) {
    constexpr std::int64_t kMost = 100'000'000;
    const std::int64_t value = reader.integer_from(key, minimum, fallback);
    if (value > kMost)
        reader.complain(key, fmt::format("'{}' must be at most {}, not {}", key, kMost, value));
    return static_cast<int>(value);
}

RemoveOutput remove_output_from(SettingsReader& reader) {
    const std::string text = reader.string("remove_output", "on_success");
    if (text == "on_success") return RemoveOutput::on_success;
    if (text == "never") return RemoveOutput::never;
    if (text == "always") return RemoveOutput::always;
    reader.complain("remove_output",
                    fmt::format("'remove_output' is 'on_success', 'never' or 'always', not '{}'", text));
}

}  // namespace

Settings Settings::from(SettingsReader& reader) {
    Settings settings;
    if (reader.has("commands")) settings.client.folder = reader.path("commands").string();
    settings.client.timeout = reader.duration("command_timeout", settings.client.timeout);
    if (reader.has("template")) {
        const std::filesystem::path file = reader.existing_file("template");
        settings.script = with_place(reader, "template", [&] {
            return ScriptTemplate(read_text_file(file, kLongestScript), file.string());
        });
        settings.options = settings.script.options();
        settings.has_template = true;
    }
    const auto set = [&](SettingsReader& from, const std::string& key, const std::string& name) {
        const std::string value = text_of(from.raw(key));
        SbatchOptions one;
        with_place(from, key, [&] { one.set(name, value); });
        settings.options.overlay(one);
    };
    for (const char* name : {"partition", "account", "qos", "reservation", "exclusive"})
        if (reader.has(name)) set(reader, name, name);
    SettingsReader options = reader.table("options");
    for (const std::string& name : options.keys()) set(options, name, name);
    options.finish();

    settings.job_name = reader.string("job_name", settings.job_name);
    if (settings.job_name.empty() || settings.job_name.size() > 64 ||
        settings.job_name.find_first_not_of(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != std::string::npos)
        reader.complain("job_name", "'job_name' takes up to 64 letters, digits and '_.-'");
    settings.max_jobs = count_from(reader, "max_jobs", 0, settings.max_jobs);
    settings.max_running = count_from(reader, "max_running", 0, settings.max_running);
    settings.remove_output = remove_output_from(reader);
    settings.stop_early = reader.duration("stop_early", settings.stop_early);
    settings.poll = reader.duration("poll", settings.poll);
    settings.heartbeat = reader.duration("heartbeat", settings.heartbeat);
    settings.lost_after = reader.duration("lost_after", settings.lost_after);

    SettingsReader nodes = reader.table("bad_nodes");
    settings.nodes.failures = count_from(nodes, "failures", 1, settings.nodes.failures);
    settings.nodes.successes = count_from(nodes, "successes", 1, settings.nodes.successes);
    settings.nodes.exclusion = nodes.duration("exclusion", settings.nodes.exclusion);
    nodes.finish();
    return settings;
}

}  // namespace coromd::queue::slurm
