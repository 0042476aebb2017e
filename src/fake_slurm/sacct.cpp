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
    Option{"accounts", 'A', Option::required},
    Option{"allclusters", 'L'},
    Option{"allocations", 'X'},
    Option{"allusers", 'a'},
    Option{"array"},
    Option{"brief", 'b'},
    Option{"clusters", 'M', Option::required},
    Option{"delimiter", 0, Option::required},
    Option{"duplicates", 'D'},
    Option{"endtime", 'E', Option::required},
    Option{"format", 'o', Option::required},
    Option{"help", 'h'},
    Option{"jobs", 'j', Option::required},
    Option{"local-only"},
    Option{"name", 0, Option::required},
    Option{"noconvert"},
    Option{"noheader", 'n'},
    Option{"parsable", 'p'},
    Option{"parsable2", 'P'},
    Option{"partition", 'r', Option::required},
    Option{"starttime", 'S', Option::required},
    Option{"state", 's', Option::required},
    Option{"truncate", 'T'},
    Option{"uid", 'u', Option::required},
    Option{"user", 0, Option::required},
    Option{"verbose", 'v'},
    Option{"version", 'V'},
};

constexpr std::array kFields = {
    "Account",    "AllocCPUS", "AllocNodes", "Cluster",    "Comment",   "DerivedExitCode", "Elapsed",
    "ElapsedRaw", "Eligible",  "End",        "ExitCode",   "Group",     "JobID",           "JobIDRaw",
    "JobName",    "MaxRSS",    "NCPUS",      "NNodes",     "NodeList",  "NTasks",          "Partition",
    "Priority",   "QOS",       "Reason",     "ReqCPUS",    "ReqMem",    "ReqNodes",        "Restarts",
    "Start",      "State",     "Submit",     "SubmitLine", "Timelimit", "TimelimitRaw",    "UID",
    "User",       "WorkDir",
};

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

/// A column: the field's full name and how wide it is.
struct Column {
    std::string name;
    std::size_t width = 10;
    bool right = true;
};

/// sacct subtracts 128 from what a shell makes of a signal: 139 becomes 11:0.
std::string exit_code(const Job& job, bool ended) {
    if (!ended) return "0:0";
    const int code = job.exit_code >= 128 ? job.exit_code - 128 : job.exit_code;
    return fmt::format("{}:{}", code, job.exit_signal);
}

struct Row {
    View view;
    std::string id;
    bool batch = false;  ///< the step of the script
};

class Printer {
public:
    Printer(Cluster& cluster, double now) : cluster_(cluster), now_(now), user_(user_name()) {}

    std::string field(const Row& row, const std::string& name) const {
        const Job& job = *row.view.job;
        const Spec& spec = *job.spec;
        const Settings& settings = cluster_.settings();
        const bool started = row.view.started > 0;
        const bool ended = row.view.ended > 0;
        const double until = ended ? row.view.ended : now_;
        const double elapsed = started ? settings.slurm(until - row.view.started) : 0.0;
        if (name == "JobID") return row.id + (row.batch ? ".batch" : "");
        if (name == "JobIDRaw") return fmt::format("{}{}", job.id, row.batch ? ".batch" : "");
        if (name == "JobName") return row.batch ? "batch" : spec.name;
        if (name == "State")
            return row.view.state == "FAILED" || !row.batch ? row.view.state : batch_state(row);
        if (name == "ExitCode" || name == "DerivedExitCode") return exit_code(job, ended);
        if (name == "NodeList")
            return started && !job.shares.empty() ? cluster_.node_list(job) : "None assigned";
        if (name == "Start") return moment(row.view.started, "Unknown");
        if (name == "End") return moment(row.view.ended, "Unknown");
        if (name == "Submit") return moment(job.submitted, "Unknown");
        if (name == "Eligible") return moment(job.eligible, "Unknown");
        if (name == "Elapsed") return long_duration(elapsed);
        if (name == "ElapsedRaw") return std::to_string(static_cast<long>(elapsed));
        if (name == "Restarts") return std::to_string(job.restarts);
        if (name == "AllocCPUS" || name == "NCPUS")
            return std::to_string(job.shares.empty() ? 0 : job.core_count());
        if (name == "ReqCPUS") return std::to_string(job.core_count());
        if (name == "AllocNodes") return std::to_string(job.shares.empty() ? 0 : job.node_count());
        if (name == "NNodes" || name == "ReqNodes") return std::to_string(job.node_count());
        if (name == "ReqMem") return fmt::format("{}M", std::max(spec.memory_per_node, spec.memory_per_core));
        if (name == "NTasks") return row.batch ? "1" : "";
        if (name == "Timelimit" && !row.batch)
            return job.limit_s < 0 ? "UNLIMITED" : long_duration(job.limit_s);
        if (name == "TimelimitRaw" && !row.batch)
            return job.limit_s < 0 ? "UNLIMITED" : std::to_string(static_cast<long>(job.limit_s / 60));
        if (name == "Account") return spec.account;
        if (name == "Cluster") return "fake";
        if (row.batch) return "";
        if (name == "Comment") return spec.comment;
        if (name == "Partition") return spec.partition;
        if (name == "Priority") return "1";
        if (name == "QOS") return spec.qos.empty() ? "normal" : spec.qos;
        if (name == "Reason") return job.reason;
        if (name == "SubmitLine") return spec.submit_line;
        if (name == "UID") return std::to_string(::getuid());
        if (name == "User") return user_;
        if (name == "WorkDir") return spec.directory;
        return "";
    }

private:
    static std::string batch_state(const Row& row) {
        return row.view.state.starts_with("TIMEOUT") ? "CANCELLED"
                                                     : row.view.state.substr(0, row.view.state.find(' '));
    }
    Cluster& cluster_;
    double now_;
    std::string user_;
};

/// Rows of all records in the order of their ids, earlier runs of requeued jobs before the last.
std::vector<const Job*> records_of(Cluster& cluster, const std::vector<JobRef>& refs, bool duplicates) {
    std::vector<const Job*> records;
    if (refs.empty())
        for (const auto& [id, job] : cluster.jobs()) records.push_back(&job);
    std::set<int> ids;
    for (const JobRef& ref : refs)
        for (const int id : cluster.select(ref, false)) ids.insert(id);
    for (const int id : ids) records.push_back(&cluster.jobs().at(id));
    if (!duplicates || cluster.history().empty()) return records;
    std::vector<const Job*> all;
    for (const Job* record : records) {
        for (const Job& earlier : cluster.history())
            if (earlier.id == record->id) all.push_back(&earlier);
        all.push_back(record);
    }
    return all;
}

std::string columns_of(const std::string& format, std::vector<Column>& columns) {
    for (const std::string& word : split(format, ',')) {
        const auto percent = word.find('%');
        const std::string name = word.substr(0, percent);
        const auto* known = std::find_if(kFields.begin(), kFields.end(),
                                         [&](const char* one) { return lower(one) == lower(name); });
        if (known == kFields.end())
            return fmt::format("sacct: fatal: Invalid field requested: \"{}\"\n", name);
        Column column{.name = *known};
        if (column.name == "JobID" || column.name == "JobIDRaw") column = {*known, 12, false};
        if (column.name == "NodeList") column.width = 15;
        if (column.name == "Start" || column.name == "End" || column.name == "Submit") column.width = 19;
        if (percent != word.npos) {
            const auto width = to_int(word.substr(percent + 1)).value_or(10);
            column.right = width > 0;
            column.width = static_cast<std::size_t>(std::min(1000L, std::labs(width)));
        }
        columns.push_back(column);
    }
    return "";
}

bool listed(const std::string& list, const std::string& name) {
    const auto names = split(list, ',');
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Answer sacct(Cluster& cluster, const Request& request) {
    CommandLine line("sacct", kOptions, true);
    line.add(request.arguments);
    if (!line.error().empty()) return {.code = 1, .err = line.error()};
    if (line.has("version")) return {.out = std::string(kVersion) + "\n"};
    if (line.has("help")) return {.out = "sacct [<OPTION>]\n"};

    const double real_now = wall_clock();
    const double now = real_now - cluster.faults().seconds("sacct_lag");
    const double array_lag = cluster.faults().seconds("sacct_array_lag");
    std::vector<Column> columns;
    const char* fallback = line.has("brief") ? "JobID,State,ExitCode"
                                             : "JobID,JobName,Partition,Account,AllocCPUS,State,ExitCode";
    const std::string wrong = columns_of(line.value("format", fallback), columns);
    if (!wrong.empty()) return {.code = 1, .err = wrong};
    std::vector<JobRef> refs;
    for (const std::string& text : split(line.value("jobs"), ',')) {
        const auto ref = JobRef::parse(text.substr(0, text.find('.')));
        if (!ref) return failure("sacct: fatal: Bad job/step specified: " + text);
        refs.push_back(*ref);
    }
    std::set<std::string> states;
    for (const std::string& state : split(line.value("state"), ',')) states.insert(full_state(state));
    const auto from = line.has("starttime") || refs.empty()
                          ? parse_moment(line.value("starttime", "today"), real_now)
                          : 0.0;
    const auto until = parse_moment(line.value("endtime", "now"), real_now);
    if (!from || !until) return failure("sacct: fatal: Invalid time specification");

    const bool parsable = line.has("parsable") || line.has("parsable2");
    const std::string delimiter = line.value("delimiter", "|");
    Answer answer;
    const auto print = [&](auto&& text_of) {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::string text = text_of(columns[i]);
            if (parsable)
                answer.out += text + (i + 1 < columns.size() || line.has("parsable") ? delimiter : "");
            else
                answer.out += padded(text, columns[i].width, columns[i].right) + " ";
        }
        answer.out += '\n';
    };
    if (!line.has("noheader")) {
        print([](const Column& column) { return column.name; });
        if (!parsable) print([](const Column& column) { return std::string(column.width, '-'); });
    }
    const Printer printer(cluster, now);
    std::set<int> whole_arrays;
    for (const Job* job : records_of(cluster, refs, line.has("duplicates"))) {
        Row row{.view = view_of(*job, now, real_now, cluster.faults()), .id = job->shown_id()};
        if (!row.view.exists || (row.view.ended > 0 && row.view.ended < *from)) continue;
        if (job->submitted > *until) continue;
        if (line.has("name") && !listed(line.value("name"), job->spec->name)) continue;
        const std::string word = row.view.state.substr(0, row.view.state.find(' '));
        if (!states.empty() && !states.contains(word)) continue;
        if (array_lag > 0.0 && job->array_id != 0 && now - job->submitted < array_lag) {
            // The database has one record of it yet, whatever its elements do.
            if (!whole_arrays.insert(job->array_id).second) continue;
            row.id = std::to_string(job->array_id);
        }
        print([&](const Column& column) { return printer.field(row, column.name); });
        if (line.has("allocations") || row.view.started <= 0 || job->shares.empty()) continue;
        row.batch = true;
        print([&](const Column& column) { return printer.field(row, column.name); });
    }
    return answer;
}

}  // namespace coromd::fake_slurm
