// SPDX-License-Identifier: LGPL-3.0-or-later
#include "faults.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/core/suggestion.hpp"
#include "text.hpp"

namespace coromd::fake_slurm {

namespace {

constexpr const char* kWhen = "WHEN";
constexpr const char* kSeconds = "SECONDS";
constexpr const char* kText = "TEXT";

constexpr std::array kKinds = {
    FaultKind{"accounting_down", kWhen, "sacct: Connection refused"},
    FaultKind{"bad_nodes", kText, "jobs on these nodes end with NODE_FAIL: n2,n[5-6]"},
    FaultKind{"controller_down", kWhen, "commands cannot contact the controller"},
    FaultKind{"controller_hung", kWhen, "commands time out; WHEN:SECONDS, 10 by default"},
    FaultKind{"force_after", kSeconds,
              "how long a job of force_state or requeue_next, or on a bad node, runs"},
    FaultKind{"force_state", kWhen, "WHEN:STATE, in which the next jobs end: 2:OUT_OF_MEMORY"},
    FaultKind{"forget", kText, "at once: jobs (12,13 or all) vanish, with their processes; 12:live without"},
    FaultKind{"lose_answer", kWhen, "sbatch submits but says that it timed out"},
    FaultKind{"no_accounting", kWhen, "sacct: accounting storage is disabled"},
    FaultKind{"refuse_submit", kWhen, "sbatch fails; WHEN:MESSAGE or WHEN:REASON"},
    FaultKind{"requeue_next", kWhen, "the next jobs that start are requeued after force_after"},
    FaultKind{"reuse_ids", kText, "at once: the next job gets this id"},
    FaultKind{"rubbish", kWhen, "commands print garbage; WHEN:TEXT for a garbage of your own"},
    FaultKind{"sacct_array_lag", kSeconds, "sacct shows a young array as one row with its bare id"},
    FaultKind{"sacct_lag", kSeconds, "sacct shows the past"},
    FaultKind{"seed", kText, "of the probabilities"},
    FaultKind{"slow", kSeconds, "each command takes so much longer"},
    FaultKind{"squeue_lag", kSeconds, "squeue shows the past"},
    FaultKind{"start_delay", kSeconds, "no job starts earlier after its submission"},
    FaultKind{"unknown_state", kText, "running jobs are shown in this state"},
};

struct When {
    bool always = false;
    long times = 0;
    double probability = 0.0;
    std::string value;
};

std::optional<When> parse_when(const std::string& text) {
    const auto colon = text.find(':');
    const std::string word = text.substr(0, colon);
    When when;
    if (colon != std::string::npos) when.value = text.substr(colon + 1);
    if (word == "always") {
        when.always = true;
    } else if (word.ends_with('%')) {
        const auto percent = parse_seconds(std::string_view(word).substr(0, word.size() - 1));
        if (!percent || *percent > 100.0) return std::nullopt;
        when.probability = *percent / 100.0;
    } else {
        const auto times = to_int(word);
        if (!times || *times < 0) return std::nullopt;
        when.times = *times;
    }
    return when;
}

void check(const std::string& key, const std::string& value) {
    const std::string name = key.substr(0, key.find('.'));
    const auto* kind =
        std::find_if(kKinds.begin(), kKinds.end(), [&](const FaultKind& one) { return name == one.name; });
    if (kind == kKinds.end()) {
        std::vector<std::string_view> names;
        for (const FaultKind& one : kKinds) names.emplace_back(one.name);
        const auto nearest = nearest_name(name, names);
        fail(ErrorKind::usage, "unknown fault '{}'{}", name,
             nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
    }
    if (value == "off") return;
    if (kind->form == kWhen && !parse_when(value))
        fail(ErrorKind::usage, "{} takes a number of times, a probability such as 30% or 'always', not '{}'",
             name, value);
    if (kind->form == kSeconds && !parse_seconds(value))
        fail(ErrorKind::usage, "{} takes a time such as 2s, not '{}'", name, value);
    if (name == "force_state" && parse_when(value)->value.empty())
        fail(ErrorKind::usage, "force_state needs a state: force_state={}:NODE_FAIL", value);
    if ((name == "seed" || name == "reuse_ids") && to_int(value).value_or(0) < 1)
        fail(ErrorKind::usage, "{} takes a positive number, not '{}'", name, value);
}

}  // namespace

std::span<const FaultKind> fault_kinds() {
    return kKinds;
}

void Faults::refresh() {
    struct stat now {};
    if (::stat(file_.c_str(), &now) != 0) {
        values_.clear();
        return;
    }
    if (now.st_ino == seen_.st_ino && now.st_mtim.tv_sec == seen_.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == seen_.st_mtim.tv_nsec && now.st_size == seen_.st_size)
        return;
    seen_ = now;
    const auto json = nlohmann::json::parse(read_text_file(file_), nullptr, false);
    values_.clear();
    if (!json.is_object()) return;
    for (const auto& [name, value] : json.items())
        values_[name] = value.is_string() ? value.get<std::string>() : value.dump();
}

void Faults::set(std::span<const std::string> assignments) {
    for (const std::string& one : assignments) {
        const auto equals = one.find('=');
        if (equals == std::string::npos)
            fail(ErrorKind::usage, "a fault is set with name=value, not with '{}'", one);
        check(one.substr(0, equals), one.substr(equals + 1));
    }
    for (const std::string& one : assignments) {
        const auto equals = one.find('=');
        const std::string name = one.substr(0, equals);
        const std::string value = one.substr(equals + 1);
        if (value == "off")
            values_.erase(name);
        else
            values_[name] = value;
        if (name == "seed") random_.seed(static_cast<std::uint64_t>(to_int(value).value_or(1)));
    }
    save();
}

void Faults::clear() {
    values_.clear();
    save();
}

std::string Faults::key_of(std::string_view name, std::string_view command) const {
    std::string key = fmt::format("{}.{}", name, command);
    return values_.contains(key) ? key : std::string(name);
}

std::optional<std::string> Faults::strikes(std::string_view name, std::string_view command) {
    const std::string key = key_of(name, command);
    const auto it = values_.find(key);
    if (it == values_.end()) return std::nullopt;
    const auto when = parse_when(it->second);
    if (!when) return std::nullopt;
    if (when->always) return when->value;
    if (when->probability > 0.0) {
        const bool hit = std::uniform_real_distribution<>()(random_) < when->probability;
        return hit ? std::optional(when->value) : std::nullopt;
    }
    if (when->times < 1) return std::nullopt;
    if (when->times == 1)
        values_.erase(it);
    else
        it->second = fmt::format("{}{}{}", when->times - 1, when->value.empty() ? "" : ":", when->value);
    save();
    return when->value;
}

double Faults::seconds(std::string_view name, std::string_view command) const {
    const auto it = values_.find(key_of(name, command));
    return it == values_.end() ? 0.0 : parse_seconds(it->second).value_or(0.0);
}

std::string Faults::text(std::string_view name, std::string_view command) const {
    const auto it = values_.find(key_of(name, command));
    return it == values_.end() ? "" : it->second;
}

std::string Faults::listing() const {
    std::string text;
    for (const auto& [name, value] : values_) text += fmt::format("{}={}\n", name, value);
    return text;
}

void Faults::save() {
    write_file_durably(file_, nlohmann::json(values_).dump(2) + "\n");
    ::stat(file_.c_str(), &seen_);
}

}  // namespace coromd::fake_slurm
