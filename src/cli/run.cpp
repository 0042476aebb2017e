// SPDX-License-Identifier: LGPL-3.0-or-later
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "commands.hpp"
#include "coromd/core/error.hpp"
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
    std::optional<std::string> directory;
    bool fresh = false;
    bool dry_run = false;
    bool verbose = false;
    bool json = false;
    bool quiet = false;
};

fs::path directory_of(const CampaignFile& file, const RunOptions& options) {
    if (options.directory && options.directory->empty())
        fail(ErrorKind::usage, "--directory must not be empty");
    return fs::absolute(options.directory ? fs::path(*options.directory) : file.directory())
        .lexically_normal();
}

/// Runs the method of a campaign file and prints what it came to.
runtime::task<void> run_campaign(Session& session, const CampaignFile& file, CampaignFile::Parts& parts,
                                 const RunOptions& options, int& exit_code) {
    std::map<std::string, std::string> inputs{{file.kind(), parts.method->identity()}};
    co_await session.campaign().record_inputs(std::move(inputs));
    sampling::MethodContext context{session.runtime(), session.terminal(), session.campaign(), *parts.system};
    sampling::Summary summary;
    try {
        summary = co_await parts.method->run(context);
    } catch (Error& error) {
        if (error.kind() == ErrorKind::conflict)
            error.add_context(
                "The campaign was begun with other inputs. Undo the change, or begin a new campaign with "
                "another --directory");
        throw;
    }
    session.terminal().finish();
    print(options.json ? summary.json : summary.text);
    if (summary.complete) co_return;
    session.terminal().say(
        fmt::format("Not all went well: see above and '{}'", session.campaign().log_path().string()));
    exit_code = session::kExitFailed;
}

int run(const RunOptions& options) {
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
    if (options.quiet) session_options.progress(session::ProgressStyle::none);
    Session session(std::move(session_options));
    CampaignFile::Parts parts = file.build(session);
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
    command->add_flag("--json", options->json, "Print the result (or the dry run) as JSON");
    command->footer(
        "Starting the same file again goes on where the last run ended, also after a crash: what is\n"
        "finished is not run again. Limits (walkers.count, max_steps, slice, cores) may change in\n"
        "between; what the results depend on may not, and wants a new --directory.\n"
        "Ctrl-C stops the running MD with checkpoints; a second one leaves at once.\n"
        "The log is coromd.log in the campaign's directory.\n\n"
        "Examples:\n"
        "  coromd run campaign.toml\n"
        "  coromd run campaign.toml --dry-run\n"
        "  coromd run campaign.toml --directory second.campaign --fresh\n"
        "  coromd run campaign.toml --json --quiet > result.json");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace coromd::cli
