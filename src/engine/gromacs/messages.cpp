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
// Where it only counts them, the errors and warnings stand above it: "WARNING 1 [file md.mdp, line
// 12]:" and below that indented text, with empty lines in it.
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
        if (text.empty()) continue;
        if (text.starts_with("WARNING ") || text.starts_with("ERROR "))
            inside = true;
        else if (!line.starts_with(' '))
            inside = false;
        if (inside) found += (found.empty() ? "" : "\n") + std::string(text);
    }
    return found;
}

}  // namespace

std::string error_text(std::string_view output) {
    constexpr std::array kEnds{std::string_view("\nFor more information and tips"),
                               std::string_view("\n-----")};
    const auto block = output.rfind("\nProgram: ");
    if (block == std::string_view::npos) return complaints(output);
    std::string_view text = output.substr(block + 1);
    for (const std::string_view end : kEnds)
        if (const auto at = text.find(end); at != std::string_view::npos) text = text.substr(0, at);
    // Behind the lines on program and source, which are followed by an empty one.
    const auto empty_line = text.find("\n\n");
    std::string message(trimmed(empty_line == std::string_view::npos ? text : text.substr(empty_line)));

    const bool too_many_warnings = message.find("Too many warnings") != std::string::npos;
    if (!too_many_warnings && message.find(" in input file(s)") == std::string::npos) return message;
    const std::string details = complaints(output.substr(0, block));
    if (details.empty()) return message;
    // The message on warnings also tells how to go on in spite of them.
    return too_many_warnings ? details + "\n" + message : details;
}

std::string instability(std::string_view output) {
    constexpr int kLines = 3;
    std::string found;
    for (int lines = 0; !output.empty() && lines < kLines;) {
        const std::string_view text = trimmed(next_line(output));
        const bool begins = text.find("LINCS WARNING") != std::string_view::npos ||
                            text.find("can not be settled") != std::string_view::npos;
        if (lines == 0 && !begins) continue;
        if (text.empty()) break;
        found += (lines++ == 0 ? "" : "\n") + std::string(text);
    }
    return found;
}

std::string version_in(std::string_view output) {
    constexpr std::string_view kName = "GROMACS version:";
    const auto at = output.find(kName);
    if (at == std::string_view::npos) return {};
    output.remove_prefix(at + kName.size());
    return std::string(trimmed(next_line(output)));
}

RunSummary summarise_log(std::string_view log) {
    // An appended log holds several runs; only the last one counts.
    if (const auto begun = log.rfind("\nStarted mdrun on rank 0"); begun != std::string_view::npos)
        log.remove_prefix(begun);
    RunSummary summary;
    summary.finished = log.find("\nFinished mdrun on rank 0") != std::string_view::npos;
    const auto received = log.rfind("Received the ");
    summary.told_to_stop = received != std::string_view::npos &&
                           log.substr(received, 64).find("signal") != std::string_view::npos;
    constexpr std::string_view kCheckpoint = "Writing checkpoint, step ";
    if (const auto at = log.rfind(kCheckpoint); at != std::string_view::npos) {
        const char* begin = log.data() + at + kCheckpoint.size();
        std::int64_t step = 0;
        if (std::from_chars(begin, log.data() + log.size(), step).ec == std::errc())
            summary.checkpoint_step = step;
    }
    return summary;
}

}  // namespace coromd::engine::gromacs
