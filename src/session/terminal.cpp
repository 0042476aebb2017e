// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/session/terminal.hpp"

#include <algorithm>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace coromd::session {

using std::chrono::steady_clock;

namespace {

constexpr auto kRedraw = std::chrono::milliseconds(200);
constexpr auto kLineEvery = std::chrono::seconds(10);

struct Screen {
    int rows = 24;
    int columns = 80;
};

Screen screen_of(std::FILE* stream) {
    winsize size{};
    if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
    return {size.ws_row, size.ws_col};
}

bool is_end(const std::string& phase) { return phase.starts_with("reached ") || phase == "failed"; }

std::string line_of(const Progress& progress) {
    std::string line = fmt::format("{:<14} {:<20}", progress.subject, progress.phase);
    if (progress.part > 0) line += fmt::format(" part {:<3} {:>9.2f} ps", progress.part, progress.time_ps);
    if (progress.ns_per_day > 0) line += fmt::format(" {:>7.1f} ns/day", progress.ns_per_day);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return line;
}

}  // namespace

ProgressStyle progress_style_for(std::FILE* stream) noexcept {
    const char* term = std::getenv("TERM");
    const bool dumb = term == nullptr || std::string_view(term) == "dumb";
    return ::isatty(::fileno(stream)) != 0 && !dumb ? ProgressStyle::in_place : ProgressStyle::lines;
}

Terminal::Terminal(std::FILE* stream, ProgressStyle style, Logger log)
    : stream_(stream), style_(style), log_(std::move(log)) {}

Terminal::~Terminal() { finish(); }

void Terminal::progress(const Progress& progress) {
    Subject& subject = subjects_[progress.subject];
    const bool phase_changed = subject.last.phase != progress.phase || subject.last.part != progress.part;
    subject.last = progress;
    subject.ended = is_end(progress.phase);
    if (phase_changed) log_->info("{}", line_of(progress));
    if (style_ == ProgressStyle::lines) print_line(subject, phase_changed);
    if (style_ != ProgressStyle::in_place) return;
    if (subject.ended) {
        erase_block();
        fmt::print(stream_, "{}\n", line_of(progress));
        draw();
    } else if (steady_clock::now() - drawn_ >= kRedraw) {
        draw();
    }
}

void Terminal::note(std::string_view subject, std::string_view text) {
    log_->warn("{}: {}", subject, text);
    if (style_ != ProgressStyle::none) say(fmt::format("note: {}: {}", subject, text));
}

void Terminal::say(std::string_view text) {
    erase_block();
    fmt::print(stream_, "{}\n", text);
    std::fflush(stream_);
}

void Terminal::finish() {
    if (style_ == ProgressStyle::in_place) erase_block();
    std::fflush(stream_);
}

void Terminal::print_line(Subject& subject, bool phase_changed) {
    // Between and before parts nothing happens that a reader of a log would wait for.
    const bool brief = subject.last.phase == "between parts" || subject.last.phase == "waiting";
    const auto now = steady_clock::now();
    if (brief || (!phase_changed && now - subject.shown < kLineEvery)) return;
    subject.shown = now;
    fmt::print(stream_, "{}\n", line_of(subject.last));
    std::fflush(stream_);
}

void Terminal::draw() {
    erase_block();
    const Screen screen = screen_of(stream_);
    const auto room = static_cast<std::size_t>(std::max(1, screen.rows - 3));
    std::string block;
    std::size_t shown = 0;
    for (const auto& [name, subject] : subjects_) {
        if (subject.ended || shown == room) continue;
        ++shown;
        block += line_of(subject.last).substr(0, static_cast<std::size_t>(screen.columns - 1)) + "\n";
    }
    block += counts().substr(0, static_cast<std::size_t>(screen.columns - 1)) + "\n";
    block_lines_ = static_cast<int>(shown) + 1;
    drawn_ = steady_clock::now();
    std::fwrite(block.data(), 1, block.size(), stream_);
    std::fflush(stream_);
}

void Terminal::erase_block() {
    if (block_lines_ > 0) fmt::print(stream_, "\x1b[{}A\x1b[J", block_lines_);
    block_lines_ = 0;
}

std::string Terminal::counts() const {
    std::map<std::string, int> phases;
    for (const auto& [name, subject] : subjects_) ++phases[subject.last.phase];
    std::string text;
    for (const auto& [phase, count] : phases) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, phase);
    return text;
}

}  // namespace coromd::session
