// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm/facts.hpp"

#include <algorithm>

#include <pwd.h>
#include <unistd.h>

#include <fmt/format.h>

#include "slurm/text.hpp"

namespace coromd::queue::slurm {

using runtime::task;

namespace {

std::string user_name() {
    const passwd* user = ::getpwuid(::getuid());
    return user == nullptr ? std::to_string(::getuid()) : user->pw_name;
}

std::string limit_text(std::optional<std::uint64_t> limit) {
    return limit ? std::to_string(*limit) : "no limit";
}

/// What to do where a command does not work at all.
std::string hint_of(const Answer& answer, const std::string& command) {
    const std::string said = printable(trimmed(answer.error));
    switch (answer.failure) {
        case CommandFailure::controller_unreachable:
        case CommandFailure::timed_out:
            return fmt::format(
                "SLURM's controller does not answer ({}): is this a node of the cluster, and is "
                "SLURM_CONF right?",
                said);
        case CommandFailure::authentication:
            return fmt::format("SLURM does not know who you are ({}): is munge running?", said);
        default:
            return fmt::format(
                "{} does not work ({}): load SLURM's module, or name the folder of its commands with "
                "'commands'",
                command, said);
    }
}

}  // namespace

std::vector<std::string> assoc_words() {
    return {"sacctmgr",           "-n", "-P", "show", "assoc", std::string("format=") + kAssocFormat,
            "user=" + user_name()};
}

task<QueueFacts> cluster_facts(Client client) {
    QueueFacts facts;
    const auto add = [&](const char* name, std::string value) {
        facts.facts.emplace_back(name, std::move(value));
    };
    std::vector<std::string> show{"scontrol", "show", "config"};
    const Answer answer = co_await client.call(std::move(show));
    if (!answer.good()) {
        facts.hints.push_back(hint_of(answer, "scontrol"));
        facts.usable = false;
        co_return facts;
    }
    const ClusterConfig config = parse_config(answer.out);
    add("SLURM", config.version);
    add("cluster", config.cluster_name);
    add("accounting",
        config.has_accounting() ? config.accounting_storage : "none: exit records and squeue are used");
    add("largest array", std::to_string(config.max_array_size));
    add("jobs at once", std::to_string(config.max_job_count));
    if (config.has_accounting()) {
        const Answer limits = co_await client.call(assoc_words());
        if (limits.good()) {
            const JobLimits mine = parse_assoc(limits.out);
            add("your jobs queued", limit_text(mine.max_submit));
            add("your jobs running", limit_text(mine.max_jobs));
        } else {
            facts.hints.push_back(fmt::format("the accounting does not answer ({}): coromd does without it",
                                              printable(trimmed(limits.error))));
        }
    }
    if (config.kill_wait_s > 0) add("SIGTERM to SIGKILL", fmt::format("{} s", config.kill_wait_s));
    if (config.kill_wait_s > 0 && config.kill_wait_s < 15)
        facts.hints.push_back(fmt::format(
            "a job that SLURM stops has {} s (KillWait) to write its checkpoint: let jobs stop early enough "
            "('stop_early')",
            config.kill_wait_s));
    std::vector<std::string> ask{"sinfo", "-h", "-o", "%P|%a|%l|%D|%c|%m|%G"};
    const Answer partitions = co_await client.call(std::move(ask));
    bool has_default = false;
    for (std::string_view rest = partitions.out; !rest.empty();) {
        std::string_view line = cut(rest, '\n');
        const std::string name(cut(line, '|'));
        if (name.empty()) continue;
        has_default = has_default || name.ends_with('*');
        const std::string state(cut(line, '|'));
        const std::string time(cut(line, '|'));
        const std::string nodes(cut(line, '|'));
        const std::string cores(cut(line, '|'));
        const std::string memory(cut(line, '|'));
        add("partition",
            fmt::format("{} ({}): {} nodes of {} cores and {} MB, GPUs {}, up to {}", name, state, nodes,
                        cores, memory, line == "(null)" ? "none" : std::string(line), time));
    }
    if (partitions.good() && !has_default)
        facts.hints.emplace_back("no partition is the default one (marked '*'): name one with 'partition'");
    co_return facts;
}

}  // namespace coromd::queue::slurm
