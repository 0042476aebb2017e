// SPDX-License-Identifier: LGPL-3.0-or-later
#include <filesystem>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "commands.hpp"
#include "coromd/session/campaign_file.hpp"
#include "coromd/session/session.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;
using session::CampaignFile;
using session::Session;
using session::SessionOptions;

namespace {

struct RunOptions {
    fs::path file;
    fs::path directory;
    bool fresh = false;
    bool dry_run = false;
    bool verbose = false;
    bool json = false;
    bool quiet = false;
};

/// Runs the method of a campaign file and prints what it came to.
runtime::task<void> run_campaign(Session& session, const CampaignFile& file, CampaignFile::Parts& parts,
                                 const RunOptions& options, int& exit_code) {
    co_await session.campaign().record_input(file.kind(), parts.method->identity());
    sampling::MethodContext context{session.runtime(), session.terminal(), session.campaign(), *parts.system};
    const sampling::Summary summary = co_await parts.method->run(context);
    session.terminal().finish();
    fmt::print("{}\n", options.json ? summary.json : summary.text);
    if (!summary.complete) exit_code = kExitFailed;
}

int run(const RunOptions& options) {
    const CampaignFile file(options.file);
    const fs::path directory = options.directory.empty() ? file.directory() : options.directory;

    // Everything that can be wrong is found before the campaign's directory is touched.
    {
        SessionOptions rehearsal(directory);
        rehearsal.settings(file.settings()).rehearsal();
        Session session(std::move(rehearsal));
        const CampaignFile::Parts parts = file.build(session);
        if (options.dry_run) {
            fmt::print("{}: {} campaign in '{}'\n{}\n", file.name(), file.kind(), directory.string(),
                       parts.method->plan());
            return kExitDone;
        }
    }

    SessionOptions session_options(directory);
    session_options.settings(file.settings()).seed(file.seed()).fresh(options.fresh).verbose(options.verbose);
    if (options.quiet) session_options.progress(session::ProgressStyle::none);
    Session session(std::move(session_options));
    CampaignFile::Parts parts = file.build(session);
    int exit_code = kExitDone;
    const int ended = session.run(run_campaign(session, file, parts, options, exit_code));
    return ended != kExitDone ? ended : exit_code;
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<RunOptions>();
    CLI::App* command = app.add_subcommand("run", "Run a campaign, or go on with it");
    command->add_option("file", options->file, "The campaign's TOML file")->required();
    command->add_option("-d,--directory", options->directory,
                        "Where the campaign lives (default: NAME.campaign beside the file)");
    command->add_flag("--fresh", options->fresh, "Refuse a directory in which anything is");
    command->add_flag("-n,--dry-run", options->dry_run, "Check everything and say what would run, but run nothing");
    command->add_flag("-v,--verbose", options->verbose, "Show the log on standard error");
    command->add_flag("-q,--quiet", options->quiet, "No progress on standard error");
    command->add_flag("--json", options->json, "Print the result as JSON");
    command->footer(
        "Starting the same file again goes on where the last run ended, also after a crash:\n"
        "what is finished is not run again. Ctrl-C stops the running MD with a checkpoint.\n\n"
        "Examples:\n"
        "  coromd run campaign.toml\n"
        "  coromd run campaign.toml --dry-run\n"
        "  coromd run campaign.toml --directory second.campaign --fresh\n"
        "  coromd run campaign.toml --json --quiet > result.json");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace coromd::cli
