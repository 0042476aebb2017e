// SPDX-License-Identifier: LGPL-3.0-or-later
//
// In place, the screen ends with a block of lines:
//
//   walkers/001    reached alphaR       part 3       12.40 ps       stays, and scrolls away
//   walkers/000    running              part 4       16.32 ps   512.3 ns/day   | the block
//   walkers/002    waiting              part 2        8.04 ps                  |
//   1 reached alphaR, 1 running, 1 waiting                                     |
//   _                                                               the cursor
//
// To redraw it the cursor goes up as many lines as the block has and everything below is cleared:
// ScreenBlock.
#include "coromd/session/terminal.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "coromd/campaign/status.hpp"

namespace coromd::session {

using std::chrono::steady_clock;

namespace {

constexpr auto kRedraw = std::chrono::milliseconds(200);
constexpr auto kCountEvery = std::chrono::seconds(10);

std::string line_of(const Progress& progress) {
    std::string line = fmt::format("{:<14} {:<20}", progress.subject, progress.phase);
    if (progress.part > 0) line += fmt::format(" part {:<3} {:>9.2f} ps", progress.part, progress.time_ps);
    if (progress.ns_per_day > 0) line += fmt::format(" {:>7.1f} ns/day", progress.ns_per_day);
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

}  // namespace

ProgressStyle progress_style_for(std::FILE* stream) noexcept {
    const char* term = std::getenv("TERM");
    const bool dumb = term == nullptr || std::string_view(term) == "dumb";
    return ::isatty(::fileno(stream)) != 0 && !dumb ? ProgressStyle::in_place : ProgressStyle::lines;
}

Terminal::Terminal(std::FILE* stream, ProgressStyle style, Logger log)
    : stream_(stream), style_(style), log_(std::move(log)), drawn_(steady_clock::now()), block_(stream) {}

Terminal::~Terminal() {
    finish();
}

void Terminal::progress(const Progress& progress) {
    Subject& subject = subjects_[progress.subject];
    const bool changed = subject.last.phase != progress.phase || subject.last.part != progress.part;
    subject.last = progress;
    subject.ended = campaign::is_final(progress.phase);
    if (changed) log_->info("{}", line_of(progress));
    if (style_ == ProgressStyle::none) return;

    if (changed && subject.ended) {
        say(line_of(progress));
        if (style_ == ProgressStyle::in_place) draw();
    } else if (style_ == ProgressStyle::in_place && steady_clock::now() - drawn_ >= kRedraw) {
        draw();
    } else if (style_ == ProgressStyle::lines && steady_clock::now() - drawn_ >= kCountEvery) {
        drawn_ = steady_clock::now();
        say(counts());
    }
}

void Terminal::note(std::string_view subject, std::string_view text) {
    log_->warn("{}: {}", subject, text);
    if (style_ != ProgressStyle::none) say(fmt::format("note: {}: {}", subject, text));
}

void Terminal::say(std::string_view text) {
    write(fmt::format("{}{}\n", block_.erasure(), text));
}

void Terminal::finish() {
    write(block_.erasure());
}

void Terminal::draw() {
    std::vector<std::string> lines = lines_of_the_living(std::max<std::size_t>(block_.room(), 3) - 2);
    lines.push_back(counts());
    drawn_ = steady_clock::now();
    write(block_.replacement(lines));
}

std::vector<std::string> Terminal::lines_of_the_living(std::size_t room) const {
    std::vector<const Progress*> living;
    for (const auto& [name, subject] : subjects_)
        if (!subject.ended) living.push_back(&subject.last);
    if (living.size() > room) {
        std::ranges::stable_partition(living,
                                      [](const Progress* progress) { return progress->phase == "running"; });
        living.resize(room);
    }
    std::vector<std::string> lines;
    for (const Progress* progress : living) lines.push_back(line_of(*progress));
    return lines;
}

std::string Terminal::counts() const {
    std::map<std::string, int> phases;
    for (const auto& [name, subject] : subjects_) ++phases[subject.last.phase];
    std::string text;
    for (const auto& [phase, count] : phases)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, phase);
    return text;
}

void Terminal::write(std::string_view text) noexcept {
    if (text.empty()) return;
    std::fwrite(text.data(), 1, text.size(), stream_);
    std::fflush(stream_);
    std::clearerr(stream_);
}

}  // namespace coromd::session
