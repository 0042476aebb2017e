// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "coromd/session/session.hpp"
#include "coromd/session/settings_file.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// `name.key`, with the quotes that TOML wants around unusual keys.
std::string full_name(const std::string& name, const std::string& key) {
    const auto bare = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    };
    const bool quoted = key.empty() || !std::ranges::all_of(key, bare);
    return (name.empty() ? "" : name + ".") + (quoted ? json(key).dump() : key);
}

/// "queues.local.cores = 2", and where that was written.
void append_lines(const Setting& setting, const std::string& name, std::string& out) {
    if (setting.is_table()) {
        for (const auto& [key, child] : setting.table()) append_lines(child, full_name(name, key), out);
        return;
    }
    out += fmt::format("\n{} = {}  # {}", name, to_json(setting).dump(), setting.origin().text());
}

void add_origins(const Setting& setting, const std::string& name, json& out) {
    if (setting.is_table()) {
        for (const auto& [key, child] : setting.table()) add_origins(child, full_name(name, key), out);
        return;
    }
    out[name] = {
        {"value", to_json(setting)}, {"file", setting.origin().file}, {"line", setting.origin().line}};
}

void show(const fs::path& file, bool as_json) {
    const Setting settings = session::load_settings(file);
    if (as_json) {
        json out = json::object();
        add_origins(settings, "", out);
        print(out.dump(2));
        return;
    }
    std::string text = "# Settings come from these files; what comes later wins, key by key:";
    for (const fs::path& place : session::settings_places()) {
        std::error_code ignored;
        text += fmt::format("\n#   {}{}", place.string(), fs::exists(place, ignored) ? "" : "  (not there)");
    }
    if (!file.empty()) text += fmt::format("\n#   {}", file.string());
    append_lines(settings, "", text);
    print(text);
}

}  // namespace

void add_config(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("config", "Look at the settings");
    command->require_subcommand(1);
    command->footer("Example:\n  coromd config show campaign.toml");
    CLI::App* show_command =
        command->add_subcommand("show", "Print all settings and which file each comes from");
    auto file = std::make_shared<fs::path>();
    auto as_json = std::make_shared<bool>(false);
    show_command->add_option("file", *file,
                             "A campaign's TOML file, over the site's and the user's settings");
    show_command->add_flag("--json", *as_json, "Print JSON: name to value, file and line");
    show_command->footer(
        "Settings come from the site's file (coromd/config.toml in $XDG_CONFIG_DIRS, by default\n"
        "/etc/xdg), the user's ($XDG_CONFIG_HOME, by default ~/.config) and the campaign's; what\n"
        "comes later wins, key by key. A relative path is taken from the folder of its file.\n\n"
        "Examples:\n"
        "  coromd config show\n"
        "  coromd config show campaign.toml --json\n\n"
        "A user's ~/.config/coromd/config.toml:\n"
        "  [queues.local]\n"
        "  cores = 4\n"
        "  [engine]\n"
        "  gmx = [\"/opt/gromacs/bin/gmx\"]");
    show_command->callback([file, as_json, &exit_code] {
        show(*file, *as_json);
        exit_code = session::kExitDone;
    });
}

}  // namespace coromd::cli
