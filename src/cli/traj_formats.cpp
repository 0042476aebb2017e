// SPDX-License-Identifier: LGPL-3.0-or-later
#include "traj_formats.hpp"

#include <algorithm>
#include <vector>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "coromd/trajectory/format.hpp"

namespace coromd::cli {

using nlohmann::json;
using trajectory::Format;

namespace {

using Row = std::vector<std::string>;

std::vector<Row> table() {
    std::vector<Row> rows{
        {"format", "files", "frames", "velocities", "forces", "numbers", "names of atoms", ""}};
    for (const Format& format : trajectory::builtin_formats().entries()) {
        std::string files;
        for (const std::string& extension : format.extensions)
            files += (files.empty() ? "" : " ") + extension;
        const std::string names =
            format.read_topology ? format.needs_topology ? "read, written" : "read" : "no";
        rows.push_back({format.name, files,
                        format.writes_frames  ? "read, written"
                        : format.reads_frames ? "read"
                                              : "no",
                        format.stores_velocities ? "yes" : "no", format.stores_forces ? "yes" : "no",
                        format.exact ? "exact" : "rounded", names, format.description});
    }
    return rows;
}

std::string line_of(const Row& row, const std::vector<std::size_t>& widths, bool markdown) {
    std::string line = markdown ? "|" : "";
    for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string padding(widths[i] - row[i].size(), ' ');
        line +=
            markdown ? " " + row[i] + padding + " |" : row[i] + (i + 1 < row.size() ? padding + "  " : "");
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

}  // namespace

std::string formats_text(bool markdown) {
    const std::vector<Row> rows = table();
    std::vector<std::size_t> widths(rows.front().size());
    for (const Row& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    std::string text = line_of(rows.front(), widths, markdown);
    if (markdown) {
        Row rule;
        for (const std::size_t width : widths) rule.emplace_back(width, '-');
        text += line_of(rule, widths, true);
    }
    for (std::size_t i = 1; i < rows.size(); ++i) text += line_of(rows[i], widths, markdown);
    return text;
}

std::string formats_json() {
    json all = json::array();
    for (const Format& format : trajectory::builtin_formats().entries())
        all.push_back({{"name", format.name},
                       {"extensions", format.extensions},
                       {"description", format.description},
                       {"reads_frames", format.reads_frames},
                       {"writes_frames", format.writes_frames},
                       {"stores_velocities", format.stores_velocities},
                       {"stores_forces", format.stores_forces},
                       {"exact", format.exact},
                       {"reads_topology", bool(format.read_topology)},
                       {"needs_topology", format.needs_topology}});
    return dumped(all);
}

}  // namespace coromd::cli
