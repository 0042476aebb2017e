// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The table below is sbatch's own list: long name, short name, whether it takes a value, and for those
// that coromd sets itself the reason. getopt's abbreviations ("--part") are not accepted: what they
// mean depends on SLURM's version.
#include "slurm/options.hpp"

#include <algorithm>
#include <array>

#include "coromd/core/suggestion.hpp"
#include "slurm/duration.hpp"
#include "slurm/text.hpp"

namespace coromd::queue::slurm {

namespace {

using enum OptionValue;

struct Option {
    std::string_view name;
    char code = 0;
    OptionValue value = required;
    std::string_view reserved = {};  ///< why users may not set it
};

constexpr std::string_view kStreams = "standard input and output of a job are files in its own directory";
constexpr std::string_view kFinds = "coromd finds its jobs again by the names that it gives them";
constexpr std::string_view kArrays = "coromd forms job arrays itself";
constexpr std::string_view kDirectory = "each job runs in a directory of its own";
constexpr std::string_view kSignal = "coromd chooses how its jobs are told to stop";
constexpr std::string_view kWaits = "coromd watches its jobs itself";
constexpr std::string_view kReads = "coromd reads what sbatch says";
constexpr std::string_view kNothing = "with it nothing is submitted";
constexpr std::string_view kScript = "coromd writes the script; give the queue a template instead";
constexpr std::string_view kHold = "the campaign would wait for ever; hold jobs with 'scontrol hold'";
constexpr std::string_view kUser = "jobs run as the user of the campaign";
constexpr std::string_view kCluster = "coromd looks for its jobs on the default cluster";

constexpr std::array kOptions{
    Option{"account", 'A'},
    Option{"acctg-freq"},
    Option{"array", 'a', required, kArrays},
    Option{"batch"},
    Option{"bb"},
    Option{"bbf"},
    Option{"begin", 'b'},
    Option{"chdir", 'D', required, kDirectory},
    Option{"cluster-constraint"},
    Option{"clusters", 'M', required, kCluster},
    Option{"comment"},
    Option{"constraint", 'C'},
    Option{"container"},
    Option{"container-id"},
    Option{"contiguous", 0, none},
    Option{"core-spec", 'S'},
    Option{"cores-per-socket"},
    Option{"cpu-freq"},
    Option{"cpus-per-gpu"},
    Option{"cpus-per-task", 'c'},
    Option{"deadline"},
    Option{"delay-boot"},
    Option{"dependency", 'd', required},
    Option{"distribution", 'm'},
    Option{"error", 'e', required, kStreams},
    Option{"exclude", 'x'},
    Option{"exclusive", 0, optional},
    Option{"export"},
    Option{"export-file"},
    Option{"extra"},
    Option{"extra-node-info", 'B'},
    Option{"get-user-env", 0, optional},
    Option{"gid", 0, required, kUser},
    Option{"gpu-bind"},
    Option{"gpu-freq"},
    Option{"gpus", 'G'},
    Option{"gpus-per-node"},
    Option{"gpus-per-socket"},
    Option{"gpus-per-task"},
    Option{"gres"},
    Option{"gres-flags"},
    Option{"help", 'h', none, kNothing},
    Option{"hint"},
    Option{"hold", 'H', none, kHold},
    Option{"ignore-pbs", 0, none},
    Option{"input", 'i', required, kStreams},
    Option{"job-name", 'J', required, kFinds},
    Option{"kill-on-invalid-dep", 0, required},
    Option{"licenses", 'L'},
    Option{"mail-type"},
    Option{"mail-user"},
    Option{"mcs-label"},
    Option{"mem"},
    Option{"mem-bind"},
    Option{"mem-per-cpu"},
    Option{"mem-per-gpu"},
    Option{"mincpus"},
    Option{"network"},
    Option{"nice", 0, optional},
    Option{"no-kill", 'k', optional},
    Option{"no-requeue", 0, none},
    Option{"nodefile", 'F'},
    Option{"nodelist", 'w'},
    Option{"nodes", 'N'},
    Option{"ntasks", 'n'},
    Option{"ntasks-per-core"},
    Option{"ntasks-per-gpu"},
    Option{"ntasks-per-node"},
    Option{"ntasks-per-socket"},
    Option{"oom-kill-step", 0, optional},
    Option{"open-mode", 0, required, kStreams},
    Option{"output", 'o', required, kStreams},
    Option{"overcommit", 'O', none},
    Option{"oversubscribe", 's', none},
    Option{"parsable", 0, none, kReads},
    Option{"partition", 'p'},
    Option{"power"},
    Option{"prefer"},
    Option{"priority"},
    Option{"profile"},
    Option{"propagate", 0, optional},
    Option{"qos", 'q'},
    Option{"quiet", 'Q', none, kReads},
    Option{"reboot", 0, none},
    Option{"requeue", 0, none},
    Option{"reservation"},
    Option{"resv-ports", 0, optional},
    Option{"segment"},
    Option{"signal", 0, required, kSignal},
    Option{"sockets-per-node"},
    Option{"spread-job", 0, none},
    Option{"stepmgr", 0, none},
    Option{"switches"},
    Option{"test-only", 0, none, kNothing},
    Option{"thread-spec"},
    Option{"threads-per-core"},
    Option{"time", 't'},
    Option{"time-min"},
    Option{"tmp"},
    Option{"tres-bind"},
    Option{"tres-per-task"},
    Option{"uid", 0, required, kUser},
    Option{"usage", 0, none, kNothing},
    Option{"use-min-nodes", 0, none},
    Option{"verbose", 'v', none, kReads},
    Option{"version", 'V', none, kNothing},
    Option{"wait", 'W', none, kWaits},
    Option{"wait-all-nodes"},
    Option{"wckey"},
    Option{"wrap", 0, required, kScript},
};

// Old spellings that sbatch still takes.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kAliases{
    {{"tasks", "ntasks"},
     {"tasks-per-node", "ntasks-per-node"},
     {"cluster", "clusters"},
     {"share", "oversubscribe"},
     {"workdir", "chdir"}}};

constexpr std::array<std::string_view, 3> kMemory{"mem", "mem-per-cpu", "mem-per-gpu"};
constexpr std::array<std::string_view, 4> kGpus{"gpus", "gpus-per-node", "gpus-per-socket", "gpus-per-task"};
constexpr std::array<std::string_view, 2> kCores{"cpus-per-task", "cpus-per-gpu"};
constexpr std::array<std::string_view, 2> kSharing{"exclusive", "oversubscribe"};
constexpr std::array<std::string_view, 2> kTimes{"time", "time-min"};

/// `name` as in the table: without dashes in front, '_' as '-', aliases resolved.
std::string canonical(std::string_view name) {
    while (name.starts_with('-')) name.remove_prefix(1);
    std::string out(name);
    std::ranges::replace(out, '_', '-');
    for (const auto& [alias, meant] : kAliases)
        if (out == alias) return std::string(meant);
    return out;
}

const Option* find(std::string_view name) noexcept {
    for (const Option& option : kOptions) {
        if (option.name == name || (option.code && name.size() == 1 && name[0] == option.code))
            return &option;
    }
    return nullptr;
}

const Option& find_or_fail(std::string_view written) {
    const std::string name = canonical(written);
    if (const Option* option = find(name)) return *option;
    std::vector<std::string_view> known;
    std::string_view near;
    for (const Option& option : kOptions) {
        known.push_back(option.name);
        if (near.empty() && name.size() > 2 && option.name.starts_with(name)) near = option.name;
    }
    if (near.empty()) near = nearest_name(name, known);
    fail(ErrorKind::usage, "sbatch has no option '{}'{}", printable(written),
         near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

bool is_gpu(std::string_view item) {
    return item.starts_with("gpu") && (item.size() == 3 || item[3] == ':' || item[3] == '=');
}

/// The items of a gres list that are GPUs, or those that are not.
std::string gres_items(std::string_view list, bool gpus) {
    std::string out;
    while (!list.empty()) {
        const std::string_view item = cut(list, ',');
        if (is_gpu(item) == gpus) out.append(out.empty() ? "" : ",").append(item);
    }
    return out;
}

/// "a100" of "a100:2" (an option `gpus`) or of "gpu:a100:2" (`gres`); "" where there is none.
std::string gpu_type(std::string_view item) {
    if (is_gpu(item)) item.remove_prefix(std::min<std::size_t>(item.size(), 4));
    item = item.substr(0, item.find(','));
    const std::string_view type = item.substr(0, item.find_first_of(":="));
    return type.empty() || (type[0] >= '0' && type[0] <= '9') ? std::string{} : std::string(type);
}

}  // namespace

OptionValue option_value(std::string_view name) {
    const Option* option = find(canonical(name));
    return option ? option->value : unknown;
}

SbatchOptions::SbatchOptions(std::span<const std::pair<std::string, std::string>> options) {
    std::vector<std::string_view> seen;
    for (const auto& [name, value] : options) {
        const std::string_view known = find_or_fail(name).name;
        if (std::ranges::find(seen, known) != seen.end())
            fail(ErrorKind::usage, "sbatch's option '{}' is given twice", known);
        seen.push_back(known);
        set(name, value);
    }
}

void SbatchOptions::set(std::string_view name, std::string_view value) {
    const Option& option = find_or_fail(name);
    if (!option.reserved.empty())
        fail(ErrorKind::usage, "sbatch's option '{}' cannot be set: {}", option.name, option.reserved);
    for (const char c : value) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            fail(ErrorKind::usage, "the value of sbatch's option '{}' has a control character", option.name);
    }
    if (option.value != required && value == "false") {
        values_.erase(values_.lower_bound(option.name), values_.upper_bound(option.name));
        return;
    }
    if (option.value != required && value == "true") value = {};
    if (option.value == none && !value.empty())
        fail(ErrorKind::usage, "sbatch's option '{}' takes no value, and got '{}'", option.name,
             printable(value));
    if (option.value == required && value.empty())
        fail(ErrorKind::usage, "sbatch's option '{}' needs a value", option.name);
    if ((option.name == "time" || option.name == "time-min") && !parse_time(value))
        fail(ErrorKind::usage,
             "sbatch's option '{}' is '{}', which is no time of SLURM's: write minutes, HH:MM:SS or "
             "D-HH:MM:SS",
             option.name, printable(value));
    values_.insert_or_assign(std::string(option.name), std::string(value));
}

void SbatchOptions::overlay(const SbatchOptions& higher) {
    const auto among = [&](const auto& group) {
        return std::ranges::any_of(group,
                                   [&](std::string_view name) { return higher.value(name).has_value(); });
    };
    const auto drop = [&](const auto& group) {
        std::erase_if(values_, [&](const auto& entry) {
            return std::ranges::find(group, std::string_view(entry.first)) != std::ranges::end(group);
        });
    };
    if (among(kMemory)) drop(kMemory);
    if (among(kCores)) drop(kCores);
    if (among(kSharing)) drop(kSharing);
    if (higher.value("time")) drop(kTimes);

    std::map<std::string, std::string, std::less<>> over = higher.values_;
    const std::string higher_gres = higher.value("gres").value_or("");
    const std::string lower_gres = value("gres").value_or("");
    std::string gpus = gres_items(higher_gres, true);
    std::string lower_gpus = gres_items(lower_gres, true);
    if (among(kGpus) || !gpus.empty()) {
        std::string type = gpu_type(lower_gpus);
        for (const std::string_view name : kGpus)
            if (type.empty()) type = gpu_type(value(name).value_or(""));
        constexpr std::string_view kPlain = "gpu:";
        if (!type.empty() && gpus.starts_with(kPlain) && whole_number<int>(gpus.substr(kPlain.size())))
            gpus.insert(kPlain.size(), type + ":");
        drop(kGpus);
        lower_gpus.clear();
    }
    std::string other = gres_items(higher_gres, false);
    if (other.empty()) other = gres_items(lower_gres, false);
    if (gpus.empty()) gpus = lower_gpus;
    const std::string gres = other + (other.empty() || gpus.empty() ? "" : ",") + gpus;
    values_.erase("gres");
    over.erase("gres");
    if (!gres.empty()) over.emplace("gres", gres);

    for (auto& [name, value] : over) values_.insert_or_assign(name, std::move(value));
}

void SbatchOptions::exclude(const std::vector<std::string>& nodes) {
    if (nodes.empty()) return;
    std::string& list = values_["exclude"];
    for (const std::string& node : nodes) list.append(list.empty() ? "" : ",").append(node);
}

std::optional<std::string> SbatchOptions::value(std::string_view name) const {
    const auto at = values_.find(name);
    return at == values_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<std::string> SbatchOptions::to_arguments() const {
    std::vector<std::string> out;
    for (const auto& [name, value] : values_) out.push_back("--" + name + (value.empty() ? "" : "=" + value));
    return out;
}

SbatchOptions resource_options(const Resources& resources) {
    SbatchOptions out;
    const auto ask = [&](const char* name, bool asked, auto&& value) {
        if (asked) out.values_.emplace(name, value());
    };
    const Resources& r = resources;
    ask("cpus-per-task", r.cores > 1, [&] { return fmt::to_string(r.cores); });
    ask("ntasks", r.tasks > 1, [&] { return fmt::to_string(r.tasks); });
    ask("nodes", r.nodes > 0, [&] { return fmt::to_string(r.nodes); });
    // Those of `gres` are per node.
    ask("gres", r.gpus > 0 && r.nodes <= 1, [&] { return fmt::format("gpu:{}", r.gpus); });
    ask("gpus", r.gpus > 0 && r.nodes > 1, [&] { return fmt::to_string(r.gpus); });
    ask("mem", r.memory_mib > 0, [&] { return fmt::format("{}M", r.memory_mib); });
    ask("time", r.walltime.count() > 0, [&] { return time_limit(r.walltime); });
    return out;
}

}  // namespace coromd::queue::slurm
