// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <array>
#include <set>

#include <unistd.h>

#include <fmt/format.h>

#include "commands.hpp"
#include "options.hpp"
#include "text.hpp"

namespace coromd::fake_slurm {

namespace {

constexpr std::array kOptions = {
    Option{"account", 'A', Option::required},
    Option{"all", 'a'},
    Option{"array", 'r'},
    Option{"clusters", 'M', Option::required},
    Option{"format", 'o', Option::required},
    Option{"help"},
    Option{"jobs", 'j', Option::optional},
    Option{"long", 'l'},
    Option{"me"},
    Option{"name", 'n', Option::required},
    Option{"noconvert"},
    Option{"noheader", 'h'},
    Option{"nodelist", 'w', Option::required},
    Option{"partition", 'p', Option::required},
    Option{"qos", 'q', Option::required},
    Option{"sort", 'S', Option::required},
    Option{"start"},
    Option{"states", 't', Option::required},
    Option{"user", 'u', Option::required},
    Option{"verbose", 'v'},
    Option{"version", 'V'},
};

/// A part of -o: text, then perhaps a field.
struct Column {
    std::string text;
    char code = 0;
    std::size_t width = 0;
    bool right = false;
};

std::vector<Column> columns_of(const std::string& format) {
    std::vector<Column> columns(1);
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%') {
            columns.back().text += format[i];
            continue;
        }
        Column& column = columns.back();
        if (i + 1 < format.size() && format[i + 1] == '.') column.right = true, ++i;
        while (i + 1 < format.size() && format[i + 1] >= '0' && format[i + 1] <= '9')
            column.width =
                std::min<std::size_t>(1000, 10 * column.width + static_cast<std::size_t>(format[++i] - '0'));
        if (i + 1 < format.size()) column.code = format[++i];
        columns.emplace_back();
    }
    return columns;
}

const char* header_of(char code) {
    switch (code) {
        case 'a':
            return "ACCOUNT";
        case 'A':
            return "JOBID";
        case 'C':
            return "CPUS";
        case 'D':
            return "NODES";
        case 'e':
            return "END_TIME";
        case 'E':
            return "DEPENDENCY";
        case 'F':
            return "ARRAY_JOB_ID";
        case 'i':
            return "JOBID";
        case 'j':
            return "NAME";
        case 'k':
            return "COMMENT";
        case 'K':
            return "ARRAY_TASK_ID";
        case 'l':
            return "TIME_LIMIT";
        case 'L':
            return "TIME_LEFT";
        case 'm':
            return "MIN_MEMORY";
        case 'M':
            return "TIME";
        case 'N':
            return "NODELIST";
        case 'P':
            return "PARTITION";
        case 'q':
            return "QOS";
        case 'Q':
            return "PRIORITY";
        case 'r':
            return "REASON";
        case 'R':
            return "NODELIST(REASON)";
        case 'S':
            return "START_TIME";
        case 't':
            return "ST";
        case 'T':
            return "STATE";
        case 'u':
            return "USER";
        case 'U':
            return "UID";
        case 'V':
            return "SUBMIT_TIME";
        case 'Z':
            return "WORK_DIR";
        default:
            return "?";
    }
}

/// A line of squeue: a record, or one element of a record of many.
struct Row {
    View view;
    int task = -1;
    std::string id;
};

class Printer {
public:
    Printer(Cluster& cluster, double now) : cluster_(cluster), now_(now), user_(user_name()) {}

    std::string field(const Row& row, char code) const {
        const Job& job = *row.view.job;
        const Spec& spec = *job.spec;
        const bool waits = row.view.state == "PENDING";
        switch (code) {
            case 'a':
                return spec.account.empty() ? "(null)" : spec.account;
            case 'A':
                return std::to_string(job.id);
            case 'b':
                return spec.gpus_per_node > 0 ? fmt::format("gres:gpu:{}", spec.gpus_per_node) : "N/A";
            case 'C':
                return std::to_string(job.core_count());
            case 'D':
                return std::to_string(job.node_count());
            case 'e':
                return moment(end_of(row), "N/A");
            case 'E':
                return spec.dependency_text.empty() || !waits ? "(null)" : spec.dependency_text;
            case 'F':
                return std::to_string(job.base_id());
            case 'i':
                return row.id;
            case 'j':
                return spec.name;
            case 'k':
                return spec.comment.empty() ? "(null)" : spec.comment;
            case 'K':
                return row.task >= 0 ? std::to_string(row.task) : job.is_array() ? tasks(job) : "N/A";
            case 'l':
                return job.limit_s < 0 ? "UNLIMITED" : short_duration(job.limit_s);
            case 'L':
                return job.limit_s < 0 ? "UNLIMITED" : short_duration(job.limit_s - elapsed(row));
            case 'm':
                return fmt::format("{}M",
                                   spec.memory_per_node > 0 ? spec.memory_per_node : spec.memory_per_core);
            case 'M':
                return short_duration(elapsed(row));
            case 'N':
                return waits ? "" : cluster_.node_list(job);
            case 'P':
                return spec.partition;
            case 'q':
                return spec.qos.empty() ? "normal" : spec.qos;
            case 'Q':
                return "1";
            case 'r':
                return reason(row);
            case 'R':
                return waits || !job.active() ? "(" + reason(row) + ")" : cluster_.node_list(job);
            case 'S':
                return moment(row.view.started, "N/A");
            case 't':
                return compact_state(shown_state(row));
            case 'T':
                return shown_state(row);
            case 'u':
                return user_;
            case 'U':
                return std::to_string(::getuid());
            case 'V':
                return moment(job.submitted, "N/A");
            case 'Z':
                return spec.directory;
            default:
                return "?";
        }
    }

    static std::string shown_state(const Row& row) {
        if (row.view.job->ending && row.view.state == row.view.job->state) return "COMPLETING";
        return row.view.state.substr(0, row.view.state.find(' '));
    }

private:
    static std::string tasks(const Job& job) {
        return job.tasks.text() + (job.spec->throttle > 0 ? fmt::format("%{}", job.spec->throttle) : "");
    }
    std::string reason(const Row& row) const {
        if (row.view.state != "PENDING") return row.view.job->pending() ? "None" : row.view.job->reason;
        // Those behind a job that finds no room are not looked at.
        return row.view.job->reason == "None" ? "Priority" : row.view.job->reason;
    }
    double elapsed(const Row& row) const {
        if (row.view.started <= 0) return 0.0;
        return cluster_.settings().slurm((row.view.ended > 0 ? row.view.ended : now_) - row.view.started);
    }
    double end_of(const Row& row) const {
        if (row.view.ended > 0 || row.view.started <= 0) return row.view.ended;
        const double limit = row.view.job->limit_s;
        return limit < 0 ? 0.0 : row.view.started + cluster_.settings().real(limit);
    }

    Cluster& cluster_;
    double now_;
    std::string user_;
};

bool listed(const std::string& list, const std::string& name) {
    const auto names = split(list, ',');
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Answer squeue(Cluster& cluster, const Request& request) {
    CommandLine line("squeue", kOptions, true);
    line.add(request.arguments);
    if (!line.error().empty()) return {.code = 1, .err = line.error()};
    if (line.has("version")) return {.out = std::string(kVersion) + "\n"};
    if (line.has("help")) return {.out = "Usage: squeue [OPTIONS]\n"};

    const double now = wall_clock();
    const double lag = cluster.faults().seconds("squeue_lag");
    std::set<std::string> states;
    for (const std::string& state : split(line.value("states"), ',')) states.insert(full_state(state));

    std::vector<int> ids;
    std::vector<JobRef> refs;
    if (line.has("jobs")) {
        std::string list = line.value("jobs");
        for (const std::string& operand : line.operands()) list += (list.empty() ? "" : ",") + operand;
        for (const std::string& text : split(list, ',')) {
            const auto ref = JobRef::parse(text);
            if (!ref) return failure("Invalid job id: " + text);
            refs.push_back(*ref);
        }
        for (const JobRef& ref : refs) {
            auto found = cluster.select(ref, false);
            std::erase_if(found,
                          [&](int id) { return !cluster.remembered(cluster.jobs().at(id), now - lag); });
            // Asked for one job SLURM looks it up; of several it filters the list of all.
            if (found.empty() && refs.size() == 1)
                return failure("slurm_load_jobs error: Invalid job id specified");
            ids.insert(ids.end(), found.begin(), found.end());
        }
        std::sort(ids.begin(), ids.end());
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    } else if (states.empty() && lag <= 0.0) {
        ids.assign(cluster.active().begin(), cluster.active().end());
    } else {
        for (const auto& [id, job] : cluster.jobs())
            if (cluster.remembered(job, now - lag)) ids.push_back(id);
    }

    const bool strangers = line.has("user") && !listed(line.value("user"), user_name()) &&
                           !listed(line.value("user"), std::to_string(::getuid()));
    const auto columns = columns_of(line.value("format", "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R"));
    const std::string limit = variable_of(request.environment, "SLURM_BITSTR_LEN");
    const auto list_limit = static_cast<std::size_t>(std::max(0L, to_int(limit).value_or(64)));
    const Printer printer(cluster, now - lag);
    Answer answer;
    if (!line.has("noheader")) {
        for (const Column& column : columns)
            answer.out +=
                column.text +
                (column.code == 0 ? "" : padded(header_of(column.code), column.width, column.right));
        answer.out += '\n';
    }
    const auto print = [&](const Row& row) {
        for (const Column& column : columns) {
            answer.out += column.text;
            if (column.code != 0)
                answer.out += padded(printer.field(row, column.code), column.width, column.right);
        }
        answer.out += '\n';
    };
    for (const int id : ids) {
        const Job& job = cluster.jobs().at(id);
        Row row{.view = view_of(job, now - lag, now, cluster.faults()), .task = job.task, .id = ""};
        if (!row.view.exists || strangers) continue;
        if (line.has("name") && !listed(line.value("name"), job.spec->name)) continue;
        if (line.has("partition") && !listed(line.value("partition"), job.spec->partition)) continue;
        const std::string state = Printer::shown_state(row);
        const bool over = row.view.ended > 0 && state != "COMPLETING";
        if (states.empty() ? over : !states.contains("ALL") && !states.contains(state)) continue;
        if (!job.is_array()) {
            row.id = job.shown_id();
            print(row);
            continue;
        }
        const bool some = refs.size() == 1 && refs[0].tasks;
        if (!line.has("array") && !some) {
            row.id = job.shown_id(list_limit);
            print(row);
            continue;
        }
        for (const int task : job.tasks.indices()) {
            if (some && !refs[0].tasks->contains(task)) continue;
            row.task = task;
            row.id = fmt::format("{}_{}", job.array_id, task);
            print(row);
        }
    }
    return answer;
}

}  // namespace coromd::fake_slurm
