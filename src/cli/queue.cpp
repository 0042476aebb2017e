// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <stdlib.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "coromd/campaign/campaign.hpp"
#include "coromd/core/clock.hpp"
#include "coromd/core/error.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/session/session.hpp"
#include "coromd/session/settings_file.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;
using nlohmann::json;
using session::Session;
using session::SessionOptions;

namespace {

void list(const fs::path& file, bool as_json) {
    const json queues = queues_in(session::load_settings(file));
    if (as_json) return print(dumped(queues));
    std::string text;
    for (const auto& [name, queue] : queues.items()) {
        text += fmt::format("{:<16} {:<8}", name, queue.at("kind").get<std::string>());
        for (const auto& [key, value] : queue.items())
            if (key != "kind") text += fmt::format("  {} = {}", key, value.dump());
        text += "\n";
    }
    print(text);
}

/// What became of the tiny job that was sent through a queue.
struct Check {
    std::string queue;
    queue::QueueFacts facts;
    std::string error;  ///< empty where all went well
    queue::JobResult result;
    double started_s = 0.0;  ///< after it was handed over, by the clock of its node
    double seen_s = 0.0;     ///< its end, after it was handed over
};

runtime::task<void> check_queue(Session& session, Check& check) {
    try {
        queue::Queue& queue = session.queue(check.queue);
        check.facts = co_await queue.facts();
        if (!check.facts.usable) fail(ErrorKind::system, "it cannot be used as things are: see the hint");
        session.terminal().say(fmt::format("{}: a tiny job is on its way (Ctrl-C gives up)", check.queue));
        queue::Job job(check.queue + "/check", {"/bin/sh", "-c", "uname -n; echo cores {cores}"});
        queue::Resources resources;
        resources.walltime = std::chrono::minutes(1);
        job.in_directory(session.directory() / check.queue).needs(resources);
        const std::int64_t begun = now_ms();
        check.result = co_await queue.run(job);
        check.seen_s = static_cast<double>(now_ms() - begun) / 1000.0;
        check.started_s = static_cast<double>(check.result.exit.started_ms - begun) / 1000.0;
        if (!check.result.ok()) check.error = queue::job_error(job, check.result).what();
    } catch (const Error& error) {
        check.error = error.what();
    }
    session.terminal().say(
        fmt::format("{}: {}", check.queue, check.error.empty() ? "works" : "does not work"));
}

json to_json(const Check& check) {
    json facts = json::array();
    for (const auto& [name, value] : check.facts.facts) facts.push_back({{"name", name}, {"value", value}});
    json out{{"queue", check.queue},
             {"works", check.error.empty()},
             {"facts", facts},
             {"hints", check.facts.hints}};
    if (!check.error.empty()) {
        out["error"] = check.error;
        return out;
    }
    out["node"] = check.result.exit.node;
    out["scheduler_job"] = check.result.exit.scheduler_job;
    out["started_after_s"] = check.started_s;
    out["seen_after_s"] = check.seen_s;
    return out;
}

std::string to_text(const Check& check) {
    std::string text = fmt::format("{}: {}\n", check.queue, check.error.empty() ? "works" : "does not work");
    const auto line = [&](std::string_view name, std::string_view value) {
        text += fmt::format("  {:<20} {}\n", name, value);
    };
    for (const auto& [name, value] : check.facts.facts) line(name, value);
    if (check.error.empty()) {
        const queue::JobExit& exit = check.result.exit;
        line("a tiny job", fmt::format("ran on {}{}{}", exit.node,
                                       exit.scheduler_job.empty() ? "" : ", as job ", exit.scheduler_job));
        line("started after", fmt::format("{:.2f} s", std::max(check.started_s, 0.0)));
        line("its end was seen",
             fmt::format("{:.2f} s after it was handed over, {:.2f} s after it ended", check.seen_s,
                         check.seen_s - check.started_s -
                             static_cast<double>(exit.ended_ms - exit.started_ms) / 1000.0));
    } else {
        std::string error = check.error;
        for (auto at = error.find('\n'); at != std::string::npos; at = error.find('\n', at + 1))
            error.replace(at, 1, "\n    ");
        text += "  error: " + error + "\n";
    }
    for (const std::string& hint : check.facts.hints) text += "  hint: " + hint + "\n";
    return text;
}

int check(const fs::path& file, std::vector<std::string> names, bool as_json) {
    std::string pattern = (fs::current_path() / "coromd-queue-check-XXXXXX").string();
    const Setting settings = session::load_settings(file);
    {
        // Mistakes in the settings, and wrong names, are told before anything is made.
        SessionOptions options(fs::current_path());
        options.settings(settings).rehearsal();
        Session rehearsal(std::move(options));
        if (names.empty()) names = rehearsal.queue_names();
        for (const std::string& name : names) rehearsal.queue(name);
    }
    if (::mkdtemp(pattern.data()) == nullptr)
        fail(ErrorKind::system, "cannot create '{}': the check needs a folder here that all nodes see",
             pattern);
    const fs::path directory = pattern;
    std::vector<Check> checks;
    int exit_code = session::kExitDone;
    {
        SessionOptions options(directory);
        options.settings(settings).progress(session::ProgressStyle::none);
        Session session(std::move(options));
        if (names.empty()) names = session.queue_names();
        for (const std::string& name : names)
            session.queue(name);  // a wrong name is told before anything runs
        checks.resize(names.size());
        const auto all = [&]() -> runtime::task<void> {
            std::vector<runtime::task<void>> children;
            for (std::size_t i = 0; i < names.size(); ++i) {
                checks[i].queue = names[i];
                children.push_back(check_queue(session, checks[i]));
            }
            co_await runtime::gather(std::move(children));
        };
        exit_code = session.run(all());
    }
    const bool good = std::ranges::all_of(checks, [](const Check& one) { return one.error.empty(); });
    if (exit_code == session::kExitDone && !good) exit_code = session::kExitFailed;
    if (exit_code == session::kExitInterrupted) return exit_code;
    json out = json::array();
    std::string text;
    for (const Check& one : checks) {
        out.push_back(to_json(one));
        text += to_text(one);
    }
    if (good) {
        fs::remove_all(directory);
    } else {
        text += fmt::format("What is left of it is in '{}'\n", directory.string());
    }
    print(as_json ? dumped(out) : text);
    return exit_code;
}

void jobs(const fs::path& directory, const std::vector<std::string>& states, bool as_json) {
    for (const std::string& state : states) {
        try {
            queue::job_state(state);
        } catch (const Error& error) {
            fail(ErrorKind::usage, "{}: finished, failed, started, interrupted and cancelled are known",
                 error.message());
        }
    }
    std::vector<campaign::JobRow> rows = campaign::read_jobs(directory);
    std::erase_if(rows, [&](const campaign::JobRow& row) {
        return !states.empty() && std::ranges::find(states, to_string(row.state)) == states.end();
    });
    if (as_json) {
        json out = json::array();
        for (const campaign::JobRow& row : rows)
            out.push_back({{"key", row.key},
                           {"state", to_string(row.state)},
                           {"attempts", row.attempts},
                           {"place", row.submission},
                           {"reason", row.reason}});
        return print(dumped(out));
    }
    std::size_t width = 3;
    for (const campaign::JobRow& row : rows) width = std::max(width, row.key.size());
    std::string text =
        fmt::format("{:<{}}  {:<11} {:>8}  {}\n", "job", width, "state", "attempts", "where, or why");
    for (const campaign::JobRow& row : rows) {
        const std::string where =
            row.submission.empty() ? row.reason.substr(0, row.reason.find('\n')) : row.submission;
        text += fmt::format("{:<{}}  {:<11} {:>8}  {}\n", row.key, width, to_string(row.state), row.attempts,
                            where);
    }
    print(text);
}

}  // namespace

void add_queue(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("queue", "Look at queues and their jobs, and try them");
    command->require_subcommand(1);
    command->footer("Examples:\n  coromd queue check\n  coromd queue jobs alanine.campaign --state failed");
    struct Options {
        fs::path file;
        std::vector<std::string> names;
        bool json = false;
    };
    const auto add_file = [](CLI::App* to, Options& options) {
        to->add_option("-c,--config", options.file,
                       "A campaign's TOML file, over the site's and the user's settings");
    };

    auto listing = std::make_shared<Options>();
    CLI::App* list_command = command->add_subcommand("list", "Print the queues that are set up");
    add_file(list_command, *listing);
    list_command->add_flag("--json", listing->json, "Print JSON: name to settings");
    list_command->footer("Examples:\n  coromd queue list\n  coromd queue list --config campaign.toml --json");
    list_command->callback([listing, &exit_code] {
        list(listing->file, listing->json);
        exit_code = session::kExitDone;
    });

    auto checking = std::make_shared<Options>();
    CLI::App* check_command =
        command->add_subcommand("check", "Run a tiny job through each queue and say what was found");
    check_command->add_option("queue", checking->names, "The queues to try (default: all)");
    add_file(check_command, *checking);
    check_command->add_flag("--json", checking->json, "Print JSON");
    check_command->footer(
        "The job runs in a folder that is made here and removed afterwards: call it where campaigns\n"
        "will live, on a file system that all nodes see.\n\n"
        "Examples:\n"
        "  coromd queue check\n"
        "  coromd queue check cluster --config campaign.toml");
    check_command->callback(
        [checking, &exit_code] { exit_code = check(checking->file, checking->names, checking->json); });

    struct JobsOptions {
        fs::path directory;
        std::vector<std::string> states;
        bool json = false;
    };
    auto listed = std::make_shared<JobsOptions>();
    CLI::App* jobs_command =
        command->add_subcommand("jobs", "Print the jobs of a campaign, also while it runs");
    jobs_command->add_option("directory", listed->directory, "The campaign's directory")->required();
    jobs_command->add_option("--state", listed->states,
                             "Only those: started, finished, failed, interrupted, cancelled");
    jobs_command->add_flag("--json", listed->json, "Print JSON");
    jobs_command->footer(
        "Examples:\n  coromd queue jobs alanine.campaign\n  coromd queue jobs alanine.campaign --state "
        "failed --json");
    jobs_command->callback([listed, &exit_code] {
        jobs(listed->directory, listed->states, listed->json);
        exit_code = session::kExitDone;
    });
}

}  // namespace coromd::cli
