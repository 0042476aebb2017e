// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/session/screen_block.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <sys/ioctl.h>

#include <fmt/format.h>

namespace coromd::session {

namespace {

struct Screen {
    std::size_t rows = 24;
    std::size_t columns = 80;
};

Screen screen_of(std::FILE* stream) {
    winsize size{};
    if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
    return {size.ws_row, size.ws_col};
}

/// The first `columns` characters of UTF-8 text.
std::string cut(std::string_view text, std::size_t columns) {
    std::size_t end = 0;
    for (; end < text.size(); ++end) {
        const bool begins_character = (static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U;
        if (begins_character && columns-- == 0) break;
    }
    return std::string(text.substr(0, end));
}

}  // namespace

std::size_t ScreenBlock::room() const {
    return std::max<std::size_t>(screen_of(stream_).rows, 2) - 1;
}

std::string ScreenBlock::erasure() {
    const int lines = std::exchange(lines_, 0);
    // The cursor may not be in the first column: a terminal shows "^C" where it was typed.
    return lines > 0 ? fmt::format("\r\x1b[{}A\x1b[J", lines) : std::string();
}

std::string ScreenBlock::replacement(const std::vector<std::string>& lines) {
    const std::size_t columns = screen_of(stream_).columns;
    std::string text = erasure();
    for (const std::string& line : lines) text += cut(line, columns - 1) + "\n";
    lines_ = static_cast<int>(lines.size());
    return text;
}

}  // namespace coromd::session
