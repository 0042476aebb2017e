// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "coromd/campaign/status.hpp"
#include "coromd/core/clock.hpp"
#include "coromd/core/error.hpp"
#include "coromd/session/screen_block.hpp"
#include "coromd/session/session.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;
using campaign::Activity;
using campaign::Status;
using nlohmann::json;

namespace {

constexpr auto kWatchInterval = std::chrono::seconds(1);
/// So many walkers, failures and jobs of a failure are listed one by one unless all are wanted.
constexpr std::size_t kFewWalkers = 20;
constexpr std::size_t kFewFailures = 5;
constexpr std::size_t kFewJobs = 3;

struct StatusOptions {
    fs::path directory;
    bool watch = false;
    bool json = false;
    bool all = false;
};

std::string activity_text(const Status& status) {
    const auto& owner = status.owner;
    const auto& session = status.session;
    switch (status.activity) {
        case Activity::runs:
            return fmt::format("runs: process {} on {}, since {}", owner->pid, owner->host, owner->since);
        case Activity::elsewhere:
            return fmt::format(
                "runs, or was killed: process {} on {}, since {}, of which this host knows "
                "nothing",
                owner->pid, owner->host, owner->since);
        case Activity::killed:
            return session ? fmt::format(
                                 "does not run: process {} on {}, begun {}, was killed; start it "
                                 "again to go on",
                                 session->pid, session->host, time_text(session->began_ms))
                           : "does not run: its last program was killed; start it again to go on";
        case Activity::ended:
            return fmt::format("does not run: its last program ended {}", time_text(*session->ended_ms));
        default:
            return "was never run";
    }
}

/// An amount of MD.
std::string md_text(double time_ps) {
    return time_ps < 1000.0 ? fmt::format("{:.3f} ps", time_ps) : fmt::format("{:.3f} ns", time_ps / 1000.0);
}

std::string walker_line(const campaign::WalkerRow& row, std::size_t width, bool with_rate) {
    const Progress& p = row.progress;
    std::string line = fmt::format("  {:<{}}  {:<20} part {:<4} {:>14}", one_line(p.subject), width,
                                   one_line(p.phase), p.part, md_text(p.time_ps));
    if (with_rate && p.ns_per_day > 0) line += fmt::format("  {:>8.1f} ns/day", p.ns_per_day);
    return line;
}

/// The walkers that are worth a line: all, if they are few; else those that run.
std::vector<const campaign::WalkerRow*> worth_a_line(const Status& status, bool all) {
    std::vector<const campaign::WalkerRow*> rows;
    const bool every = all || status.walkers.size() <= kFewWalkers;
    for (const campaign::WalkerRow& row : status.walkers)
        if (every || row.progress.phase == "running") rows.push_back(&row);
    if (!every && rows.size() > kFewWalkers) rows.resize(kFewWalkers);
    return rows;
}

void append_failures(const Status& status, bool all, std::vector<std::string>& lines) {
    if (status.failures.empty()) return;
    lines.emplace_back();
    lines.emplace_back("failed jobs (the next start tries them again)");
    const std::size_t groups = all ? status.failures.size() : std::min(status.failures.size(), kFewFailures);
    for (std::size_t i = 0; i < groups; ++i) {
        const campaign::FailureGroup& failure = status.failures[i];
        const std::size_t jobs = all ? failure.jobs.size() : std::min(failure.jobs.size(), kFewJobs);
        std::string names;
        for (std::size_t j = 0; j < jobs; ++j) names += (j > 0 ? ", " : "") + failure.jobs[j];
        if (jobs < failure.jobs.size()) names += fmt::format(" and {} more", failure.jobs.size() - jobs);
        lines.push_back(fmt::format("  {:>5}  {}", failure.jobs.size(), one_line(failure.reason)));
        lines.push_back(fmt::format("         {}", names));
    }
    if (groups < status.failures.size())
        lines.push_back(fmt::format("         and {} more reasons (--all)", status.failures.size() - groups));
}

std::vector<std::string> lines_of(const Status& status, bool all) {
    std::vector<std::string> lines;
    const auto line = [&](std::string_view name, std::string text) {
        lines.push_back(fmt::format("{:<10} {}", name, text));
    };
    line("campaign", status.directory.string());
    line("state", activity_text(status));
    const auto walkers = std::ssize(status.walkers);
    line("walkers", fmt::format("{}: {} ended, {} to go", walkers, status.ended, walkers - status.ended));
    for (const auto& [phase, total] : status.phases)
        line("", fmt::format("{:>7}  {:<24} {:>14}", total.walkers, one_line(phase), md_text(total.time_ps)));
    std::string jobs;
    for (const auto& [state, count] : status.jobs)
        jobs += fmt::format("{}{} {}", jobs.empty() ? "" : ", ", count, to_string(state));
    line("jobs", jobs.empty() ? "none yet" : jobs);
    line("MD",
         fmt::format("{} in {}{}", md_text(status.time_ps), counted(status.parts, "part"),
                     status.ns_per_day > 0 ? fmt::format(", at {:.1f} ns/day now", status.ns_per_day) : ""));
    const campaign::TimeLeft& left = status.left;
    line("time left", !left.seconds ? left.basis
                      : *left.seconds <= 0
                          ? "none: " + left.basis
                          : fmt::format("about {}, {}", duration_text(*left.seconds), left.basis));
    append_failures(status, all, lines);
    const auto rows = worth_a_line(status, all);
    if (rows.empty()) return lines;
    lines.emplace_back();
    std::size_t width = 0;
    for (const campaign::WalkerRow* row : rows) width = std::max(width, row->progress.subject.size());
    for (const campaign::WalkerRow* row : rows)
        lines.push_back(walker_line(*row, width, status.ns_per_day > 0));
    if (rows.size() < status.walkers.size())
        lines.push_back(fmt::format("  and {} more, of which the table above tells (--all)",
                                    status.walkers.size() - rows.size()));
    return lines;
}

std::string joined(const std::vector<std::string>& lines) {
    return fmt::format("{}\n", fmt::join(lines, "\n"));
}

json to_json(const Status& status) {
    json phases = json::object();
    for (const auto& [phase, total] : status.phases)
        phases[phase] = {{"walkers", total.walkers}, {"time_ps", total.time_ps}};
    json jobs = json::object();
    for (const auto state : {queue::JobState::started, queue::JobState::finished, queue::JobState::failed,
                             queue::JobState::interrupted, queue::JobState::cancelled}) {
        const auto at = status.jobs.find(state);
        jobs[std::string(to_string(state))] = at == status.jobs.end() ? 0 : at->second;
    }
    json failures = json::array();
    for (const campaign::FailureGroup& failure : status.failures)
        failures.push_back({{"reason", failure.reason}, {"jobs", failure.jobs}});
    json walkers = json::array();
    for (const campaign::WalkerRow& row : status.walkers)
        walkers.push_back({{"name", row.progress.subject},
                           {"phase", row.progress.phase},
                           {"ended", campaign::is_final(row.progress.phase)},
                           {"part", row.progress.part},
                           {"time_ps", row.progress.time_ps},
                           {"ns_per_day", row.progress.ns_per_day},
                           {"changed_ms", row.changed_ms}});
    json owner = nullptr;
    if (status.owner)
        owner = {{"host", status.owner->host}, {"pid", status.owner->pid}, {"since", status.owner->since}};
    json session = nullptr;
    if (status.session)
        session = {{"host", status.session->host},
                   {"pid", status.session->pid},
                   {"version", status.session->version},
                   {"began_ms", status.session->began_ms},
                   {"ended_ms", status.session->ended_ms ? json(*status.session->ended_ms) : json(nullptr)}};
    return {{"directory", status.directory.string()},
            {"seed", status.seed},
            {"created_ms", status.created_ms},
            {"at_ms", now_ms()},
            {"activity", to_string(status.activity)},
            {"owner", owner},
            {"sessions", status.sessions},
            {"last_session", session},
            {"walkers", {{"total", status.walkers.size()}, {"ended", status.ended}, {"phases", phases}}},
            {"jobs", jobs},
            {"md", {{"time_ps", status.time_ps}, {"parts", status.parts}, {"ns_per_day", status.ns_per_day}}},
            {"time_left",
             {{"seconds", status.left.seconds ? json(*status.left.seconds) : json(nullptr)},
              {"basis", status.left.basis}}},
            {"failures", failures},
            {"walker_list", walkers}};
}

/// Until no program runs the campaign any more. On a terminal it is refreshed in place; elsewhere what has
/// changed is printed again. Ctrl-C ends this program as any other: it holds nothing.
void watch(const StatusOptions& options) {
    const bool in_place = session::progress_style_for(stdout) == session::ProgressStyle::in_place;
    session::ScreenBlock block(stdout);
    std::string last;
    for (;;) {
        const Status status = campaign::read_status(options.directory);
        std::vector<std::string> lines = lines_of(status, options.all);
        const bool goes_on = status.activity == Activity::runs || status.activity == Activity::elsewhere;
        if (!in_place || !goes_on) {
            const std::string text = joined(lines);
            if (text != last) print(block.erasure() + (in_place || last.empty() ? "" : "\n") + text);
            last = text;
        } else {
            if (lines.size() > block.room()) lines.resize(block.room());
            print(block.replacement(lines));
        }
        if (!goes_on) return;
        std::this_thread::sleep_for(kWatchInterval);
    }
}

}  // namespace

void add_status(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<StatusOptions>();
    CLI::App* command = app.add_subcommand("status", "Say how far a campaign is");
    command->add_option("directory", options->directory, "The campaign's directory")->required();
    CLI::Option* watched =
        command->add_flag("-w,--watch", options->watch, "Refresh in place each second, until it has ended");
    command->add_flag("--all", options->all, "List every walker and every failed job");
    command->add_flag("--json", options->json, "Print JSON")->excludes(watched);
    command->footer(
        "Works while the campaign runs, from any host that sees the directory, and changes nothing.\n"
        "Ctrl-C ends --watch and leaves the campaign alone.\n\n"
        "Examples:\n"
        "  coromd status campaign.campaign\n"
        "  coromd status campaign.campaign --watch\n"
        "  coromd status campaign.campaign --json | jq .time_left.seconds");
    command->callback([options, &exit_code] {
        if (options->watch)
            watch(*options);
        else {
            const Status status = campaign::read_status(options->directory);
            print(options->json ? dumped(to_json(status)) : joined(lines_of(status, options->all)));
        }
        exit_code = session::kExitDone;
    });
}

}  // namespace coromd::cli
