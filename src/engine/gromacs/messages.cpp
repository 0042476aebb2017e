// SPDX-License-Identifier: LGPL-3.0-or-later
//
// GROMACS ends with a block between lines of dashes on standard error (mdrun: in the log, too):
//
//   -------------------------------------------------------
//   Program:     gmx grompp, version 2022.5
//   Source file: src/gromacs/gmxpreprocess/topio.cpp (line 577)
//
//   Fatal error:
//   Syntax error - File topol.top, line 3
//   ...
//
//   For more information and tips for troubleshooting, please check the GROMACS
//   website at http://www.gromacs.org/Documentation/Errors
//   -------------------------------------------------------
//
// "Fatal error" may also read "Inconsistency in user input", "Error in user input", and so on.
// Warnings stand above it: "WARNING 1 [file md.mdp, line 12]:" and indented text.
#include "messages.hpp"

#include <array>
#include <charconv>

namespace coromd::engine::gromacs {

namespace {

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// Takes the first line off `text`.
std::string_view next_line(std::string_view& text) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    return line;
}

/// "WARNING 1 [file md.mdp, line 12]:" or "ERROR 1 [...]:" and the indented lines below it.
std::string complaints(std::string_view output) {
    std::string found;
    bool inside = false;
    while (!output.empty()) {
        const std::string_view line = next_line(output);
        const std::string_view text = trimmed(line);
        if (text.starts_with("WARNING ") || text.starts_with("ERROR ")) inside = true;
        else if (text.empty() || !line.starts_with(' ')) inside = false;
        if (inside) found += (found.empty() ? "" : "\n") + std::string(text);
    }
    return found;
}

}  // namespace

std::string error_text(std::string_view output) {
    constexpr std::array kEnds{std::string_view("\nFor more information and tips"), std::string_view("\n-----")};
    const auto block = output.rfind("\nProgram: ");
    if (block == std::string_view::npos) return complaints(output);
    std::string_view text = output.substr(block + 1);
    for (const std::string_view end : kEnds)
        if (const auto at = text.find(end); at != std::string_view::npos) text = text.substr(0, at);
    // Behind the lines on program and source, which are followed by an empty one.
    const auto empty_line = text.find("\n\n");
    std::string message(trimmed(empty_line == std::string_view::npos ? text : text.substr(empty_line)));

    const bool only_counts = message.find("Too many warnings") != std::string::npos ||
                             message.find("error(s) in input file") != std::string::npos ||
                             message.find("errors in input file") != std::string::npos ||
                             message.find("error in input file") != std::string::npos;
    if (only_counts)
        if (std::string details = complaints(output.substr(0, block)); !details.empty()) return details;
    return message;
}

RunSummary summarise_log(std::string_view log) {
    RunSummary summary;
    // An appended log holds several runs; only the last one counts.
    const auto finished = log.rfind("\nFinished mdrun on rank 0");
    const auto begun = log.rfind("\nStarted mdrun on rank 0");
    summary.finished = finished != std::string_view::npos && (begun == std::string_view::npos || begun < finished);
    const auto received = log.rfind("Received the ");
    summary.told_to_stop = received != std::string_view::npos &&
                           (begun == std::string_view::npos || begun < received) &&
                           log.substr(received, 64).find("signal") != std::string_view::npos;
    constexpr std::string_view kCheckpoint = "Writing checkpoint, step ";
    if (const auto at = log.rfind(kCheckpoint); at != std::string_view::npos) {
        const char* begin = log.data() + at + kCheckpoint.size();
        std::int64_t step = 0;
        if (std::from_chars(begin, log.data() + log.size(), step).ec == std::errc()) summary.checkpoint_step = step;
    }
    return summary;
}

}  // namespace coromd::engine::gromacs
