// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Steps of a job. srun asks for cores of its job and waits until they are free; the command itself
// runs below srun, in the job's own process group, so that what ends the job ends the step.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "commands.hpp"
#include "options.hpp"
#include "text.hpp"

namespace coromd::fake_slurm {

namespace {

constexpr std::array kOptions = {
    Option{"chdir", 'D', Option::required},
    Option{"cpu-bind", 0, Option::required},
    Option{"cpus-per-task", 'c', Option::required},
    Option{"distribution", 'm', Option::required},
    Option{"error", 'e', Option::required},
    Option{"exact"},
    Option{"exclusive", 0, Option::optional},
    Option{"export", 0, Option::required},
    Option{"gpu-bind", 0, Option::required},
    Option{"gpus", 'G', Option::required},
    Option{"gpus-per-node", 0, Option::required},
    Option{"gpus-per-task", 0, Option::required},
    Option{"gres", 0, Option::required},
    Option{"help", 'h'},
    Option{"hint", 0, Option::required},
    Option{"immediate", 'I', Option::optional},
    Option{"input", 'i', Option::required},
    Option{"jobid", 0, Option::required},
    Option{"job-name", 'J', Option::required},
    Option{"kill-on-bad-exit", 'K', Option::optional},
    Option{"label", 'l'},
    Option{"mem", 0, Option::required},
    Option{"mem-per-cpu", 0, Option::required},
    Option{"mpi", 0, Option::required},
    Option{"nodelist", 'w', Option::required},
    Option{"nodes", 'N', Option::required},
    Option{"ntasks", 'n', Option::required},
    Option{"ntasks-per-node", 0, Option::required},
    Option{"output", 'o', Option::required},
    Option{"overlap"},
    Option{"partition", 'p', Option::required},
    Option{"quiet", 'Q'},
    Option{"signal", 0, Option::required},
    Option{"threads-per-core", 0, Option::required},
    Option{"time", 't', Option::required},
    Option{"unbuffered", 'u'},
    Option{"verbose", 'v'},
    Option{"version", 'V'},
    Option{"wait", 'W', Option::required},
};

Answer refusal(const std::string& text) {
    return failure("srun: error: " + text);
}

long memory_of(const Job& job) {
    long memory = 0;
    for (const Share& share : job.shares) memory += share.memory;
    return memory;
}

/// Whether what the step wants is free in its job.
bool fits(Cluster& cluster, const Step& wanted) {
    const Job& job = cluster.jobs().at(wanted.job);
    int cores = job.core_count();
    long memory = memory_of(job);
    for (const Step& step : cluster.steps()) {
        if (step.job != wanted.job || !step.granted) continue;
        cores -= step.cores;
        memory -= step.memory;
    }
    return wanted.cores <= cores && (wanted.memory == 0 || wanted.memory <= memory);
}

}  // namespace

Answer srun(Cluster& cluster, const Request& request, int connection) {
    CommandLine line("srun", kOptions, false);
    line.add(request.arguments);
    if (!line.error().empty()) return {.code = 1, .err = line.error()};
    if (line.has("version")) return {.out = std::string(kVersion) + "\n"};
    if (line.has("help")) return {.out = "Usage: srun [OPTIONS...] executable [args...]\n"};
    if (line.operands().empty()) return refusal("No command given to execute.");
    const auto ref = JobRef::parse(line.value("jobid", variable_of(request.environment, "SLURM_JOB_ID")));
    if (!ref) return refusal("only steps inside a job are emulated: use it in a batch script");
    const auto found = cluster.jobs().find(ref->id);
    if (found == cluster.jobs().end() || found->second.pid == 0)
        return refusal("Unable to confirm allocation for job " + std::to_string(ref->id) +
                       ": Invalid job id specified");
    if (found->second.ending)
        return refusal("Unable to create step for job " + std::to_string(ref->id) +
                       ": Job/step already completing or completed");
    const Job& job = found->second;

    const auto number = [&](const char* name, const std::string& fallback) {
        return to_int(line.value(name, fallback)).value_or(-1);
    };
    const std::string tasks_of_job = variable_of(request.environment, "SLURM_NTASKS");
    const long nodes = std::max(1L, number("nodes", "0"));
    const long per_node = line.has("ntasks-per-node") ? number("ntasks-per-node", "1") * nodes : 0;
    const long tasks = line.has("ntasks") || per_node == 0
                           ? number("ntasks", tasks_of_job.empty() ? "1" : tasks_of_job)
                           : per_node;
    // As of 22.05 srun does not inherit --cpus-per-task.
    const long cores_per_task = number("cpus-per-task", "1");
    if (tasks < 1 || cores_per_task < 1 || tasks > 100'000 || cores_per_task > 100'000)
        return refusal("Invalid numeric value");

    Step step{.job = job.id, .connection = connection, .srun = request.pid};
    const bool exact = line.has("exact") || line.has("exclusive") || line.has("cpus-per-task");
    step.cores = static_cast<int>(tasks * cores_per_task);
    if (step.cores > job.core_count())
        return refusal("Unable to create step for job " + std::to_string(job.id) +
                       ": More processors requested than permitted");
    if (!exact) step.cores = job.core_count();
    // Without --mem a step takes all that its job asked for per node.
    step.memory = job.spec->memory_per_node > 0 ? memory_of(job) : job.spec->memory_per_core * step.cores;
    if (line.has("mem")) step.memory = parse_memory(line.value("mem")).value_or(0);
    if (line.has("mem-per-cpu"))
        step.memory = parse_memory(line.value("mem-per-cpu")).value_or(0) * step.cores;
    if (step.memory > memory_of(job))
        return refusal("Unable to create step for job " + std::to_string(job.id) +
                       ": Memory required by task is not available");
    if (line.has("overlap")) step.cores = 0, step.memory = 0;
    for (const Step& other : cluster.steps())
        if (other.job == job.id) step.number = std::max(step.number, other.number + 1);

    Answer answer;
    answer.launch = {
        {"command", line.operands()},
        {"tasks", tasks},
        {"directory", line.value("chdir", request.directory)},
        {"output", line.value("output")},
        {"error", line.value("error")},
        {"input", line.value("input") == "none" ? "/dev/null" : line.value("input")},
        {"label", line.has("label")},
        {"node", cluster.nodes()[static_cast<std::size_t>(job.shares[0].node)].name},
        {"kill_on_bad_exit", line.has("kill-on-bad-exit") && line.value("kill-on-bad-exit") != "0"},
        {"environment",
         {{"SLURM_STEP_ID", std::to_string(step.number)},
          {"SLURM_STEPID", std::to_string(step.number)},
          {"SLURM_STEP_NUM_TASKS", std::to_string(tasks)},
          {"SLURM_NTASKS", std::to_string(tasks)},
          {"SLURM_STEP_NODELIST", cluster.node_list(job)}}}};
    if (line.has("cpus-per-task"))
        answer.launch["environment"]["SLURM_CPUS_PER_TASK"] = std::to_string(cores_per_task);
    step.granted = fits(cluster, step);
    if (!step.granted) {
        if (line.has("immediate"))
            return refusal("Unable to create step for job " + std::to_string(job.id) +
                           ": Requested nodes are busy");
        answer.more = true;
        if (!line.has("quiet"))
            answer.err = fmt::format(
                "srun: Job {} step creation temporarily disabled, retrying (Requested nodes are busy)\n",
                job.id);
    }
    cluster.steps().push_back(step);
    return answer;
}

std::vector<std::pair<int, Answer>> grant_steps(Cluster& cluster) {
    std::vector<std::pair<int, Answer>> granted;
    for (Step& step : cluster.steps()) {
        if (step.granted || !fits(cluster, step)) continue;
        step.granted = true;
        granted.emplace_back(step.connection,
                             Answer{.err = fmt::format("srun: Step created for job {}\n", step.job)});
    }
    return granted;
}

void end_step(Cluster& cluster, int connection) {
    std::erase_if(cluster.steps(), [&](const Step& step) { return step.connection == connection; });
}

}  // namespace coromd::fake_slurm
