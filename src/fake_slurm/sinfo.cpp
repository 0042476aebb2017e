// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "commands.hpp"
#include "options.hpp"
#include "text.hpp"

namespace coromd::fake_slurm {

namespace {

constexpr std::array kOptions = {
    Option{"Node", 'N'},
    Option{"all", 'a'},
    Option{"dead", 'd'},
    Option{"exact", 'e'},
    Option{"format", 'o', Option::required},
    Option{"help"},
    Option{"list-reasons", 'R'},
    Option{"long", 'l'},
    Option{"noheader", 'h'},
    Option{"nodes", 'n', Option::required},
    Option{"partition", 'p', Option::required},
    Option{"responding", 'r'},
    Option{"states", 't', Option::required},
    Option{"summarize", 's'},
    Option{"verbose", 'v'},
    Option{"version", 'V'},
};

std::string state_of(const Node& node) {
    const bool busy = node.free_cores < node.cores;
    if (node.down) return "down";
    if (node.drained) return busy ? "draining" : "drained";
    return !busy ? "idle" : node.free_cores == 0 ? "allocated" : "mixed";
}

std::string compact(const std::string& state) {
    static const std::map<std::string, std::string> kShort = {
        {"allocated", "alloc"}, {"mixed", "mix"}, {"drained", "drain"}, {"draining", "drng"}};
    const auto it = kShort.find(state);
    return it == kShort.end() ? state : it->second;
}

/// Nodes that share a row, and the header where there are none.
std::string field(char code, const std::vector<const Node*>& nodes, const Settings& settings) {
    const bool header = nodes.empty();
    int total = 0, allocated = 0, idle = 0;
    std::vector<std::string> names;
    for (const Node* node : nodes) {
        total += node->cores;
        const bool usable = !node->down && !node->drained;
        allocated += node->cores - node->free_cores;
        idle += usable ? node->free_cores : 0;
        names.push_back(node->name);
    }
    switch (code) {
        case 'a':
            return header ? "AVAIL" : "up";
        case 'A':
            return header          ? "NODES(A/I)"
                   : allocated > 0 ? fmt::format("{}/0", nodes.size())
                                   : fmt::format("0/{}", nodes.size());
        case 'c':
            return header ? "CPUS" : std::to_string(nodes[0]->cores);
        case 'C':
            return header ? "CPUS(A/I/O/T)"
                          : fmt::format("{}/{}/{}/{}", allocated, idle, total - allocated - idle, total);
        case 'D':
            return header ? "NODES" : std::to_string(nodes.size());
        case 'G':
            return header                       ? "GRES"
                   : settings.gpus_per_node > 0 ? fmt::format("gpu:{}", settings.gpus_per_node)
                                                : "(null)";
        case 'l':
            return header ? "TIMELIMIT" : "infinite";
        case 'm':
            return header ? "MEMORY" : std::to_string(nodes[0]->memory);
        case 'n':
            return header ? "HOSTNAMES" : nodes[0]->name;
        case 'N':
            return header ? "NODELIST" : compress_hosts(names);
        case 'P':
            return header ? "PARTITION" : settings.partition + "*";
        case 'R':
            return header ? "PARTITION" : settings.partition;
        case 'E':
            return header ? "REASON" : nodes[0]->reason.empty() ? "none" : nodes[0]->reason;
        case 't':
            return header ? "STATE" : compact(state_of(*nodes[0]));
        case 'T':
            return header ? "STATE" : state_of(*nodes[0]);
        default:
            return "?";
    }
}

std::string filled(const std::string& format, const std::vector<const Node*>& nodes,
                   const Settings& settings) {
    std::string text;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%' || i + 1 == format.size()) {
            text += format[i];
            continue;
        }
        const bool right = format[i + 1] == '.';
        i += right;
        std::size_t width = 0;
        while (i + 1 < format.size() && format[i + 1] >= '0' && format[i + 1] <= '9')
            width = std::min<std::size_t>(1000, 10 * width + static_cast<std::size_t>(format[++i] - '0'));
        if (i + 1 < format.size()) text += padded(field(format[++i], nodes, settings), width, right);
    }
    return text + "\n";
}

}  // namespace

Answer sinfo(Cluster& cluster, const Request& request) {
    CommandLine line("sinfo", kOptions, true);
    line.add(request.arguments);
    if (!line.error().empty()) return {.code = 1, .err = line.error()};
    if (line.has("version")) return {.out = std::string(kVersion) + "\n"};
    if (line.has("help")) return {.out = "Usage: sinfo [OPTIONS]\n"};
    const std::string format = line.value("format", "%9P %5a %10l %.6D %6t %N");
    Answer answer;
    if (!line.has("noheader")) answer.out = filled(format, {}, cluster.settings());
    if (line.has("partition") && line.value("partition") != cluster.settings().partition) return answer;
    // One row for nodes that look the same.
    const bool by_state = format.find('t') != format.npos || format.find('T') != format.npos;
    const bool by_name = line.has("Node") || format.find("%n") != format.npos;
    std::map<std::string, std::vector<const Node*>> groups;
    std::vector<std::string> order;
    const auto wanted = expand_hosts(line.value("nodes"));
    for (const Node& node : cluster.nodes()) {
        if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), node.name) == wanted.end()) continue;
        const std::string key = by_name ? node.name : by_state ? state_of(node) : "";
        if (groups[key].empty()) order.push_back(key);
        groups[key].push_back(&node);
    }
    for (const std::string& key : order) answer.out += filled(format, groups[key], cluster.settings());
    return answer;
}

Answer sacctmgr(Cluster& cluster, const Request& request) {
    std::vector<std::string> words;
    std::string fields = "Cluster,Account,User,MaxJobs,MaxSubmit,QOS";
    bool header = true, parsable = false;
    for (const std::string& word : request.arguments) {
        if (word == "-V" || word == "--version") return {.out = std::string(kVersion) + "\n"};
        if (word == "-n" || word == "--noheader") header = false;
        if (word == "-P" || word == "--parsable2") parsable = true;
        if (word.starts_with("-") && !word.starts_with("--") && word.find('n') != word.npos) header = false;
        if (word.starts_with("-") && !word.starts_with("--") && word.find('P') != word.npos) parsable = true;
        if (word.starts_with("format=")) fields = word.substr(7);
        if (!word.starts_with('-')) words.push_back(word);
    }
    const bool shows = words.size() > 1 && (words[0] == "show" || words[0] == "list");
    if (!shows || !words[1].starts_with("assoc"))
        return failure(" Unknown condition: only 'sacctmgr show assoc' is emulated");
    const long limit = cluster.settings().max_submit;
    Answer answer;
    std::string first, second;
    for (const std::string& field : split(fields, ',')) {
        const std::string name = upper(field.substr(0, field.find('%')));
        const std::string value = name.starts_with("MAXSUBMIT") ? (limit > 0 ? std::to_string(limit) : "")
                                  : name == "USER"              ? user_name()
                                  : name == "CLUSTER"           ? "fake"
                                  : name == "ACCOUNT"           ? "default"
                                  : name == "QOS"               ? "normal"
                                                                : "";
        const std::string title = field.substr(0, field.find('%'));
        const bool begins = first.empty();
        first += parsable ? (begins ? "" : "|") + title : padded(title, 10, true) + " ";
        second += parsable ? (begins ? "" : "|") + value : padded(value, 10, true) + " ";
    }
    answer.out = (header ? first + "\n" : "") + second + "\n";
    return answer;
}

}  // namespace coromd::fake_slurm
