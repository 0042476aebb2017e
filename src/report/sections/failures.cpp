// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "sections.hpp"

namespace coromd::report {

namespace {

using campaign::AttemptRow;

constexpr std::size_t kMostShown = 50;
constexpr std::size_t kTailBytes = 4 << 10;

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

std::string by_class(const std::vector<const AttemptRow*>& failed) {
    std::map<std::pair<std::string, std::string>, std::int64_t> counts;
    for (const AttemptRow* attempt : failed)
        ++counts[{std::string(to_string(attempt->result->failure)), first_line(attempt->result->reason)}];
    std::vector<std::pair<std::int64_t, std::pair<std::string, std::string>>> sorted;
    for (const auto& [what, count] : counts) sorted.emplace_back(count, what);
    std::ranges::stable_sort(sorted, std::ranges::greater(), [](const auto& one) { return one.first; });
    Table table({">attempts", "kind of failure", "reason"});
    for (const auto& [count, what] : sorted) {
        table.row({count_text(count), escape(what.first), escape(what.second)});
        if (&what == &sorted[std::min(sorted.size(), std::size_t{20}) - 1].second) break;
    }
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
    std::string html = by_class(failed);
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
