// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "commands.hpp"
#include "coromd/core/error.hpp"
#include "coromd/session/session.hpp"

namespace {

using namespace coromd;

/// Where a standard stream is closed, the next file that is opened, the campaign's database say,
/// would take its place and what is printed would end up there. Read-only: writing stays an error.
void occupy_standard_streams() {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(stream, F_GETFD) < 0 && errno == EBADF) ::open("/dev/null", O_RDONLY);
}

int report(const std::string& text, int exit_code) {
    std::fputs(("error: " + text + "\n").c_str(), stderr);
    return exit_code;
}

/// What was typed wrong, and whose help to read.
std::string usage_error(const CLI::App& app, const CLI::Error& error) {
    std::string command = app.get_name();
    const CLI::App* chosen = &app;
    while (!chosen->get_subcommands().empty()) {
        chosen = chosen->get_subcommands().front();
        command += " " + chosen->get_name();
    }
    const std::vector<std::string> rest = chosen->remaining();
    const bool unknown = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !rest.empty();
    return fmt::format("{}\nTry '{} --help'.",
                       unknown ? fmt::format("unknown command '{}'", rest.front()) : error.what(), command);
}

}  // namespace

int main(int argc, char** argv) {
    occupy_standard_streams();
    // Nobody reads the progress any more: no reason to leave MD behind without supervision.
    std::signal(SIGPIPE, SIG_IGN);

    CLI::App app("coromd: campaigns of many molecular dynamics simulations", "coromd");
    app.set_version_flag("--version", "coromd " COROMD_VERSION, "Print the version and exit");
    app.require_subcommand(1);
    app.footer(
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (start the same again to go on).\n"
        "Every command has its own --help.\n\n"
        "Examples:\n"
        "  coromd run campaign.toml\n"
        "  coromd status campaign.campaign --watch\n"
        "  coromd run --help");
    int exit_code = session::kExitDone;
    cli::add_run(app, exit_code);
    cli::add_attach(app, exit_code);
    cli::add_stop(app, exit_code);
    cli::add_status(app, exit_code);
    cli::add_provenance(app, exit_code);
    cli::add_clean(app, exit_code);
    cli::add_campaign(app, exit_code);
    cli::add_config(app, exit_code);
    cli::add_model_md(app, exit_code);
    cli::add_queue(app, exit_code);
    cli::add_report(app, exit_code);
    cli::add_supervise(app, exit_code);
    cli::add_traj(app, exit_code);
    try {
        std::vector<std::string> arguments = cli::arguments_of(argc, argv);
        std::ranges::reverse(arguments);  // as CLI11 wants it
        app.parse(std::move(arguments));
    } catch (const CLI::Success& wanted) {  // --help, --version
        return app.exit(wanted);
    } catch (const CLI::ParseError& error) {
        return report(usage_error(app, error), session::kExitUsage);
    } catch (const Error& error) {
        // Nothing was run: whatever it is, the user has to mend it first.
        return report(error.what(), session::kExitUsage);
    } catch (const std::exception& error) {
        return report(error.what(), session::kExitFailed);
    }
    return exit_code;
}
