// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace coromd::trajectory {

// What the text formats have in common: fields of a line, and the way GROMACS writes time and step
// into titles.

/// Without the blanks at both ends.
std::string_view trimmed(std::string_view text);

/// The number that `text` is, blanks at both ends aside; empty where it is anything else, or too large.
template <typename Number>
std::optional<Number> parse(std::string_view text) {
    text = trimmed(text);
    if (text.starts_with('+')) text.remove_prefix(1);
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return number;
}

/// What blanks separate.
std::vector<std::string_view> words_of(std::string_view text);

/// The finite time after the last "t=" in a title.
std::optional<double> time_in_title(std::string_view title);
/// The step after the last "step=" in a title; one that no simulation reaches is cut to a bound that can
/// be calculated with.
std::optional<std::int64_t> step_in_title(std::string_view title);

void append_text(std::vector<std::byte>& out, std::string_view text);
/// Throws Error(usage) that names the format where `number` is not finite or needs more than `width`
/// columns.
void append_number(std::vector<std::byte>& out, double number, int width, int decimals,
                   std::string_view format);

}  // namespace coromd::trajectory
