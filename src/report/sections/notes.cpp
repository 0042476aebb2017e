// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "sections.hpp"

namespace coromd::report {

namespace {

constexpr std::size_t kMostShown = 200;

/// What was said of many subjects is one row.
struct Said {
    std::int64_t first_ms = 0;
    std::string subject;
    std::int64_t times = 0;
};

std::string notes(const Material& material) {
    std::map<std::string, Said> texts;
    for (const campaign::NoteRow& note : material.notes) {
        Said& said = texts[note.text];
        if (said.times++ == 0) said = {note.at_ms, note.subject, 1};
    }
    std::vector<std::pair<std::string, Said>> rows(texts.begin(), texts.end());
    std::ranges::stable_sort(rows, {}, [](const auto& row) { return row.second.first_ms; });
    Table table({"first said", "of", ">times", "note"});
    for (std::size_t i = 0; i < rows.size() && i < kMostShown; ++i) {
        const auto& [text, said] = rows[i];
        table.row({escape(date_text(said.first_ms)),
                   escape(said.times == 1 ? said.subject : fmt::format("{} and others", said.subject)),
                   count_text(said.times), escape(text)});
    }
    if (table.empty()) return {};
    const std::string more =
        rows.size() > kMostShown
            ? paragraph(fmt::format("{} more are left out.", rows.size() - kMostShown), "left-out")
            : "";
    return table.html() + more;
}

}  // namespace

Section notes_section() {
    return {"notes", "Notes", notes};
}

}  // namespace coromd::report
