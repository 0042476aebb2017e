// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "coromd/campaign/campaign.hpp"
#include "coromd/core/error.hpp"
#include "coromd/trajectory/topology.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

using Counts = std::map<std::string, int>;

/// How many jobs of an earlier run there are in each state; empty where there is none.
Counts earlier_jobs(const fs::path& directory, bool fresh) {
    std::error_code error;
    const fs::file_status status = fs::status(directory, error);
    if (status.type() == fs::file_type::not_found) return {};
    if (fs::is_directory(status) && fs::is_empty(directory, error)) return {};
    if (fresh) fail(ErrorKind::usage, "'{}' is not empty, as --fresh wants it", directory.string());
    Counts counts;
    for (const campaign::JobRow& job : campaign::read_jobs(directory))
        ++counts[std::string(to_string(job.state))];
    return counts;
}

std::string joined(const Counts& counts) {
    std::string text;
    for (const auto& [state, count] : counts)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, state);
    return text;
}

/// The tables of queues, with the cores that local ones take where nothing is said.
json queues_of(const Setting& settings) {
    json queues = queues_in(settings);
    for (json& queue : queues)
        if (queue["kind"] == "local" && !queue.contains("cores"))
            queue["cores"] = std::max(1U, std::thread::hardware_concurrency());
    return queues;
}

/// A title beside lines of "name = value".
void append_table(const std::string& title, const json& table, std::string& out) {
    std::size_t width = 0;
    for (const auto& [name, value] : table.items()) width = std::max(width, name.size());
    std::string head = title;
    for (const auto& [name, value] : table.items()) {
        out += fmt::format("  {:<11} {:<{}} = {}\n", head, name, width, value.dump());
        head.clear();
    }
}

}  // namespace

std::string dry_run(const session::CampaignFile& file, const session::CampaignFile::Parts& parts,
                    const fs::path& directory, bool fresh, bool as_json) {
    const Counts earlier = earlier_jobs(directory, fresh);
    const json settings = to_json(file.settings());
    const json queues = queues_of(file.settings());
    const trajectory::Trajectory& structure = parts.system->structure();
    const std::string start = structure.files().front().string();
    const std::int64_t atoms = structure.topology()->size();

    if (as_json) {
        const json out{{"name", file.name()},
                       {"kind", file.kind()},
                       {"seed", file.seed()},
                       {"directory", directory.string()},
                       {"plan", parts.method->plan()},
                       {"structure", {{"file", start}, {"atoms", atoms}}},
                       {"steps_between_frames", parts.system->nstout()},
                       {"step_ps", parts.system->dt_ps()},
                       {"queues", queues},
                       {"settings", settings},
                       {"earlier_jobs", earlier}};
        return out.dump(2, ' ', false, json::error_handler_t::replace);
    }
    std::string text = fmt::format("{}: {} campaign, seed {}\n", file.name(), file.kind(), file.seed());
    text += fmt::format("  {:<11} {}\n", "plan", parts.method->plan());
    text += fmt::format("  {:<11} {} ({} atoms)\n", "start", start, atoms);
    text += fmt::format("  {:<11} every {} steps of {} ps\n", "frames", parts.system->nstout(),
                        parts.system->dt_ps());
    for (const functions::Definition& definition : parts.definitions.all())
        text += fmt::format("  {:<11} {} = {}\n",
                            definition.type == functions::ValueType::boolean ? "state" : "variable",
                            definition.name, definition.text);
    append_table("engine", settings.value("engine", json::object()), text);
    append_table("walkers", settings.value("walkers", json::object()), text);
    for (const auto& [name, queue] : queues.items()) append_table("queue " + name, queue, text);
    text += fmt::format("  {:<11} {}\n", "directory", directory.string());
    text += fmt::format(
        "  {:<11} {}\n", "earlier run",
        earlier.empty() ? "none: a new campaign begins" : fmt::format("goes on; jobs: {}", joined(earlier)));
    return text + "Nothing was run.";
}

}  // namespace coromd::cli
