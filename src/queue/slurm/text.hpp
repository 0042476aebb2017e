// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace coromd::queue::slurm {

// What the parsers of this folder share, so that each of them is as strict as the others.

/// All of `text` as a number without sign: no blanks, nothing behind it, no overflow.
template <typename Number>
std::optional<Number> whole_number(std::string_view text) noexcept {
    Number number{};
    if (text.empty() || text[0] == '-') return {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return number;
}

inline bool is_blank(char c) noexcept {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/// Without blanks at both ends.
inline std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

/// What stands before the next `separator`, which goes with it; all of `rest` where there is none.
inline std::string_view cut(std::string_view& rest, char separator) noexcept {
    const std::size_t end = rest.find(separator);
    const std::string_view head = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
    return head;
}

/// For messages: control characters escaped, cut after 80 bytes.
inline std::string printable(std::string_view text) {
    constexpr std::size_t kLongest = 80;
    std::string out;
    for (const char c : text.substr(0, kLongest)) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
    }
    return text.size() > kLongest ? out + "..." : out;
}

}  // namespace coromd::queue::slurm
