// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "commands.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "sbatch_options.hpp"
#include "text.hpp"

namespace coromd::fake_slurm {

namespace {

/// Why sbatch says no; what() is all that it prints.
class Refusal : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

[[noreturn]] void refuse(const std::string& text) {
    throw Refusal("sbatch: error: " + text);
}
[[noreturn]] void refuse_submission(const std::string& text) {
    refuse("Batch job submission failed: " + text);
}

/// The words of an #SBATCH line; quotes group, # begins a comment.
std::vector<std::string> words_of(const std::string& line) {
    std::vector<std::string> words;
    std::string word;
    bool open = false;
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quote != 0) {
            if (c == quote)
                quote = 0;
            else
                word += c;
        } else if (c == '"' || c == '\'') {
            quote = c;
            open = true;
        } else if (c == '\\' && i + 1 < line.size()) {
            word += line[++i];
            open = true;
        } else if (c == '#' && !open) {
            break;
        } else if (c == ' ' || c == '\t') {
            if (open) words.push_back(std::exchange(word, {}));
            open = false;
        } else {
            word += c;
            open = true;
        }
    }
    if (open) words.push_back(word);
    return words;
}

/// The options in a script: in #SBATCH lines before the first command.
std::vector<std::string> options_in(const std::string& script) {
    std::vector<std::string> all;
    std::istringstream lines(script);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("#SBATCH")) {
            const auto words = words_of(line.substr(7));
            all.insert(all.end(), words.begin(), words.end());
        } else if (!line.empty() && line[0] != '#' && line.find_first_not_of(" \t") != line.npos) {
            break;
        }
    }
    return all;
}

int count_of(const CommandLine& line, const char* name, int fallback) {
    const auto text = line.maybe(name);
    if (!text) return fallback;
    const auto value = to_int(text->substr(0, text->find('-')));
    if (!value || *value < 0 || *value > 1'000'000)
        refuse(fmt::format("Invalid numeric value \"{}\" for --{}.", *text, name));
    return static_cast<int>(*value);
}

/// "2", "gpu:2", "a100:2", "gpu:a100:2" and lists of them.
int gpus_of(const std::string& text, bool gres) {
    int count = 0;
    for (const std::string& one : split(text, ',')) {
        if (gres && !one.starts_with("gpu")) continue;
        const auto number = to_int(std::string_view(one).substr(one.rfind(':') + 1));
        count += static_cast<int>(number.value_or(1));
    }
    return count;
}

long memory_of(const CommandLine& line, const char* name) {
    const auto text = line.maybe(name);
    if (!text) return 0;
    const auto value = parse_memory(*text);
    if (!value) refuse(fmt::format("Invalid --{} specification", name));
    return *value;
}

void read_dependencies(Spec& spec, const std::string& text) {
    spec.dependency_text = text;
    spec.any_dependency = text.find('?') != text.npos;
    for (const std::string& one : split(text, spec.any_dependency ? '?' : ',')) {
        const auto parts = split(one, ':');
        static constexpr std::array kTypes = {"after", "afterany", "afterok", "afternotok", "aftercorr"};
        if (one == "singleton") {
            spec.dependencies.push_back({.type = one, .id = 0, .tasks = ""});
            continue;
        }
        const bool known = std::find(kTypes.begin(), kTypes.end(), parts.at(0)) != kTypes.end();
        if (!known || parts.size() < 2) refuse_submission("Job dependency problem");
        for (std::size_t i = 1; i < parts.size(); ++i) {
            // "after:12+5" waits five minutes more; here it does not.
            const auto ref = JobRef::parse(parts[i].substr(0, parts[i].find('+')));
            if (!ref) refuse_submission("Job dependency problem");
            spec.dependencies.push_back(
                {.type = parts[0], .id = ref->id, .tasks = ref->tasks ? ref->tasks->text() : ""});
        }
    }
}

void read_signal(Spec& spec, std::string text) {
    const auto colon = text.find(':');
    if (colon != text.npos) spec.signal_script_only = text.substr(0, colon).find('B') != text.npos;
    text = text.substr(colon == text.npos ? 0 : colon + 1);
    const auto at = text.find('@');
    const auto signal = parse_signal(text.substr(0, at));
    const auto before = at == text.npos ? 60 : to_int(text.substr(at + 1));
    if (!signal || !before || *before < 0) refuse("Invalid --signal specification");
    spec.signal = *signal;
    spec.signal_before_s = static_cast<double>(*before);
}

/// What --export lets through.
std::vector<std::string> exported(const std::string& what, const Request& request, const Cluster& cluster) {
    std::vector<std::string> inherited = request.environment;
    // Those of the job that sbatch is called in are not those of the new one.
    std::erase_if(inherited, [](const std::string& one) { return one.starts_with("SLURM"); });
    if (what == "ALL") return inherited;
    std::vector<std::string> all;
    for (const std::string& name : split(what, ',')) {
        if (name == "ALL") {
            all.insert(all.begin(), inherited.begin(), inherited.end());
        } else if (name.find('=') != name.npos) {
            const std::string key = name.substr(0, name.find('=') + 1);
            std::erase_if(all, [&](const std::string& one) { return one.starts_with(key); });
            all.push_back(name);
        } else if (name != "NONE" && name != "NIL") {
            const std::string value = variable_of(request.environment, name);
            if (!value.empty()) all.push_back(name + "=" + value);
        }
    }
    // What a login shell would set.
    if (variable_of(all, "PATH").empty())
        all.push_back(fmt::format("PATH={}/bin:/usr/local/bin:/usr/bin:/bin", cluster.directory().string()));
    for (const char* name : {"HOME", "USER", "SHELL"})
        if (variable_of(all, name).empty())
            all.push_back(fmt::format("{}={}", name, variable_of(request.environment, name)));
    return all;
}

void read_array(Spec& spec, TaskSet& tasks, const std::string& text, const Settings& settings) {
    const auto percent = text.find('%');
    const auto set = TaskSet::parse(text.substr(0, percent));
    const auto throttle = percent == text.npos ? 0 : to_int(text.substr(percent + 1));
    if (!set || set->empty() || !throttle || *throttle < 0 || set->back() >= settings.max_array_size)
        refuse_submission("Invalid job array specification");
    tasks = *set;
    spec.array_text = tasks.text();
    spec.throttle = static_cast<int>(*throttle);
    spec.array_count = static_cast<int>(tasks.size());
    spec.array_min = tasks.front();
    spec.array_max = tasks.back();
}

Spec read_spec(const CommandLine& line, const Request& request, Cluster& cluster) {
    Spec spec;
    const Settings& settings = cluster.settings();
    spec.partition = line.value("partition", settings.partition);
    if (spec.partition != settings.partition) {
        refuse(
            fmt::format("invalid partition specified: {0}\nsbatch: error: Batch job submission failed: "
                        "Invalid partition name specified",
                        spec.partition));
    }
    spec.account = line.value("account");
    spec.qos = line.value("qos");
    spec.comment = line.value("comment");
    spec.submit_directory = request.directory;
    spec.directory = (std::filesystem::path(request.directory) / line.value("chdir", ".")).lexically_normal();
    if (spec.directory.size() > 1 && spec.directory.ends_with('/')) spec.directory.pop_back();
    spec.environment = cluster.share(exported(line.value("export", "ALL"), request, cluster));
    spec.output = line.value("output");
    spec.error = line.value("error");
    spec.input = line.value("input");
    spec.append = line.value("open-mode").starts_with('a');
    spec.umask = request.umask;
    const auto limit = line.maybe("time");
    if (limit) {
        const auto seconds = parse_limit(*limit);
        if (!seconds) refuse("Invalid --time specification");
        spec.limit_s = *seconds == 0.0 ? -1.0 : *seconds;
    }
    spec.nodes = count_of(line, "nodes", 0);
    spec.tasks = count_of(line, "ntasks", 0);
    spec.tasks_per_node = count_of(line, "ntasks-per-node", 0);
    spec.cores_per_task = count_of(line, "cpus-per-task", 0);
    spec.memory_per_node = memory_of(line, "mem");
    spec.memory_per_core = memory_of(line, "mem-per-cpu");
    if (line.has("gpus")) spec.gpus = gpus_of(line.value("gpus"), false);
    if (line.has("gres")) spec.gpus_per_node = gpus_of(line.value("gres"), true);
    if (line.has("gpus-per-node")) spec.gpus_per_node = gpus_of(line.value("gpus-per-node"), false);
    if (line.has("gpus-per-task")) spec.gpus_per_task = gpus_of(line.value("gpus-per-task"), false);
    spec.exclusive = line.has("exclusive");
    spec.node_list = expand_hosts(line.value("nodelist"));
    spec.exclude = expand_hosts(line.value("exclude"));
    for (const std::string& name : spec.node_list) {
        const auto& nodes = cluster.nodes();
        if (std::none_of(nodes.begin(), nodes.end(), [&](const Node& node) { return node.name == name; }))
            refuse_submission("Invalid node name specified");
    }
    if (line.has("dependency")) read_dependencies(spec, line.value("dependency"));
    spec.kill_on_invalid_dependency = line.value("kill-on-invalid-dep") == "yes";
    spec.requeue = line.has("requeue") || (settings.job_requeue != 0 && !line.has("no-requeue"));
    if (line.has("signal")) read_signal(spec, line.value("signal"));
    spec.submit_line = fmt::format("sbatch {}", fmt::join(request.arguments, " "));
    return spec;
}

std::string read_script(CommandLine& line, const Request& request) {
    if (line.has("wrap"))
        return "#!/bin/sh\n# This script was created by sbatch --wrap.\n\n" + line.value("wrap") + "\n";
    if (line.operands().empty()) return request.input;
    const auto file = std::filesystem::path(request.directory) / line.operands()[0];
    try {
        return read_text_file(file);
    } catch (const Error&) {
        refuse("Unable to open file " + line.operands()[0]);
    }
}

void check_script(const std::string& script) {
    if (script.empty()) refuse("Batch script is empty!");
    if (!script.starts_with("#!"))
        refuse(
            "This does not look like a batch script.  The first\nsbatch: error: line must start with #! "
            "followed "
            "by the path to an interpreter.\nsbatch: error: For instance: #!/bin/sh");
    if (script.find("\r\n") != script.npos)
        refuse(
            "Batch script contains DOS line breaks (\\r\\n)\nsbatch: error: instead of expected UNIX line "
            "breaks (\\n).");
}

/// Limits of the cluster and faults that refuse.
void check_limits(Cluster& cluster, std::size_t count) {
    const auto refused = cluster.faults().strikes("refuse_submit");
    const auto by_policy = [](const std::string& reason) {
        refuse(reason +
               "\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job "
               "submit limit, user's size and/or time limits)");
    };
    if (refused && (refused->starts_with("QOS") || refused->starts_with("Assoc")) &&
        refused->find(' ') == refused->npos)
        by_policy(*refused);
    if (refused && refused->starts_with("Slurm temporarily")) refuse(*refused);
    if (refused) refuse_submission(refused->empty() ? "Access/permission denied" : *refused);
    const Settings& settings = cluster.settings();
    if (settings.max_submit > 0 &&
        cluster.active_count() + count > static_cast<std::size_t>(settings.max_submit))
        by_policy("AssocMaxSubmitJobLimit");
}

void write_script(const std::string& file, const std::string& script) {
    // Nobody may have it open for writing when it is executed.
    write_fully(open_file(file, O_WRONLY | O_CREAT | O_TRUNC, 0700), script, file);
}

Answer submit(Cluster& cluster, const Request& request) {
    CommandLine line("sbatch", sbatch_options(), false);
    line.add(request.arguments);
    if (!line.error().empty()) return {.code = 1, .err = line.error()};
    if (line.has("version")) return {.out = std::string(kVersion) + "\n"};
    if (line.has("help") || line.has("usage"))
        return {.out = "Usage: sbatch [OPTIONS(0)...] [ : [OPTIONS(N)...]] script(0) [args(0)...]\n"};
    if (line.has("wait")) refuse("--wait is not emulated");
    const std::string script = read_script(line, request);
    check_script(script);
    const std::vector<std::string> operands = line.operands();
    line.add(options_in(script), true);
    if (!line.error().empty()) return {.code = 1, .err = line.error()};

    auto spec = std::make_shared<Spec>(read_spec(line, request, cluster));
    Job job;
    if (line.has("array")) read_array(*spec, job.tasks, line.value("array"), cluster.settings());
    const std::size_t count = std::max<std::size_t>(1, job.tasks.size());
    check_limits(cluster, count);
    if (cluster.active_count() + count > static_cast<std::size_t>(cluster.settings().max_job_count)) {
        return {.code = 1,
                .err = "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying\n",
                .retry = true};
    }
    if (line.has("test-only")) return {.err = "sbatch: Job would start at once\n"};

    const bool wrapped = line.has("wrap");
    const std::string fallback = wrapped            ? "wrap"
                                 : operands.empty() ? "sbatch"
                                                    : std::filesystem::path(operands[0]).filename().string();
    spec->name = line.value("job-name", fallback);
    if (!wrapped && operands.size() > 1) spec->arguments.assign(operands.begin() + 1, operands.end());
    job.id = cluster.next_id();
    job.held = line.has("hold") || line.value("priority") == "0";
    if (line.has("array")) job.array_id = job.id;
    spec->script_file = cluster.directory() / "state" / "scripts" / std::to_string(job.id);
    write_script(spec->script_file, script);
    job.spec = std::move(spec);
    const int id = job.id;
    cluster.submit(std::move(job));
    if (cluster.faults().strikes("lose_answer")) refuse_submission("Socket timed out on send/recv operation");
    return {.out =
                line.has("parsable") ? fmt::format("{}\n", id) : fmt::format("Submitted batch job {}\n", id)};
}

}  // namespace

bool script_from_stdin(const std::vector<std::string>& arguments) {
    CommandLine line("sbatch", sbatch_options(), false);
    line.add(arguments);
    const bool other = line.has("wrap") || line.has("version") || line.has("help") || line.has("usage");
    return line.error().empty() && line.operands().empty() && !other;
}

Answer sbatch(Cluster& cluster, const Request& request) {
    try {
        return submit(cluster, request);
    } catch (const Refusal& refusal) {
        return failure(refusal.what());
    }
}

}  // namespace coromd::fake_slurm
