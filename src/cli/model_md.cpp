// SPDX-License-Identifier: LGPL-3.0-or-later
#include <cctype>
#include <filesystem>
#include <memory>

#include "commands.hpp"
#include "coromd/core/error.hpp"
#include "coromd/engine/model/model_md.hpp"
#include "coromd/session/session.hpp"
#include "coromd/session/settings_file.hpp"

namespace coromd::cli {

namespace model = engine::model;

namespace {

constexpr const char* kCommand = "model-md";

/// "-deffnm", but neither "-s" nor "-1".
bool is_long_option_with_one_dash(std::string_view argument) {
    return argument.size() > 2 && argument[0] == '-' &&
           std::isalpha(static_cast<unsigned char>(argument[1])) != 0;
}

int run(const std::filesystem::path& file, const model::ModelMdOptions& options) {
    const Setting settings = session::read_toml(file);
    SettingsReader reader(settings, "");
    const model::RunInput input = model::RunInput::read(reader);
    try {
        const model::ModelMdEnd end = model::model_md(input, options);
        return end == model::ModelMdEnd::stopped ? session::kExitInterrupted : session::kExitDone;
    } catch (const Error& error) {
        fmt::print(stderr, "error: {}\n", error.what());
        return error.kind() == ErrorKind::usage || error.kind() == ErrorKind::conflict ? session::kExitUsage
                                                                                       : session::kExitFailed;
    }
}

}  // namespace

std::vector<std::string> arguments_of(int argc, const char* const* argv) {
    std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    if (arguments.empty() || arguments.front() != kCommand) return arguments;
    for (std::string& argument : arguments)
        if (is_long_option_with_one_dash(argument)) argument.insert(0, "-");
    return arguments;
}

void add_model_md(CLI::App& app, int& exit_code) {
    struct Options {
        std::filesystem::path input;
        model::ModelMdOptions md;
        double max_hours = -1.0;
        bool no_append = false;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command =
        app.add_subcommand(kCommand, "Langevin dynamics on an analytic potential, a program like mdrun");
    command->add_option("-s", options->input, "The input file (TOML)")->required();
    command->add_option("--deffnm", options->md.deffnm, "What the names of all files begin with")
        ->capture_default_str();
    command->add_option("--cpi", options->md.checkpoint_in, "Go on from this checkpoint");
    command->add_option("--cpo", options->md.checkpoint_out, "Write checkpoints to this file (DEFFNM.cpt)");
    command->add_option("--cpt", options->md.checkpoint_minutes, "Minutes between checkpoints")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    command->add_option("--nsteps", options->md.nsteps,
                        "So many more steps; -1: no limit. Default: those of the input");
    command->add_option("--maxh", options->max_hours, "Stop after so many hours; below 0: no limit");
    command->add_flag("--noappend", options->no_append,
                      "Files of its own for each part: DEFFNM.part0001.trr");
    command->footer(
        "Options may be written with one dash, as mdrun has them. What the input file may hold is in\n"
        "docs/guide/model-engine.md. It leaves a trajectory, a log, a checkpoint, and the last positions\n"
        "(.gro) where all steps were done.\n\n"
        "SIGTERM or SIGINT: stop at the next frame, with a checkpoint; a second one: at once, with a\n"
        "checkpoint, too. Going on from one gives the same trajectory as a run that was never stopped, to\n"
        "the last bit.\n\n"
        "Exit codes: 0 done, or the time was up; 1 failed; 2 wrong usage; 130 stopped by a signal.\n\n"
        "Example:\n"
        "  coromd model-md -s md.toml -deffnm md -nsteps 100000\n"
        "  coromd model-md -s md.toml -deffnm md -cpi md.cpt -nsteps 100000");
    command->callback([options, &exit_code] {
        if (options->max_hours >= 0.0) options->md.max_hours = options->max_hours;
        options->md.append = !options->no_append;
        exit_code = run(options->input, options->md);
    });
}

}  // namespace coromd::cli
