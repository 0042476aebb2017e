// SPDX-License-Identifier: LGPL-3.0-or-later
#include "dispatch.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "commands.hpp"
#include "coromd/core/error.hpp"
#include "text.hpp"

namespace coromd::fake_slurm {

namespace {

constexpr const char* kNoContact = "Unable to contact slurm controller (connect failure)";
constexpr const char* kTimedOut = "Socket timed out on send/recv operation";

void log_call(const Cluster& cluster, const Request& request) {
    std::string line = fmt::format("{:.3f} {}", wall_clock(), request.command);
    for (const std::string& argument : request.arguments) {
        line += ' ';
        for (const char c : argument) line += c == '\n' ? ' ' : c;
    }
    line += '\n';
    const FileDescriptor out(
        ::open((cluster.directory() / "calls.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (out && ::write(out.get(), line.data(), line.size()) < 0) return;  // a full disk fails the test anyway
}

/// How a command complains about its controller.
Answer complaint(const Request& request, const std::string& what, bool timed_out) {
    const std::string& command = request.command;
    if (command == "sbatch") return failure("sbatch: error: Batch job submission failed: " + what);
    if (command == "squeue") return failure("slurm_load_jobs error: " + what);
    if (command == "scancel") return failure("scancel: error: Kill job error: " + what, timed_out ? 140 : 8);
    if (command == "sinfo") return failure("slurm_load_partitions: " + what);
    if (command == "srun") return failure("srun: error: Unable to create step: " + what);
    const bool ping = !request.arguments.empty() && request.arguments[0] == "ping";
    if (ping) return {.code = 1, .out = "Slurmctld(primary) at localhost is DOWN\n"};
    return failure("slurm_load_jobs error: " + what);
}

std::string garbage() {
    std::string bytes;
    for (int i = 0; i < 200; ++i) bytes += static_cast<char>((i * 151 + 7) % 256);
    return bytes + "\n";
}

/// The answer of a fault that strikes all commands alike.
bool strikes_command(Cluster& cluster, const Request& request, Reply& reply) {
    Faults& faults = cluster.faults();
    const std::string& command = request.command;
    reply.delay = faults.seconds("slow", command);
    if (const auto text = faults.strikes("rubbish", command)) {
        reply.answer = {.out = text->empty() ? garbage() : *text + "\n"};
        return true;
    }
    const bool accounting = command == "sacct" || command == "sacctmgr";
    if (accounting && faults.strikes("no_accounting", command)) {
        reply.answer =
            failure(command == "sacct" ? "Slurm accounting storage is disabled"
                                       : "You are not running a supported accounting_storage plugin");
        return true;
    }
    if (accounting && faults.strikes("accounting_down", command)) {
        reply.answer =
            failure(fmt::format("{0}: error: slurm_persist_conn_open_without_init: failed to open persistent "
                                "connection to host:localhost:6819: Connection refused\n{0}: error: Problem "
                                "talking to the database: Connection refused",
                                command));
        return true;
    }
    if (accounting) return false;
    if (faults.strikes("controller_down", command)) {
        reply.answer = complaint(request, kNoContact, false);
        return true;
    }
    if (const auto seconds = faults.strikes("controller_hung", command)) {
        reply.delay += parse_seconds(*seconds).value_or(10.0);
        reply.answer = complaint(request, kTimedOut, true);
        return true;
    }
    return false;
}

/// The faults that happen once, at the moment they are set.
void forget_jobs(Cluster& cluster, std::string list) {
    bool kill = true;
    if (const auto colon = list.find(':'); colon != list.npos) {
        kill = list.substr(colon + 1) != "live";
        list.resize(colon);
    }
    std::vector<int> ids;
    if (list == "all")
        for (const auto& [id, job] : cluster.jobs()) ids.push_back(id);
    for (const std::string& text : split(list, ','))
        if (const auto ref = JobRef::parse(text))
            for (const int id : cluster.select(*ref, true)) ids.push_back(id);
    for (const int id : ids) cluster.forget(id, kill);
}

Answer set_faults(Cluster& cluster, const std::vector<std::string>& words) {
    std::vector<std::string> lasting;
    for (const std::string& word : words) {
        if (word == "clear")
            cluster.faults().clear();
        else if (word.starts_with("forget="))
            forget_jobs(cluster, word.substr(7));
        else if (word.starts_with("reuse_ids=") && to_int(word.substr(10)).value_or(0) > 0)
            cluster.set_next_id(static_cast<int>(*to_int(word.substr(10))));
        else
            lasting.push_back(word);
    }
    cluster.touch();
    if (!lasting.empty()) cluster.faults().set(lasting);
    return {.out = words.empty() ? cluster.faults().listing() : ""};
}

Reply own_command(Cluster& cluster, const Request& request) {
    const std::string what = request.arguments.empty() ? "" : request.arguments[0];
    if (what == "faults")
        return {.answer = set_faults(cluster, {request.arguments.begin() + 1, request.arguments.end()})};
    if (what == "stop") return {.answer = {}, .stops = true};
    return {.answer = failure("unknown request", 2)};
}

}  // namespace

Reply dispatch(Cluster& cluster, const Request& request, int connection) {
    cluster.faults().refresh();
    const std::string& command = request.command;
    if (command == "coromd-fake-slurm") return own_command(cluster, request);
    log_call(cluster, request);
    Reply reply;
    if (strikes_command(cluster, request, reply)) return reply;
    if (command == "srun") {
        reply.answer = srun(cluster, request, connection);
        return reply;
    }
    using Command = Answer (*)(Cluster&, const Request&);
    static constexpr std::array<std::pair<std::string_view, Command>, 7> kCommands = {{
        {"sbatch", sbatch},
        {"squeue", squeue},
        {"sacct", sacct},
        {"scancel", scancel},
        {"scontrol", scontrol},
        {"sacctmgr", sacctmgr},
        {"sinfo", sinfo},
    }};
    reply.answer = failure(fmt::format("{} is not emulated", command), 127);
    for (const auto& [name, run] : kCommands)
        if (name == command) reply.answer = run(cluster, request);
    if (command == "scontrol") cluster.touch();
    return reply;
}

}  // namespace coromd::fake_slurm
