// SPDX-License-Identifier: LGPL-3.0-or-later
#include <cstdio>
#include <exception>

#include <fmt/format.h>

#include "commands.hpp"
#include "coromd/core/error.hpp"

int main(int argc, char** argv) {
    using namespace coromd::cli;
    CLI::App app("coromd: campaigns of many molecular dynamics simulations");
    app.set_version_flag("--version", "coromd " COROMD_VERSION);
    app.require_subcommand(1);
    app.footer(
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (start the same again to go on).\n"
        "Every command has its own --help with examples.");
    int exit_code = kExitDone;
    add_run(app, exit_code);
    add_config(app, exit_code);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kExitDone : kExitUsage;
    } catch (const coromd::Error& error) {
        fmt::print(stderr, "error: {}\n", error.what());
        return error.kind() == coromd::ErrorKind::job ? kExitFailed : kExitUsage;
    } catch (const std::exception& error) {
        fmt::print(stderr, "error: {}\n", error.what());
        return kExitFailed;
    }
    return exit_code;
}
