// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "cluster.hpp"
#include "wire.hpp"

namespace coromd::fake_slurm {

// SLURM's commands, each from its arguments to what it prints. They run in the controller.
Answer sbatch(Cluster& cluster, const Request& request);
Answer squeue(Cluster& cluster, const Request& request);
Answer sacct(Cluster& cluster, const Request& request);
Answer scancel(Cluster& cluster, const Request& request);
Answer scontrol(Cluster& cluster, const Request& request);
Answer sinfo(Cluster& cluster, const Request& request);
Answer sacctmgr(Cluster& cluster, const Request& request);

/// Asks for cores for a step; `more` in the answer means that it waits and gets another one later.
Answer srun(Cluster& cluster, const Request& request, int connection);
/// Grants waiting steps what is free; gives connections and what they get.
std::vector<std::pair<int, Answer>> grant_steps(Cluster& cluster);
/// The end of a connection is the end of its step.
void end_step(Cluster& cluster, int connection);

/// Whether sbatch takes its script from standard input.
bool script_from_stdin(const std::vector<std::string>& arguments);

inline constexpr const char* kVersion = "slurm 22.05.8";

std::string user_name();
/// A variable of an environment; empty where it is not there.
std::string variable_of(const std::vector<std::string>& environment, const std::string& name);

/// A job as a command shows it: at an earlier time where it lags.
struct View {
    const Job* job;
    std::string state;  ///< as in sacct: the final state while processes still end
    double started = 0.0;
    double ended = 0.0;
    /// Whether it existed then.
    bool exists = true;
};
View view_of(const Job& job, double when, double now, const Faults& faults);

/// Pads to `width` characters, or cuts; 0: as it is.
std::string padded(std::string text, std::size_t width, bool right);

}  // namespace coromd::fake_slurm
