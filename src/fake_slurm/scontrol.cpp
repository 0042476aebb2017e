// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <csignal>

#include <unistd.h>

#include <fmt/format.h>

#include "commands.hpp"
#include "text.hpp"

namespace coromd::fake_slurm {

namespace {

constexpr const char* kUnknownJob = "slurm_load_jobs error: Invalid job id specified";

std::string show_config(const Settings& settings) {
    std::string text = fmt::format("Configuration data as of {}\n", moment(wall_clock(), "Unknown"));
    const auto line = [&](const char* name, const std::string& value) {
        text += fmt::format("{:<23} = {}\n", name, value);
    };
    line("AccountingStorageType", "accounting_storage/slurmdbd");
    line("ClusterName", "fake");
    line("DefMemPerNode", "UNLIMITED");
    line("JobRequeue", std::to_string(settings.job_requeue));
    line("KillWait", fmt::format("{:.0f} sec", settings.kill_wait));
    line("MaxArraySize", std::to_string(settings.max_array_size));
    line("MaxJobCount", std::to_string(settings.max_job_count));
    line("MessageTimeout", "10 sec");
    line("MinJobAge", fmt::format("{:.0f} sec", settings.min_job_age));
    line("SelectType", "select/cons_tres");
    line("SLURM_VERSION", "22.05.8");
    return text + "\nSlurmctld(primary) at localhost is UP\n";
}

std::string show_job(Cluster& cluster, const Job& job, const std::vector<Node>& nodes, bool one_line) {
    const Spec& spec = *job.spec;
    const Settings& settings = cluster.settings();
    const double now = wall_clock();
    const double until = job.ended > 0 ? job.ended : now;
    const double elapsed = job.started > 0 ? settings.slurm(until - job.started) : 0.0;
    const std::string shown = view_of(job, now, now, cluster.faults()).state;
    const std::string state = job.ending ? "COMPLETING" : shown.substr(0, shown.find(' '));
    std::string id = fmt::format("JobId={}", job.id);
    if (job.array_id != 0) {
        const std::string throttle = spec.throttle > 0 ? fmt::format("%{}", spec.throttle) : "";
        id += fmt::format(" ArrayJobId={} ArrayTaskId={}", job.array_id,
                          job.task >= 0 ? std::to_string(job.task) : job.tasks.text() + throttle);
        if (spec.throttle > 0) id += fmt::format(" ArrayTaskThrottle={}", spec.throttle);
    }
    std::vector<std::string> lines = {
        fmt::format("{} JobName={}", id, spec.name),
        fmt::format("UserId={}({}) GroupId={} MCS_label=N/A", user_name(), ::getuid(), ::getgid()),
        fmt::format("Priority={} Nice=0 Account={} QOS={}", job.held ? 0 : 1,
                    spec.account.empty() ? "(null)" : spec.account, spec.qos.empty() ? "normal" : spec.qos),
        fmt::format("JobState={} Reason={} Dependency={}", state, job.reason,
                    spec.dependency_text.empty() ? "(null)" : spec.dependency_text),
        fmt::format("Requeue={} Restarts={} BatchFlag=1 Reboot=0 ExitCode={}:{}", spec.requeue ? 1 : 0,
                    job.restarts, job.exit_code, job.exit_signal),
        fmt::format("RunTime={} TimeLimit={} TimeMin=N/A", long_duration(elapsed),
                    job.limit_s < 0 ? "UNLIMITED" : long_duration(job.limit_s)),
        fmt::format("SubmitTime={} EligibleTime={}", moment(job.submitted, "Unknown"),
                    moment(job.eligible, "Unknown")),
        fmt::format("StartTime={} EndTime={} Deadline=N/A", moment(job.started, "Unknown"),
                    moment(job.ended, "Unknown")),
        fmt::format("Partition={} AllocNode:Sid=localhost:1", spec.partition),
        fmt::format("NodeList={}", job.shares.empty() ? "" : cluster.node_list(job)),
        fmt::format("NumNodes={} NumCPUs={} NumTasks={} CPUs/Task={}", job.node_count(), job.core_count(),
                    std::max(1, spec.tasks), std::max(1, spec.cores_per_task)),
        fmt::format("Command={}", spec.script_file),
        fmt::format("WorkDir={}", spec.directory),
        fmt::format("StdErr={}", output_file(job, nodes, true)),
        fmt::format("StdOut={}", output_file(job, nodes, false)),
    };
    if (!job.shares.empty())
        lines.insert(lines.begin() + 10,
                     "BatchHost=" + nodes[static_cast<std::size_t>(job.shares[0].node)].name);
    if (!spec.comment.empty()) lines.push_back("Comment=" + spec.comment);
    std::string text;
    for (const std::string& line : lines) text += (text.empty() ? "" : one_line ? " " : "\n   ") + line;
    return text + (one_line ? "\n" : "\n\n");
}

std::string show_node(const Node& node) {
    const int busy = node.cores - node.free_cores;
    const std::string state = std::string(node.down            ? "DOWN"
                                          : busy == 0          ? "IDLE"
                                          : busy == node.cores ? "ALLOCATED"
                                                               : "MIXED") +
                              (node.drained ? "+DRAIN" : "");
    return fmt::format(
        "NodeName={0} Arch=x86_64\n   CPUAlloc={1} CPUTot={2}\n   RealMemory={3} AllocMem={4}\n"
        "   State={5} Reason={6}\n\n",
        node.name, busy, node.cores, node.memory, node.memory - node.free_memory, state,
        node.reason.empty() ? "(null)" : node.reason);
}

Answer show(Cluster& cluster, const std::vector<std::string>& words, bool one_line) {
    const std::string what = words.size() > 1 ? words[1] : "";
    const std::string name = words.size() > 2 ? words[2] : "";
    Answer answer;
    if (what == "config") return {.out = show_config(cluster.settings())};
    if (what == "hostnames" || what == "hostname") {
        for (const std::string& host : expand_hosts(name)) answer.out += host + "\n";
        return answer;
    }
    if (what == "hostlist") return {.out = compress_hosts(expand_hosts(name)) + "\n"};
    if (what == "node" || what == "nodes") {
        const auto wanted = expand_hosts(name);
        for (const Node& node : cluster.nodes())
            if (wanted.empty() || std::find(wanted.begin(), wanted.end(), node.name) != wanted.end())
                answer.out += show_node(node);
        if (answer.out.empty()) return {.code = 1, .out = fmt::format("Node {} not found\n", name)};
        return answer;
    }
    if (what == "partition" || what == "partitions")
        return {.out = fmt::format(
                    "PartitionName={}\n   Default=YES MaxTime=UNLIMITED State=UP TotalNodes={}\n\n",
                    cluster.settings().partition, cluster.nodes().size())};
    if (what != "job" && what != "jobs")
        return failure(fmt::format("invalid entity:{} for keyword:show", what));
    const double now = wall_clock();
    std::vector<int> ids;
    if (name.empty()) {
        for (const auto& [id, job] : cluster.jobs()) ids.push_back(id);
    } else if (const auto ref = JobRef::parse(name)) {
        ids = cluster.select(*ref, false);
    }
    for (const int id : ids) {
        const Job& job = cluster.jobs().at(id);
        if (cluster.remembered(job, now)) answer.out += show_job(cluster, job, cluster.nodes(), one_line);
    }
    if (!answer.out.empty()) return answer;
    return name.empty() ? Answer{.out = "No jobs in the system\n"} : failure(kUnknownJob);
}

Answer update_node(Cluster& cluster, const std::string& names, const std::string& state,
                   const std::string& reason) {
    const auto wanted = expand_hosts(names);
    for (std::size_t i = 0; i < cluster.nodes().size(); ++i) {
        Node& node = cluster.nodes()[i];
        if (std::find(wanted.begin(), wanted.end(), node.name) == wanted.end()) continue;
        if (state == "DOWN" || state == "FAIL") node.down = true;
        if (state == "DRAIN") node.drained = true;
        if (state == "RESUME" || state == "IDLE" || state == "UNDRAIN") node.down = node.drained = false;
        node.reason = node.down || node.drained ? reason : "";
        if (node.down) cluster.node_failed(static_cast<int>(i));
    }
    return {};
}

/// Calls `action` for each job that the words mean.
template <typename Action>
Answer for_jobs(Cluster& cluster, const std::vector<std::string>& words, std::size_t first, Action action) {
    for (std::size_t i = first; i < words.size(); ++i)
        for (const std::string& text : split(words[i], ',')) {
            const auto ref = JobRef::parse(text);
            const auto ids = ref ? cluster.select(*ref, true) : std::vector<int>();
            if (ids.empty()) return failure(fmt::format("Invalid job id specified for job {}", text));
            for (const int id : ids) action(cluster.jobs().at(id));
        }
    return {};
}

Answer update(Cluster& cluster, const std::vector<std::string>& words) {
    std::map<std::string, std::string> values;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const auto equals = words[i].find('=');
        if (equals == std::string::npos) return failure(fmt::format("Request aborted: invalid {}", words[i]));
        values[upper(words[i].substr(0, equals))] = words[i].substr(equals + 1);
    }
    if (values.contains("NODENAME"))
        return update_node(cluster, values["NODENAME"], upper(values["STATE"]), values["REASON"]);
    if (!values.contains("JOBID") && !values.contains("JOB"))
        return failure("No valid entity in update command");
    const std::string id = values.contains("JOBID") ? values["JOBID"] : values["JOB"];
    const auto limit = values.contains("TIMELIMIT") ? parse_limit(values["TIMELIMIT"]) : std::optional(0.0);
    const auto throttle = values.contains("ARRAYTASKTHROTTLE") ? to_int(values["ARRAYTASKTHROTTLE"]) : 0;
    if (!limit || !throttle) return failure("Invalid value in update command");
    return for_jobs(cluster, {id}, 0, [&](Job& job) {
        if (values.contains("TIMELIMIT")) job.limit_s = *limit;
        if (values.contains("ARRAYTASKTHROTTLE")) {
            auto spec = std::make_shared<Spec>(*job.spec);
            spec->throttle = static_cast<int>(*throttle);
            job.spec = std::move(spec);
        }
    });
}

}  // namespace

Answer scontrol(Cluster& cluster, const Request& request) {
    std::vector<std::string> words;
    bool one_line = false;
    for (const std::string& word : request.arguments) {
        if (word == "-o" || word == "--oneliner") one_line = true;
        if (word == "-V" || word == "--version") return {.out = std::string(kVersion) + "\n"};
        if (!word.starts_with('-')) words.push_back(word);
    }
    if (words.empty()) return failure("scontrol: only commands on the command line are emulated");
    const std::string& command = words[0];
    if (command == "ping") return {.out = "Slurmctld(primary) at localhost is UP\n"};
    if (command == "show") return show(cluster, words, one_line);
    if (command == "update") return update(cluster, words);
    if (command == "requeue")
        return for_jobs(cluster, words, 1, [&](Job& job) { cluster.requeue(job, false); });
    if (command == "requeuehold")
        return for_jobs(cluster, words, 1, [&](Job& job) { cluster.requeue(job, true); });
    if (command == "hold") return for_jobs(cluster, words, 1, [&](Job& job) { cluster.hold(job, true); });
    if (command == "release") return for_jobs(cluster, words, 1, [&](Job& job) { cluster.hold(job, false); });
    if (command == "suspend" || command == "resume") {
        const bool stops = command == "suspend";
        return for_jobs(cluster, words, 1, [&](Job& job) {
            if (job.pid == 0 || job.ending) return;
            ::kill(-job.pid, stops ? SIGSTOP : SIGCONT);
            job.state = stops ? "SUSPENDED" : "RUNNING";
        });
    }
    return failure(fmt::format("invalid keyword: {}", command));
}

}  // namespace coromd::fake_slurm
