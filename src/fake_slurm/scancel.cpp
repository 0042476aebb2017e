// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <array>
#include <csignal>

#include <unistd.h>

#include "commands.hpp"
#include "options.hpp"
#include "text.hpp"

namespace coromd::fake_slurm {

namespace {

constexpr std::array kOptions = {
    Option{"account", 'A', Option::required},
    Option{"batch", 'b'},
    Option{"ctld"},
    Option{"full", 'f'},
    Option{"help"},
    Option{"hurry", 'H'},
    Option{"jobname", 'n', Option::required},
    Option{"name", 0, Option::required},
    Option{"me"},
    Option{"nodelist", 'w', Option::required},
    Option{"partition", 'p', Option::required},
    Option{"quiet", 'Q'},
    Option{"signal", 's', Option::required},
    Option{"state", 't', Option::required},
    Option{"user", 'u', Option::required},
    Option{"verbose", 'v'},
    Option{"version", 'V'},
};

}  // namespace

Answer scancel(Cluster& cluster, const Request& request) {
    CommandLine line("scancel", kOptions, true);
    line.add(request.arguments);
    if (!line.error().empty()) return {.code = 1, .err = line.error()};
    if (line.has("version")) return {.out = std::string(kVersion) + "\n"};
    if (line.has("help")) return {.out = "Usage: scancel [OPTIONS] [job_id[_array_id][.step_id]]\n"};
    const bool filtered = line.has("name") || line.has("jobname") || line.has("user") || line.has("me") ||
                          line.has("state") || line.has("partition") || line.has("nodelist");
    if (line.operands().empty() && !filtered)
        return failure("scancel: error: No job identification provided");
    int signal = 0;
    if (line.has("signal")) {
        const auto number = parse_signal(line.value("signal"));
        if (!number) return failure("scancel: error: Unknown job signal: " + line.value("signal"));
        signal = *number;
    }
    const bool mine = !line.has("user") || line.value("user") == user_name() ||
                      line.value("user") == std::to_string(::getuid());
    const auto matches = [&](const Job& job) {
        if (!mine) return false;
        const std::string name = line.value("name", line.value("jobname"));
        if (!name.empty() && name != job.spec->name) return false;
        if (line.has("partition") && line.value("partition") != job.spec->partition) return false;
        if (line.has("state") && full_state(line.value("state")) != job.state) return false;
        return !line.has("nodelist") || cluster.node_list(job) == line.value("nodelist");
    };

    std::vector<int> ids;
    for (const std::string& operand : line.operands())
        for (const std::string& text : split(operand, ',')) {
            const auto ref = JobRef::parse(text.substr(0, text.find('.')));
            if (!ref) return failure("scancel: error: Invalid job id " + text);
            // A job that nobody knows is no error.
            for (const int id : cluster.select(*ref, true)) ids.push_back(id);
        }
    if (line.operands().empty()) ids.assign(cluster.active().begin(), cluster.active().end());
    for (const int id : ids) {
        Job& job = cluster.jobs().at(id);
        if (!job.active() || !matches(job)) continue;
        if (signal == 0)
            cluster.cancel(job, static_cast<int>(::getuid()));
        else if (!job.pending() || signal == SIGKILL)
            cluster.signal(job, signal, line.has("batch"), line.has("full"));
    }
    return {};
}

}  // namespace coromd::fake_slurm
