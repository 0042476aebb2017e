// SPDX-License-Identifier: LGPL-3.0-or-later
#include <map>

#include <fmt/format.h>

#include "sections.hpp"

namespace coromd::report {

namespace {

constexpr std::size_t kShort = 100;
constexpr std::size_t kMostNodes = 20;
constexpr std::size_t kContentBytes = 64 << 10;

template <typename Map>
std::string counted(const Map& counts, std::size_t most, std::string_view what) {
    std::string text;
    std::size_t shown = 0;
    for (const auto& [name, count] : counts) {
        if (shown++ == most) break;
        text += fmt::format("{}{} ({} {})", text.empty() ? "" : ", ", name, count_text(count), what);
    }
    if (counts.size() > most) text += fmt::format(" and {} more", counts.size() - most);
    return text;
}

std::string content_html(const std::string& content) {
    const bool is_short = content.size() <= kShort && content.find('\n') == std::string::npos;
    if (is_short) return fmt::format("<code>{}</code>", escape(content));
    return folded(fmt::format("{} bytes", count_text(static_cast<std::int64_t>(content.size()))),
                  preformatted(content, kContentBytes));
}

std::string inputs(const Material& material) {
    std::map<std::string, std::int64_t> engines;
    for (const MdDone& md : material.md)
        if (!md.engine.empty()) ++engines[md.engine];
    std::map<std::string, std::int64_t> nodes;
    for (const campaign::AttemptRow& attempt : material.attempts)
        if (attempt.result && !attempt.result->exit.node.empty()) ++nodes[attempt.result->exit.node];
    Table facts({"", ""});
    if (!engines.empty()) facts.row({"MD by", escape(counted(engines, kMostNodes, "parts"))});
    if (!nodes.empty()) facts.row({"On", escape(counted(nodes, kMostNodes, "attempts"))});
    std::string html = facts.empty() ? "" : "<div class=\"facts\">" + facts.html() + "</div>";

    Table table({"input", "recorded", "content"});
    for (const campaign::InputRow& input : material.inputs)
        table.row({escape(input.version == 1 ? input.name
                                             : fmt::format("{} (version {})", input.name, input.version)),
                   escape(date_text(input.recorded_ms)), content_html(input.content)});
    return html + (table.empty() ? "" : table.html());
}

}  // namespace

Section inputs_section() {
    return {"inputs", "What ran, and with what", inputs};
}

}  // namespace coromd::report
