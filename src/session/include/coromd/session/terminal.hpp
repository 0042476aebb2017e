// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/core/log.hpp"
#include "coromd/core/recorder.hpp"
#include "coromd/session/screen_block.hpp"

namespace coromd::session {

enum class ProgressStyle {
    none,
    lines,    ///< a line for each end, and now and then one that counts: for log files and pipes
    in_place  ///< one line per walker, kept up to date: for a terminal
};

/// in_place where `stream` is a terminal that can move its cursor, else lines.
ProgressStyle progress_style_for(std::FILE* stream) noexcept;

/// Shows progress and notes to a person, and writes both to the log.
///
/// In place: each walker takes a line, above one that counts all of them; where the screen is too
/// low for that, those that run come first. A walker that has ended leaves its last line behind.
///
/// A stream that cannot be written to (closed, full) never disturbs the campaign.
class Terminal final : public Recorder {
public:
    Terminal(std::FILE* stream, ProgressStyle style, Logger log);
    ~Terminal() override;
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    void progress(const Progress& progress) override;
    void note(std::string_view subject, std::string_view text) override;
    /// Of no interest here.
    void product(const Product&) override {}

    /// A line of text for the person, between the others; in every style.
    void say(std::string_view text);
    /// Takes away the lines that are kept up to date: what is printed next starts on a line of its own.
    void finish();

private:
    struct Subject {
        Progress last;
        bool ended = false;
    };

    void draw();
    /// The lines of those that have not ended, as many as there is room for.
    std::vector<std::string> lines_of_the_living(std::size_t room) const;
    /// "2 running, 5 waiting, 1 reached alphaR"
    std::string counts() const;
    void write(std::string_view text) noexcept;

    std::FILE* stream_;
    ProgressStyle style_;
    Logger log_;
    std::map<std::string, Subject> subjects_;
    std::chrono::steady_clock::time_point drawn_;  ///< or, for lines, counted
    ScreenBlock block_;
};

}  // namespace coromd::session
