// SPDX-License-Identifier: LGPL-3.0-or-later
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "commands.hpp"
#include "coromd/campaign/snapshot.hpp"
#include "coromd/core/error.hpp"
#include "coromd/session/session.hpp"
#include "coromd/session/stop_request.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;

namespace {

struct StopOptions {
    fs::path directory;
    std::string jobs = "usual";
    bool no_wait = false;
};

bool is_run(const fs::path& directory) {
    const auto owner = campaign::owner_of(directory);
    return owner && owner->may_run();
}

int stop(const StopOptions& options) {
    const runtime::Shutdown how = session::shutdown_from(options.jobs);
    campaign::Snapshot{options.directory};
    if (!is_run(options.directory)) {
        print(fmt::format("No program runs the campaign in '{}'.", options.directory.string()));
        return session::kExitDone;
    }
    session::request_stop(options.directory, how);
    if (options.no_wait) {
        print("Asked to stop.");
        return session::kExitDone;
    }
    print("Asked to stop; waiting for its end. (Ctrl-C: do not wait.)");
    while (is_run(options.directory)) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    print("Stopped. Nothing is lost: start the same again to go on.");
    return session::kExitDone;
}

}  // namespace

void add_stop(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<StopOptions>();
    CLI::App* command = app.add_subcommand("stop", "End the program that runs a campaign");
    command->add_option("directory", options->directory, "The campaign's directory")->required();
    command->add_option("--jobs", options->jobs,
                        "What becomes of jobs that run: usual (those of clusters are left running, those of "
                        "this machine stopped with checkpoints), stop, or leave");
    command->add_flag("--no-wait", options->no_wait, "Do not wait for its end");
    command->footer(
        "Works from every host that sees the directory; the program looks about once a second.\n"
        "Starting the same campaign again goes on, and finds jobs again that were left running.\n\n"
        "Examples:\n"
        "  coromd stop alanine.campaign\n"
        "  coromd stop alanine.campaign --jobs leave");
    command->callback([options, &exit_code] { exit_code = stop(*options); });
}

}  // namespace coromd::cli
