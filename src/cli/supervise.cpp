// SPDX-License-Identifier: LGPL-3.0-or-later
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "commands.hpp"
#include "coromd/agent/supervise.hpp"
#include "coromd/core/error.hpp"

namespace coromd::cli {

void add_supervise(CLI::App& app, int& exit_code) {
    struct Options {
        std::filesystem::path file;
        bool array = false;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("supervise", "Run one job and stay beside it (queues call this)");
    command->add_option("file", options->file, "The job file (job.json) of an attempt")->required();
    command->add_flag("--array", options->array,
                      "The file lists job files, one a line: take that of this SLURM array element");
    command->footer(
        "Queues start this beside each job, on the machine where the job runs. It starts the program,\n"
        "stops it when it is asked to or when time is nearly up, and writes the exit record into the\n"
        "campaign's spool. SIGUSR2: stop; SIGUSR1: time is nearly up; SIGTERM: as from a scheduler.\n"
        "It ends with the program's exit code, 0 where there was nothing to do, 65 for a job file that\n"
        "cannot be read, 74 where the record cannot be written.\n\n"
        "Example, for a job that is stuck in the eyes of its queue:\n"
        "  coromd supervise walkers/003/md.part0004.attempt1/job.json");
    command->callback([options, &exit_code] {
        if (options->array) {
            try {
                options->file = agent::array_element(options->file);
            } catch (const Error& error) {
                fmt::print(stderr, "coromd supervise: {}\n", error.what());
                exit_code = agent::kBadJobFile;
                return;
            }
        }
        exit_code = agent::supervise(options->file);
    });
}

}  // namespace coromd::cli
