// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/report/page.hpp"

#include <filesystem>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "commands.hpp"
#include "coromd/core/error.hpp"
#include "coromd/runtime/signals.hpp"
#include "coromd/session/session.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;

namespace {

struct ReportOptions {
    fs::path directory;
    std::string output;
    double seconds = 5;
    std::int64_t frames = 2'000'000;
};

int write_page(const ReportOptions& options) {
    const fs::path file =
        fs::absolute(options.output.empty() ? options.directory / "report.html" : fs::path(options.output));
    if (fs::is_directory(file))
        fail(ErrorKind::usage, "'{}' is a directory: name a file with --output", file.string());
    report::ValueLimits limits;
    limits.time = std::chrono::milliseconds(static_cast<std::int64_t>(options.seconds * 1000));
    limits.frames = options.frames;
    const Registry<report::Section> sections = report::builtin_sections();
    runtime::Context context;
    const runtime::SignalHandler signals(context, [&](int) { context.request_stop(); });
    try {
        context.run(report::write_report(context, options.directory, file, sections, limits));
    } catch (const Cancelled&) {
        return session::kExitInterrupted;
    } catch (const Error& error) {
        fmt::print(stderr, "error: {}\n", error.what());
        return session::exit_code_of(error);
    }
    print(file.string());
    return session::kExitDone;
}

}  // namespace

void add_report(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<ReportOptions>();
    CLI::App* command =
        app.add_subcommand("report", "Write an HTML page about a campaign, also while it runs");
    command->add_option("directory", options->directory, "The campaign's directory")->required();
    command->add_option("-o,--output", options->output,
                        "The file to write (default: report.html in the directory)");
    command
        ->add_option("--limit-seconds", options->seconds,
                     "How long to compute variables along trajectories (default: 5; 0: not at all)")
        ->check(CLI::Range(0.0, 1e6));
    command
        ->add_option("--limit-frames", options->frames, "How many frames to show of them (default: 2000000)")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40));
    command->footer(
        "The page is one file without scripts that opens offline, in any browser; the name of the file\n"
        "is printed. Values of variables are kept in the campaign's values.sqlite, so that the next\n"
        "report is quick, or goes on where the limits ended this one; that file may be deleted.\n\n"
        "Examples:\n"
        "  coromd report alanine.campaign\n"
        "  coromd report alanine.campaign --output ~/alanine.html\n"
        "  coromd report alanine.campaign --limit-seconds 600");
    command->callback([options, &exit_code] { exit_code = write_page(*options); });
}

}  // namespace coromd::cli
