// SPDX-License-Identifier: LGPL-3.0-or-later
#include "settings.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "options.hpp"
#include "text.hpp"

namespace coromd::fake_slurm {

namespace {

/// Calls `visit` with every setting's name and member.
template <typename SettingsType, typename Visitor>
void for_each_setting(SettingsType& settings, Visitor visit) {
    visit("nodes", settings.nodes);
    visit("cores-per-node", settings.cores_per_node);
    visit("gpus-per-node", settings.gpus_per_node);
    visit("memory-per-node", settings.memory_per_node);
    visit("node-prefix", settings.node_prefix);
    visit("partition", settings.partition);
    visit("minute", settings.minute);
    visit("kill-wait", settings.kill_wait);
    visit("min-job-age", settings.min_job_age);
    visit("max-array-size", settings.max_array_size);
    visit("max-job-count", settings.max_job_count);
    visit("max-submit", settings.max_submit);
    visit("job-requeue", settings.job_requeue);
}

void assign(std::string_view name, const std::string& text, long& member) {
    const bool memory = name == "memory-per-node";
    const auto value = memory ? parse_memory(text) : to_int(text);
    if (!value || *value < 0 || *value > 100'000'000)
        fail(ErrorKind::usage, "--{} takes a number, not '{}'", name, text);
    member = *value;
}

void assign(std::string_view name, const std::string& text, double& member) {
    const auto value = parse_seconds(text);
    if (!value) fail(ErrorKind::usage, "--{} takes a time such as 2s, not '{}'", name, text);
    member = *value;
}

void assign(std::string_view name, const std::string& text, std::string& member) {
    if (text.empty()) fail(ErrorKind::usage, "--{} must not be empty", name);
    member = text;
}

std::filesystem::path file_of(const std::filesystem::path& directory) {
    return directory / "cluster.json";
}

}  // namespace

Settings parse_settings(std::span<const std::string> options) {
    Settings settings;
    std::vector<Option> known;
    for_each_setting(settings, [&](const char* name, auto&) {
        known.push_back({name, 0, Option::required});
    });
    CommandLine line("coromd-fake-slurm setup", known, true);
    line.add(options);
    if (!line.error().empty()) fail(ErrorKind::usage, "{}", line.error().substr(0, line.error().find('\n')));
    if (!line.operands().empty())
        fail(ErrorKind::usage, "setup takes one directory, and not '{}' too", line.operands()[0]);
    for_each_setting(settings, [&](const char* name, auto& member) {
        if (const auto text = line.maybe(name)) assign(name, *text, member);
    });
    if (settings.nodes < 1 || settings.cores_per_node < 1)
        fail(ErrorKind::usage, "a cluster needs a node and a core");
    if (settings.gpus_per_node > 64) fail(ErrorKind::usage, "--gpus-per-node is at most 64");
    if (settings.minute <= 0) fail(ErrorKind::usage, "--minute must be longer than 0");
    return settings;
}

Settings read_settings(const std::filesystem::path& directory) {
    Settings settings;
    const auto json = nlohmann::json::parse(read_text_file(file_of(directory)), nullptr, false);
    if (!json.is_object()) fail(ErrorKind::input, "{} is not a JSON object", file_of(directory).string());
    for_each_setting(settings, [&](const char* name, auto& member) {
        const auto found = json.find(name);
        if (found != json.end()) found->get_to(member);
    });
    return settings;
}

void write_settings(const std::filesystem::path& directory, const Settings& settings) {
    nlohmann::json json;
    for_each_setting(settings, [&](const char* name, const auto& member) { json[name] = member; });
    write_file_durably(file_of(directory), json.dump(2) + "\n");
}

}  // namespace coromd::fake_slurm
