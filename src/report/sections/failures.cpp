// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "sections.hpp"

namespace coromd::report {

namespace {

using campaign::AttemptRow;

constexpr std::size_t kMostShown = 50;
constexpr std::size_t kMostGroups = 20;
constexpr std::size_t kTailBytes = 4 << 10;

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

/// A reason with all its numbers taken out: what failures have in common.
std::string without_numbers(const std::string& text) {
    std::string out;
    for (const char c : text) {
        const bool digit = c >= '0' && c <= '9';
        if (!digit)
            out += c;
        else if (!out.ends_with('#'))
            out += '#';
    }
    return out;
}

std::string by_reason(const std::vector<const AttemptRow*>& failed) {
    struct Group {
        std::int64_t count = 0;
        const AttemptRow* first = nullptr;
    };
    std::map<std::pair<queue::FailureClass, std::string>, Group> groups;
    for (const AttemptRow* attempt : failed) {
        Group& group =
            groups[{attempt->result->failure, without_numbers(first_line(attempt->result->reason))}];
        if (group.count++ == 0) group.first = attempt;
    }
    std::vector<Group> sorted;
    for (const auto& [what, group] : groups) sorted.push_back(group);
    std::ranges::stable_sort(sorted, std::ranges::greater(), &Group::count);
    sorted.resize(std::min(sorted.size(), kMostGroups));
    Table table({">attempts", "to blame", "reason of the first of them"});
    for (const Group& group : sorted)
        table.row({count_text(group.count), escape(to_string(group.first->result->failure)),
                   escape(first_line(group.first->result->reason))});
    return table.html();
}

std::string details_of(const AttemptRow& attempt) {
    const queue::JobResult& result = *attempt.result;
    const queue::JobExit& exit = result.exit;
    Table table({"", ""});
    const auto row = [&](std::string_view name, const std::string& text) {
        if (!text.empty()) table.row({escape(name), escape(text)});
    };
    row("Ended", exit.text());
    row("When", date_text(exit.ended_ms));
    row("Node", exit.node);
    row("Scheduler's job", exit.scheduler_job);
    row("Scheduler's word", exit.scheduler_state);
    row("Kind of failure", std::string(to_string(result.failure)));
    row("Remark", exit.remark);
    std::string html =
        preformatted(result.reason, kTailBytes) + "<div class=\"facts\">" + table.html() + "</div>";
    if (!exit.stderr_tail.empty())
        html +=
            paragraph("The last it wrote to standard error:") + preformatted(exit.stderr_tail, kTailBytes);
    else if (!exit.stdout_tail.empty())
        html +=
            paragraph("The last it wrote to standard output:") + preformatted(exit.stdout_tail, kTailBytes);
    return html;
}

std::string failures(const Material& material) {
    std::vector<const AttemptRow*> failed;
    for (const AttemptRow& attempt : material.attempts)
        if (attempt.result && attempt.result->state == queue::JobState::failed) failed.push_back(&attempt);
    if (failed.empty()) return {};
    std::string html = by_reason(failed);
    const std::size_t first = failed.size() > kMostShown ? failed.size() - kMostShown : 0;
    if (first > 0)
        html += paragraph(fmt::format("The last {} of {}:", kMostShown,
                                      count_text(static_cast<std::int64_t>(failed.size()))),
                          "left-out");
    for (std::size_t i = first; i < failed.size(); ++i)
        html += folded(fmt::format("{}, attempt {}: {}", failed[i]->key, failed[i]->number,
                                   first_line(failed[i]->result->reason)),
                       details_of(*failed[i]));
    return html;
}

}  // namespace

Section failures_section() {
    return {"failures", "Failures", failures};
}

}  // namespace coromd::report
