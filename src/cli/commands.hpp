// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>

#include "coromd/core/settings.hpp"
#include "coromd/session/campaign_file.hpp"

namespace coromd::cli {

/// Each adds a sub-command, in the source of its name. What it does when it was chosen is its
/// callback, which leaves the exit code in `exit_code` and may throw Error.
void add_attach(CLI::App& app, int& exit_code);
void add_campaign(CLI::App& app, int& exit_code);
void add_clean(CLI::App& app, int& exit_code);
void add_config(CLI::App& app, int& exit_code);
void add_model_md(CLI::App& app, int& exit_code);
void add_provenance(CLI::App& app, int& exit_code);
void add_queue(CLI::App& app, int& exit_code);
void add_report(CLI::App& app, int& exit_code);
void add_run(CLI::App& app, int& exit_code);
void add_status(CLI::App& app, int& exit_code);
void add_stop(CLI::App& app, int& exit_code);
void add_supervise(CLI::App& app, int& exit_code);
void add_traj(CLI::App& app, int& exit_code);

/// The arguments of the program, without its name. model-md takes its options as mdrun does, too, with one
/// dash: they get the second one here.
std::vector<std::string> arguments_of(int argc, const char* const* argv);

/// What `coromd run --dry-run` prints: what would run in `directory`, and what is there already.
/// Throws Error(usage) where `directory` cannot be used for the campaign.
std::string dry_run(const session::CampaignFile& file, const session::CampaignFile::Parts& parts,
                    const std::filesystem::path& directory, bool fresh, bool as_json);

/// A setting as JSON, without its origin.
nlohmann::json to_json(const Setting& setting);

/// The tables of all queues, each with its kind; "local" is there without any.
nlohmann::json queues_in(const Setting& settings);

/// JSON for people and scripts; text that is no UTF-8 is replaced.
std::string dumped(const nlohmann::json& value);

/// "2026-11-23 17:08:34 UTC" of a Unix time in milliseconds.
std::string time_text(std::int64_t ms);
/// "4.2 s", "3 min 20 s", "5 h 02 min", "2 d 07 h"
std::string duration_text(double seconds);
/// "512 bytes", "1.4 MiB"
std::string bytes_text(std::uint64_t bytes);
/// "1 walker", "2 walkers"
std::string counted(std::int64_t count, std::string_view noun);
/// Text for one line of a terminal: the first line of `text`, at most `columns` characters, without what
/// a terminal takes for a command.
std::string one_line(std::string_view text, std::size_t columns = 200);

/// Writes lines of text to standard output, the last of them ended if it is not. Throws Error(system) where
/// that is full or closed.
void print(std::string_view text);

}  // namespace coromd::cli
