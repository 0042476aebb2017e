// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "coromd/core/log.hpp"
#include "coromd/core/recorder.hpp"

namespace coromd::session {

enum class ProgressStyle {
    none,
    lines,    ///< a line for each change: for log files and pipes
    in_place  ///< one line per walker, kept up to date: for a terminal
};

/// in_place where `stream` is a terminal, else lines.
ProgressStyle progress_style_for(std::FILE* stream) noexcept;

/// Shows progress and notes to a person, and writes both to the log.
///
/// In place: the walkers that run or wait take a line each, as many as fit the screen, above a line
/// that counts all of them. A walker that has ended leaves its last line behind.
class Terminal final : public Recorder {
public:
    Terminal(std::FILE* stream, ProgressStyle style, Logger log);
    ~Terminal() override;
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    void progress(const Progress& progress) override;
    void note(std::string_view subject, std::string_view text) override;

    /// Draws the last state and leaves the cursor below it.
    void finish();
    /// A line of text for the person, between the others.
    void say(std::string_view text);

private:
    struct Subject {
        Progress last;
        std::chrono::steady_clock::time_point shown{};
        bool ended = false;
    };

    void print_line(Subject& subject, bool phase_changed);
    void draw();
    void erase_block();
    std::string counts() const;

    std::FILE* stream_;
    ProgressStyle style_;
    Logger log_;
    std::map<std::string, Subject> subjects_;
    std::chrono::steady_clock::time_point drawn_{};
    int block_lines_ = 0;
};

}  // namespace coromd::session
