// SPDX-License-Identifier: LGPL-3.0-or-later
//
// One pass over the text, a row per line. A hundred thousand rows must not be noticed, so no regular
// expressions and no streams. The order of fields is chosen so that those which cannot hold the
// separator come first. A line that is longer than kLongestLine is garbage.
#include "slurm/answers.hpp"

#include <algorithm>
#include <array>

#include "coromd/core/letters.hpp"
#include "slurm/text.hpp"

namespace coromd::queue::slurm {

namespace {

constexpr std::size_t kLongestLine = 1 << 20;
constexpr std::uint32_t kMostTasks = 4'000'001;

/// Calls `read` with every line that is not blank; counts those for which it returns no row.
template <typename Read>
JobRows read_rows(std::string_view text, Read read) {
    JobRows out;
    while (!text.empty()) {
        const std::string_view line = trimmed(cut(text, '\n'));
        if (line.empty()) continue;
        std::optional<JobRow> row;
        if (line.size() <= kLongestLine) row = read(line);
        if (row) {
            out.rows.push_back(std::move(*row));
        } else if (out.n_garbage++ == 0) {
            out.garbage = printable(line);
        }
    }
    return out;
}

/// The next field; empty where there is no further separator.
std::optional<std::string_view> field(std::string_view& rest) {
    const std::size_t end = rest.find('|');
    if (end == rest.npos) return {};
    const std::string_view out = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return out;
}

/// A word like those of the table, "CANCELLED by 1000" and "COMPLETED+" included.
bool looks_like_state(std::string_view text) {
    return !text.empty() && text[0] >= 'A' && text[0] <= 'Z' && text.size() <= 64;
}

std::string value_or_none(std::string_view text) {
    return text == "(null)" || text == "None assigned" ? std::string{} : std::string(text);
}

/// "3-9,11%2", "0-100:2", "1,2,..." (cut by squeue).
bool parse_tasks(std::string_view text, JobId& id) {
    const std::size_t percent = text.find('%');  // how many may run at once
    if (percent != text.npos && !whole_number<std::uint32_t>(text.substr(percent + 1))) return false;
    text = text.substr(0, percent);
    std::uint64_t total = 0;
    if (text.empty() || text.ends_with(',')) return false;
    while (!text.empty()) {
        std::string_view part = cut(text, ',');
        if (part.ends_with("...")) {
            // What stands before the dots may be half a number.
            id.truncated = true;
            return text.empty();
        }
        TaskRange range;
        const std::size_t colon = part.find(':');
        if (colon != part.npos) {
            const auto step = whole_number<std::uint32_t>(part.substr(colon + 1));
            if (!step || *step == 0) return false;
            range.step = *step;
            part = part.substr(0, colon);
        }
        const std::size_t dash = part.find('-');
        const auto first = whole_number<std::uint32_t>(part.substr(0, dash));
        const auto last = dash == part.npos ? first : whole_number<std::uint32_t>(part.substr(dash + 1));
        if (!first || !last || *first > *last || *last >= kMostTasks) return false;
        range.first = *first;
        range.last = *last;
        total += (range.last - range.first) / range.step + 1;
        if (total > kMostTasks) return false;
        id.tasks.push_back(range);
    }
    return true;
}

}  // namespace

std::optional<std::uint32_t> JobId::task() const noexcept {
    if (n_tasks() != 1 || truncated) return {};
    return tasks.front().first;
}

std::uint64_t JobId::n_tasks() const noexcept {
    std::uint64_t n = 0;
    for (const TaskRange& range : tasks) n += (range.last - range.first) / range.step + 1;
    return n;
}

bool JobId::has_task(std::uint32_t index) const noexcept {
    return std::ranges::any_of(tasks, [&](const TaskRange& range) {
        return index >= range.first && index <= range.last && (index - range.first) % range.step == 0;
    });
}

void JobId::for_each_task(const std::function<void(std::uint32_t)>& visit) const {
    for (const TaskRange& range : tasks) {
        const std::uint32_t n = (range.last - range.first) / range.step + 1;
        for (std::uint32_t i = 0; i < n; ++i) visit(range.first + i * range.step);
    }
}

std::optional<JobId> parse_job_id(std::string_view text) {
    JobId id;
    const std::size_t bracket = text.find(']');  // inside of which "..." may stand
    const std::size_t step = text.find('.', bracket == text.npos ? 0 : bracket);
    if (step != text.npos) {
        id.step = text.substr(step + 1);
        text = text.substr(0, step);
        if (id.step.empty() || id.step.size() > 64) return {};
    }
    const std::size_t underscore = text.find('_');
    const auto job = whole_number<std::uint32_t>(text.substr(0, underscore));
    if (!job || *job == 0) return {};
    id.job = *job;
    if (underscore == text.npos) return id;
    text.remove_prefix(underscore + 1);
    if (text.starts_with('[')) {
        if (!text.ends_with(']')) return {};
        text = text.substr(1, text.size() - 2);
    } else if (!whole_number<std::uint32_t>(text)) {
        return {};
    }
    if (!parse_tasks(text, id)) return {};
    return id;
}

std::optional<ExitStatus> parse_exit_status(std::string_view text) noexcept {
    const std::string_view code_text = cut(text, ':');
    const auto code = whole_number<int>(code_text);
    const auto signal = whole_number<int>(text);
    if (!code || !signal) return {};
    return ExitStatus{*code, *signal};
}

namespace {

/// A row with what the lists of squeue and sacct both say.
std::optional<JobRow> list_row(std::string_view id_text, std::string_view state, std::string_view nodes) {
    if (!looks_like_state(state)) return {};
    auto id = parse_job_id(id_text);
    if (!id) return {};
    JobRow row;
    row.id = std::move(*id);
    row.state = &find_state(state);
    row.state_text = state;
    row.nodes = value_or_none(nodes);
    return row;
}

}  // namespace

JobRows parse_squeue(std::string_view text) {
    return read_rows(text, [](std::string_view line) -> std::optional<JobRow> {
        const auto id_text = field(line);
        const auto state = field(line);
        const auto nodes = field(line);
        const auto name = field(line);
        if (!name) return {};
        auto row = list_row(*id_text, *state, *nodes);
        if (!row) return {};
        row->name = *name;
        row->reason = line == "None" ? std::string_view{} : line;
        return row;
    });
}

JobRows parse_sacct(std::string_view text) {
    return read_rows(text, [](std::string_view line) -> std::optional<JobRow> {
        const auto id_text = field(line);
        const auto state = field(line);
        const auto exit = field(line);
        const auto nodes = field(line);
        if (!nodes) return {};
        auto row = list_row(*id_text, *state, *nodes);
        if (!row) return {};
        row->exit = parse_exit_status(*exit);
        row->name = line.substr(0, line.find('|'));
        return row;
    });
}

std::optional<SubmittedJob> parse_sbatch(std::string_view text) {
    std::optional<SubmittedJob> out;
    while (!text.empty()) {
        std::string_view line = trimmed(cut(text, '\n'));
        const bool has_cluster = line.find(';') != line.npos;
        const auto job = whole_number<std::uint32_t>(cut(line, ';'));
        if (!job || *job == 0 || has_cluster == line.empty()) continue;
        if (line.size() > 255 || std::ranges::any_of(line, [](char c) { return is_blank(c) || c == ';'; }))
            continue;
        out = SubmittedJob{*job, std::string(line)};
    }
    return out;
}

bool ClusterConfig::has_accounting() const noexcept {
    return accounting_storage.find("slurmdbd") != std::string::npos ||
           accounting_storage.find("mysql") != std::string::npos;
}

ClusterConfig parse_config(std::string_view text) {
    ClusterConfig out;
    while (!text.empty()) {
        std::string_view rest = cut(text, '\n');
        if (rest.find('=') == rest.npos) continue;
        const std::string key = lower_case(trimmed(cut(rest, '=')));
        const std::string_view value = trimmed(rest);
        const auto number = whole_number<std::uint64_t>(value.substr(0, value.find(' '))).value_or(0);
        if (key == "slurm_version") out.version = value;
        if (key == "clustername") out.cluster_name = value_or_none(value);
        if (key == "accountingstoragetype") out.accounting_storage = value_or_none(value);
        if (key == "maxarraysize") out.max_array_size = number;
        if (key == "maxjobcount") out.max_job_count = number;
        if (key == "minjobage") out.min_job_age_s = number;
        if (key == "killwait") out.kill_wait_s = number;
    }
    return out;
}

JobLimits parse_assoc(std::string_view text) {
    JobLimits out;
    const auto lessen = [](std::optional<std::uint64_t>& limit, std::string_view value) {
        const auto number = whole_number<std::uint64_t>(trimmed(value));
        if (number) limit = std::min(limit.value_or(*number), *number);
    };
    while (!text.empty()) {
        std::string_view line = cut(text, '\n');
        if (std::ranges::count(line, '|') != 1) continue;
        lessen(out.max_jobs, cut(line, '|'));
        lessen(out.max_submit, line);
    }
    return out;
}

}  // namespace coromd::queue::slurm
