// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Eight walkers start between the basins of alanine dipeptide, each with velocities of its own, and
// run until the first of two states is reached, as many at a time as there are cores.
#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <coromd/coromd.hpp>

using namespace coromd;
using namespace std::chrono_literals;

/// One walker. Started again after a crash, it goes on where it was.
task<UntilResult> shoot(Session& session, MdSystem& system, Trajectory start, std::vector<FunctionPtr> states,
                        int number) {
    const std::string name = fmt::format("walkers/{:03}", number);
    const auto engine = system.engine(name);
    co_await start_with_new_velocities(session.runtime(), *engine, start, 0, 300.0, session.random(name));
    co_return co_await until_any(session.runtime(), *engine, states, UntilLimits(20'000).slice(1s));
}

task<void> committor(Session& session, std::string folder) {
    Definitions define;
    define.variable("phi", R"(dihedral("index 4", "index 6", "index 8", "index 14"))");
    define.variable("psi", R"(dihedral("index 6", "index 8", "index 14", "index 16"))");
    const std::vector<FunctionPtr> states = {
        define.state("alphaR", "phi <= 0 and -50*deg <= psi and psi <= 30*deg"),
        define.state("C7eq", "phi <= 0 and (psi >= 120*deg or psi <= -160*deg)"),
    };

    gromacs::Input input(folder + "/system/topol.top", folder + "/md.mdp", folder + "/system/start.gro");
    const auto system = session.gromacs(input);
    const Trajectory start = co_await system->reference();

    std::vector<task<UntilResult>> walkers;
    for (int i = 0; i < 8; ++i) walkers.push_back(shoot(session, *system, start, states, i));
    const auto outcomes = co_await gather_outcomes(std::move(walkers));

    int reached = 0;
    int in_c7eq = 0;
    for (const auto& outcome : outcomes) {
        if (!outcome.ok()) {
            fmt::print("failed: {}\n", outcome.error_text());
            continue;
        }
        const UntilResult& walker = outcome.value();
        if (walker.reached()) {
            ++reached;
            in_c7eq += walker.conditions.front() == 1;
        }
        fmt::print("{:8.3f} ps  {:8}  {}\n", walker.time_ps,
                   walker.reached() ? states[walker.conditions.front()]->name() : "no state",
                   walker.trajectory.files().front().string());
    }
    const auto p = wilson(in_c7eq, reached);
    fmt::print("C7eq was first in {} of {}: {:.2f} [{:.2f}, {:.2f}]\n", in_c7eq, reached, p.estimate, p.low,
               p.high);
}

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: {} FOLDER   (that of examples/alanine_dipeptide, prepared)\n", argv[0]);
        return 2;
    }
    Session session("alanine.campaign");
    return session.run(committor(session, argv[1]));
}
