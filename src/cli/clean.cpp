// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "coromd/campaign/clean.hpp"
#include "coromd/core/error.hpp"
#include "coromd/session/session.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;
using campaign::Campaign;
using campaign::CleanPlan;
using campaign::CleanRule;
using campaign::Removal;
using campaign::Snapshot;
using nlohmann::json;

namespace {

struct CleanOptions {
    fs::path directory;
    std::vector<std::string> rules;
    std::vector<std::string> keep;
    bool remove = false;
    bool yes = false;
    bool list = false;
    bool json = false;
};

std::set<std::string> rules_of(const CleanOptions& options) {
    std::set<std::string> rules(options.rules.begin(), options.rules.end());
    if (rules.empty())
        for (const CleanRule& rule : campaign::clean_rules()) rules.emplace(rule.name);
    for (const std::string& rule : options.keep) rules.erase(rule);
    return rules;
}

struct Total {
    std::int64_t files = 0;  ///< or folders
    std::uint64_t bytes = 0;
    std::int64_t inodes = 0;

    void add(const Removal& removal) {
        ++files;
        bytes += removal.bytes;
        inodes += removal.inodes;
    }
};

Total total_of(const CleanPlan& plan, std::string_view rule = {}) {
    Total total;
    for (const Removal& removal : plan.removals)
        if (rule.empty() || removal.rule == rule) total.add(removal);
    return total;
}

std::string table_of(const CleanPlan& plan, const CleanOptions& options) {
    std::string text;
    if (options.list)
        for (const Removal& removal : plan.removals)
            text +=
                fmt::format("{:<12} {:>14} bytes  {}\n", removal.rule, removal.bytes, removal.path.string());
    text += fmt::format("{:<12} {:>9} {:>12} {:>9}\n", "rule", "files", "size", "inodes");
    const std::set<std::string> rules = rules_of(options);
    for (const CleanRule& rule : campaign::clean_rules()) {
        if (!rules.contains(std::string(rule.name))) continue;
        const Total total = total_of(plan, rule.name);
        text += fmt::format("{:<12} {:>9} {:>12} {:>9}  {}\n", rule.name, total.files,
                            bytes_text(total.bytes), total.inodes, rule.what);
    }
    const Total all = total_of(plan);
    text += fmt::format("{:<12} {:>9} {:>12} {:>9}\n", "all", all.files, bytes_text(all.bytes), all.inodes);
    text += fmt::format("\n{} finished; of {} that did not, only what attempts left behind is removed.\n",
                        counted(plan.finished, "walker"), plan.unfinished);
    return text;
}

json to_json(const CleanPlan& plan, const fs::path& directory, bool removed,
             const std::vector<std::string>& failures) {
    json rules = json::object();
    for (const CleanRule& rule : campaign::clean_rules()) {
        const Total total = total_of(plan, rule.name);
        rules[std::string(rule.name)] = {
            {"files", total.files}, {"bytes", total.bytes}, {"inodes", total.inodes}};
    }
    json removals = json::array();
    for (const Removal& removal : plan.removals)
        removals.push_back({{"path", removal.path.string()},
                            {"rule", removal.rule},
                            {"product", removal.product},
                            {"bytes", removal.bytes},
                            {"inodes", removal.inodes}});
    return {{"directory", directory.string()},
            {"removed", removed},
            {"finished", plan.finished},
            {"unfinished", plan.unfinished},
            {"rules", rules},
            {"removals", removals},
            {"failures", failures}};
}

bool is_agreed_to(const CleanOptions& options, const Total& total) {
    if (options.yes || ::isatty(STDIN_FILENO) == 0) return options.yes;
    fmt::print(stderr, "Remove {} ({}) for good? [y/N] ", counted(total.files, "file"),
               bytes_text(total.bytes));
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "yes";
}

int remove(const CleanOptions& options, const std::set<std::string>& rules) {
    // From here on no other program can run the campaign, and the plan stays true.
    runtime::Context context(1);
    const std::uint64_t seed = Snapshot(options.directory).seed();
    const auto campaign =
        Campaign::open(context, options.directory, campaign::OpenMode::resume_or_create, seed);
    const CleanPlan plan = campaign::plan_clean(options.directory, rules);
    if (!options.json) print(table_of(plan, options));
    const Total total = total_of(plan);
    if (total.files > 0 && !is_agreed_to(options, total)) {
        if (::isatty(STDIN_FILENO) == 0)
            fail(ErrorKind::usage, "there is no terminal to ask on: say --yes to remove the files");
        print("Nothing was removed.");
        return session::kExitDone;
    }
    const std::vector<std::string> failures = context.run(campaign::carry_out(*campaign, plan));
    if (options.json)
        print(dumped(to_json(plan, campaign->directory(), true, failures)));
    else
        print(fmt::format("Removed {}.", counted(total.files - std::ssize(failures), "file")));
    for (const std::string& failure : failures) fmt::print(stderr, "error: cannot remove {}\n", failure);
    return failures.empty() ? session::kExitDone : session::kExitFailed;
}

int clean(const CleanOptions& options) {
    const std::set<std::string> rules = rules_of(options);
    if (options.remove) return remove(options, rules);
    const CleanPlan plan = campaign::plan_clean(options.directory, rules);
    if (options.json)
        print(dumped(to_json(plan, fs::absolute(options.directory).lexically_normal(), false, {})));
    else
        print(table_of(plan, options) + (plan.removals.empty() ? "There is nothing to remove."
                                                               : "Nothing was removed: --delete does it, "
                                                                 "--list shows each file."));
    return session::kExitDone;
}

}  // namespace

void add_clean(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<CleanOptions>();
    CLI::App* command =
        app.add_subcommand("clean", "Remove files that finished walkers do not need any more");
    std::vector<std::string> names;
    std::string rules;
    for (const CleanRule& rule : campaign::clean_rules()) {
        names.emplace_back(rule.name);
        rules += fmt::format("  {:<12} {}\n", rule.name, rule.what);
    }
    command->add_option("directory", options->directory, "The campaign's directory")->required();
    command->add_option("--rule", options->rules, "Only this kind of files; may be given several times")
        ->check(CLI::IsMember(names));
    command->add_option("--keep", options->keep, "All kinds but this; may be given several times")
        ->check(CLI::IsMember(names));
    command->add_flag("--delete", options->remove, "Remove the files (without it they are only counted)");
    command->add_flag("-y,--yes", options->yes, "Do not ask");
    command->add_flag("--list", options->list, "Name each file");
    command->add_flag("--json", options->json, "Print JSON");
    command->footer(
        "Rules:\n" + rules +
        "\nA walker is finished when its result is recorded; the campaign can be resumed as before.\n"
        "What was removed stays recorded: see coromd provenance.\n\n"
        "Examples:\n"
        "  coromd clean alanine.campaign\n"
        "  coromd clean alanine.campaign --rule parts --rule checkpoints --delete\n"
        "  coromd clean alanine.campaign --keep logs --delete --yes");
    command->callback([options, &exit_code] { exit_code = clean(*options); });
}

}  // namespace coromd::cli
