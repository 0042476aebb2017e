// SPDX-License-Identifier: LGPL-3.0-or-later
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "commands.hpp"
#include "coromd/core/error.hpp"
#include "coromd/session/campaign_file.hpp"
#include "coromd/session/session.hpp"
#include "detach.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;
using session::CampaignFile;
using session::Session;
using session::SessionOptions;

namespace {

struct RunOptions {
    fs::path file;
    std::optional<std::string> directory;
    bool fresh = false;
    bool dry_run = false;
    bool verbose = false;
    bool json = false;
    bool quiet = false;
    bool detach = false;
    bool take_over = false;
    campaign::OnChange on_change = campaign::OnChange::refuse;
};

fs::path directory_of(const CampaignFile& file, const RunOptions& options) {
    if (options.directory && options.directory->empty())
        fail(ErrorKind::usage, "--directory must not be empty");
    return fs::absolute(options.directory ? fs::path(*options.directory) : file.directory())
        .lexically_normal();
}

/// Notices what was changed since the campaign was begun.
runtime::task<void> record_inputs(Session& session, const CampaignFile& file,
                                  const CampaignFile::Parts& parts) {
    std::map<std::string, std::string> inputs = co_await parts.system->inputs();
    inputs[file.kind()] = parts.method->identity();
    for (const functions::Definition& definition : parts.definitions.all()) {
        const bool is_state = definition.type == functions::ValueType::boolean;
        inputs[(is_state ? "states." : "variables.") + definition.name] = definition.text;
        if (is_state) inputs["states"] += definition.name + "\n";
    }
    try {
        co_await session.campaign().record_inputs(std::move(inputs));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::conflict) throw;
        fail(ErrorKind::conflict,
             "{}Undo the change; or go on with it (--changed go-on): what is finished stands, and both are "
             "recorded; or begin another campaign (--directory NEW --fresh)",
             error.message());
    }
}

/// Runs the method of a campaign file and prints what it came to.
runtime::task<void> run_campaign(Session& session, const CampaignFile& file, CampaignFile::Parts& parts,
                                 const RunOptions& options, int& exit_code) {
    co_await record_inputs(session, file, parts);
    sampling::MethodContext context{session.runtime(), session.recorder(), session.campaign(), *parts.system};
    const sampling::Summary summary = co_await parts.method->run(context);
    session.terminal().finish();
    print(options.json ? summary.json : summary.text);
    if (summary.complete) co_return;
    session.terminal().say(
        fmt::format("Not all went well: see above and '{}'", session.campaign().log_path().string()));
    exit_code = session::kExitFailed;
}

int run(const RunOptions& options) {
    Detachment detachment;
    if (options.detach && !options.dry_run)
        if (const std::optional<int> exit_code = detachment.begin()) return *exit_code;
    const CampaignFile file(options.file);
    const fs::path directory = directory_of(file, options);

    // Everything that can be wrong is found before the campaign's directory is touched.
    {
        SessionOptions rehearsal(directory);
        rehearsal.settings(file.settings()).rehearsal();
        Session session(std::move(rehearsal));
        const CampaignFile::Parts parts = file.build(session);
        if (options.dry_run) {
            print(dry_run(file, parts, directory, options.fresh, options.json));
            return session::kExitDone;
        }
    }

    SessionOptions session_options(directory);
    session_options.settings(file.settings()).seed(file.seed()).fresh(options.fresh).verbose(options.verbose);
    session_options.on_change(options.on_change).take_over(options.take_over);
    if (options.detach) session_options.progress(session::ProgressStyle::lines);
    if (options.quiet) session_options.progress(session::ProgressStyle::none);
    Session session(std::move(session_options));
    CampaignFile::Parts parts = file.build(session);
    if (options.detach) detachment.confirm(directory);
    int exit_code = session::kExitDone;
    const int ended = session.run(run_campaign(session, file, parts, options, exit_code));
    return ended != session::kExitDone ? ended : exit_code;
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<RunOptions>();
    CLI::App* command = app.add_subcommand("run", "Run a campaign, or go on with it");
    command->add_option("file", options->file, "The campaign's TOML file")->required();
    command->add_option("-d,--directory", options->directory,
                        "Where the campaign lives (default: NAME.campaign beside the file)");
    command->add_flag("--fresh", options->fresh, "Refuse a directory in which anything is");
    command->add_flag("-n,--dry-run", options->dry_run,
                      "Check everything and say what would run, but run nothing");
    command->add_flag("-v,--verbose", options->verbose,
                      "Show the log on standard error, in place of the progress");
    command->add_flag("-q,--quiet", options->quiet, "No progress on standard error");
    command->add_flag("--detach", options->detach,
                      "Go on in the background, also after log-out; what is said goes to coromd.out in the "
                      "campaign's directory");
    const std::map<std::string, campaign::OnChange> changed{{"stop", campaign::OnChange::refuse},
                                                            {"go-on", campaign::OnChange::go_on}};
    command
        ->add_option("--changed", options->on_change,
                     "When the inputs have changed since the campaign was begun: stop (the default) or go-on")
        ->transform(CLI::CheckedTransformer(changed).description("stop|go-on"))
        ->option_text(" ");
    command->add_flag("--take-over", options->take_over,
                      "Take the campaign over from a program on another host that does not run any more");
    command->add_flag("--json", options->json, "Print the result (or the dry run) as JSON");
    command->footer(
        "Starting the same file again goes on where the last run ended, also after a crash: what is\n"
        "finished is not run again. Limits (walkers.count, max_steps, slice, cores) may change in\n"
        "between; what the results depend on may not, and wants a new --directory.\n"
        "Ctrl-C asks what shall become of the jobs that run: stopped with checkpoints, or left running,\n"
        "to be found again at the next start; without a terminal jobs of this machine are stopped, those\n"
        "of clusters left. A second one leaves at once.\n"
        "The log is coromd.log in the campaign's directory.\n\n"
        "Examples:\n"
        "  coromd run campaign.toml\n"
        "  coromd run campaign.toml --dry-run\n"
        "  coromd run campaign.toml --detach\n"
        "  coromd run campaign.toml --directory second.campaign --fresh\n"
        "  coromd run campaign.toml --json --quiet > result.json");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace coromd::cli
