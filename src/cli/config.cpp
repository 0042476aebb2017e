// SPDX-License-Identifier: LGPL-3.0-or-later
#include <filesystem>
#include <memory>
#include <string>
#include <type_traits>
#include <variant>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "coromd/session/settings_file.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

json to_json(const Setting& setting) {
    return std::visit(
        [](const auto& value) -> json {
            using T = std::decay_t<decltype(value)>;
            json out;
            if constexpr (std::is_same_v<T, Setting::Table>) {
                out = json::object();
                for (const auto& [key, child] : value) out[key] = to_json(child);
            } else if constexpr (std::is_same_v<T, Setting::Array>) {
                out = json::array();
                for (const Setting& child : value) out.push_back(to_json(child));
            } else {
                out = value;
            }
            return out;
        },
        setting.value());
}

/// "queues.local.cores = 2", and where that was written.
void print_lines(const Setting& setting, const std::string& name) {
    if (setting.is_table()) {
        for (const auto& [key, child] : setting.table()) print_lines(child, name.empty() ? key : name + "." + key);
        return;
    }
    fmt::print("{} = {}  # {}\n", name, to_json(setting).dump(), setting.origin().text());
}

void add_origins(const Setting& setting, const std::string& name, json& out) {
    if (setting.is_table()) {
        for (const auto& [key, child] : setting.table()) add_origins(child, name.empty() ? key : name + "." + key, out);
        return;
    }
    out[name] = {{"value", to_json(setting)}, {"file", setting.origin().file}, {"line", setting.origin().line}};
}

void show(const fs::path& file, bool as_json) {
    const Setting settings = session::load_settings(file);
    if (as_json) {
        json out = json::object();
        add_origins(settings, "", out);
        fmt::print("{}\n", out.dump(2));
        return;
    }
    fmt::print("# read, the last one wins:\n");
    for (const fs::path& layer : session::settings_files()) fmt::print("#   {}\n", layer.string());
    if (!file.empty()) fmt::print("#   {}\n", file.string());
    print_lines(settings, "");
}

}  // namespace

void add_config(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("config", "Look at the settings");
    command->require_subcommand(1);
    CLI::App* show_command = command->add_subcommand("show", "Print all settings and which file each comes from");
    auto file = std::make_shared<fs::path>();
    auto as_json = std::make_shared<bool>(false);
    show_command->add_option("file", *file, "A campaign's TOML file, over the site's and the user's settings");
    show_command->add_flag("--json", *as_json, "Print JSON: name to value, file and line");
    show_command->footer(
        "Settings come from the site's file (coromd/config.toml in $XDG_CONFIG_DIRS, by default\n"
        "/etc/xdg), the user's ($XDG_CONFIG_HOME, by default ~/.config) and the campaign's, and\n"
        "the last one wins.\n\n"
        "Examples:\n"
        "  coromd config show\n"
        "  coromd config show campaign.toml --json");
    show_command->callback([file, as_json, &exit_code] {
        show(*file, *as_json);
        exit_code = kExitDone;
    });
}

}  // namespace coromd::cli
