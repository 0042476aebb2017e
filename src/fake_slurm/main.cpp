// SPDX-License-Identifier: LGPL-3.0-or-later
//
// coromd-fake-slurm: SLURM's commands on one machine without a cluster. One program: as `sbatch`,
// `squeue` and so on it is a client of the controller, which is itself as `serve`.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include "client.hpp"
#include "controller.hpp"
#include "coromd/core/error.hpp"
#include "faults.hpp"
#include "settings.hpp"

namespace {

using namespace coromd;
using namespace coromd::fake_slurm;
namespace fs = std::filesystem;

constexpr std::array kCommands = {"sbatch",   "squeue",   "sacct", "scancel",
                                  "scontrol", "sacctmgr", "sinfo", "srun"};

constexpr const char* kHelp =
    R"(coromd-fake-slurm: SLURM's commands on this machine, to try campaigns without a cluster

Usage:
  coromd-fake-slurm setup DIR [OPTIONS]      make a cluster in DIR; its commands are in DIR/bin
  coromd-fake-slurm faults DIR [NAME=VALUE]  make things go wrong; without NAME=VALUE: what is set
  coromd-fake-slurm faults DIR clear         make nothing go wrong any more
  coromd-fake-slurm stop DIR                 end all jobs and the cluster's controller
  coromd-fake-slurm --help | --version

Options of setup:
  --nodes 4              nodes n1, n2, ...       --minute 60s         how long a minute of SLURM lasts
  --cores-per-node 8                             --kill-wait 2s       from TERM to KILL
  --gpus-per-node 0                              --min-job-age 300s   how long ended jobs are known to squeue
  --memory-per-node 16000  MB                    --max-array-size 1001
  --node-prefix n                                --max-job-count 10000
  --partition debug                              --max-submit 0       jobs at a time, 0: no limit
  --job-requeue 1        whether jobs are requeued after a node failed

Faults (WHEN: always, a number of times, or a probability such as 30%; `off` ends one; name.command=
concerns one command only):
)";

constexpr const char* kExamples = R"(
Exit codes: 0 done, 1 failed, 2 wrong usage.

Examples:
  coromd-fake-slurm setup cluster --nodes 2 --minute 1s
  PATH=$PWD/cluster/bin:$PATH sbatch --wrap 'hostname'
  coromd-fake-slurm faults cluster controller_down.squeue=3 force_state=1:NODE_FAIL
  coromd-fake-slurm stop cluster
)";

void print_help() {
    std::fputs(kHelp, stdout);
    for (const FaultKind& kind : fault_kinds())
        fmt::print("  {:<26}{}\n", fmt::format("{}={}", kind.name, kind.form), kind.help);
    std::fputs(kExamples, stdout);
}

fs::path cluster_of(const std::vector<std::string>& arguments) {
    if (arguments.size() < 2) fail(ErrorKind::usage, "{} needs the directory of a cluster", arguments[0]);
    const fs::path directory = fs::absolute(arguments[1]);
    if (!fs::exists(directory / "cluster.json"))
        fail(ErrorKind::usage, "there is no cluster in {}: make one with 'coromd-fake-slurm setup {}'",
             arguments[1], arguments[1]);
    return fs::canonical(directory);
}

int setup(const std::vector<std::string>& arguments) {
    if (arguments.size() < 2 || arguments[1].starts_with('-'))
        fail(ErrorKind::usage, "setup needs a directory: coromd-fake-slurm setup DIR");
    const Settings settings = parse_settings(std::span(arguments).subspan(2));
    const fs::path directory = fs::absolute(arguments[1]);
    if (controller_lives(directory))
        fail(ErrorKind::usage, "the cluster in {0} is at work: end it with 'coromd-fake-slurm stop {0}'",
             arguments[1]);
    if (fs::exists(directory / "cluster.json")) {
        for (const char* name : {"state", "faults.json", "calls.log"}) fs::remove_all(directory / name);
    } else if (fs::exists(directory) && !fs::is_empty(directory)) {
        fail(ErrorKind::usage, "{} is neither empty nor a cluster", arguments[1]);
    }
    fs::create_directories(directory / "state" / "scripts");
    fs::permissions(directory / "state", fs::perms::owner_all);
    fs::create_directories(directory / "bin");
    write_settings(directory, settings);
    const fs::path program = fs::read_symlink("/proc/self/exe");
    for (const char* command : kCommands) {
        fs::remove(directory / "bin" / command);
        fs::create_symlink(program, directory / "bin" / command);
    }
    fmt::print("export PATH={}/bin:$PATH\n", fs::canonical(directory).string());
    return 0;
}

/// The cluster that a command belongs to: where the link is that it was started by.
fs::path cluster_of_link(const std::string& started_as) {
    std::vector<fs::path> candidates;
    if (started_as.find('/') != std::string::npos) {
        candidates.emplace_back(started_as);
    } else if (const char* path = std::getenv("PATH")) {
        const std::string all = path;
        for (std::size_t from = 0; from <= all.size();) {
            const std::size_t to = std::min(all.find(':', from), all.size());
            const fs::path file = fs::path(all.substr(from, to - from)) / started_as;
            if (::access(file.c_str(), X_OK) == 0) {
                candidates.push_back(file);
                break;
            }
            from = to + 1;
        }
    }
    for (const fs::path& link : candidates) {
        const fs::path directory = fs::absolute(link).parent_path().parent_path();
        if (fs::exists(directory / "cluster.json")) return fs::canonical(directory);
    }
    const char* named = std::getenv("COROMD_FAKE_SLURM");
    if (named == nullptr || !fs::exists(fs::path(named) / "cluster.json"))
        fail(ErrorKind::usage, "no cluster: start it by its link in DIR/bin, or set COROMD_FAKE_SLURM=DIR");
    return fs::canonical(named);
}

int stop(const fs::path& directory) {
    return controller_lives(directory) ? run_command(directory, "coromd-fake-slurm", {"stop"}) : 0;
}

int own_command(const std::vector<std::string>& arguments) {
    const std::string command = arguments.empty() ? "" : arguments[0];
    if (command == "--help" || command == "-h") {
        print_help();
        return 0;
    }
    if (command == "--version") {
        fmt::print("coromd-fake-slurm {}\n", COROMD_VERSION);
        return 0;
    }
    if (command == "setup") return setup(arguments);
    if (command == "serve") return serve(cluster_of(arguments));
    if (command == "stop") return stop(cluster_of(arguments));
    if (command == "faults") {
        const fs::path directory = cluster_of(arguments);
        std::vector<std::string> words = arguments;
        words.erase(words.begin() + 1);
        return run_command(directory, "coromd-fake-slurm", words);
    }
    fail(ErrorKind::usage, "unknown command '{}'; try 'coromd-fake-slurm --help'", command);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string name = fs::path(argv[0]).filename().string();
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    try {
        for (const char* command : kCommands)
            if (name == command) return run_command(cluster_of_link(argv[0]), name, arguments);
        return own_command(arguments);
    } catch (const Error& error) {
        std::fputs(fmt::format("error: {}\n", error.what()).c_str(), stderr);
        return error.kind() == ErrorKind::usage ? 2 : 1;
    } catch (const std::exception& error) {
        std::fputs(fmt::format("error: {}\n", error.what()).c_str(), stderr);
        return 1;
    }
}
