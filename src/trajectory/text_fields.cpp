// SPDX-License-Identifier: LGPL-3.0-or-later
#include "text_fields.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "coromd/core/error.hpp"

namespace coromd::trajectory {

namespace {

constexpr std::int64_t kMaxStep = std::int64_t{1} << 60;

/// The first word after the last "key=" that is a word of its own.
template <typename Number>
std::optional<Number> value_in_title(std::string_view title, std::string_view key) {
    std::size_t found = title.rfind(key);
    while (found != std::string_view::npos && found > 0 && title[found - 1] != ' ' &&
           title[found - 1] != ',') {
        found = title.rfind(key, found - 1);
    }
    if (found == std::string_view::npos) return std::nullopt;
    const std::string_view rest = trimmed(title.substr(found + key.size()));
    return parse<Number>(rest.substr(0, rest.find_first_of(" \t,")));
}

}  // namespace

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
        const std::size_t length = std::min(text.find_first_of(" \t"), text.size());
        words.push_back(text.substr(0, length));
        text.remove_prefix(length);
    }
    return words;
}

std::optional<double> time_in_title(std::string_view title) {
    const std::optional<double> time_ps = value_in_title<double>(title, "t=");
    return time_ps && std::isfinite(*time_ps) ? time_ps : std::nullopt;
}

std::optional<std::int64_t> step_in_title(std::string_view title) {
    const std::optional<std::int64_t> step = value_in_title<std::int64_t>(title, "step=");
    if (!step) return std::nullopt;
    return std::clamp(*step, -kMaxStep, kMaxStep);
}

void append_text(std::vector<std::byte>& out, std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_number(std::vector<std::byte>& out, double number, int width, int decimals,
                   std::string_view format) {
    const std::string text = fmt::format("{:{}.{}f}", number, width, decimals);
    if (text.size() > static_cast<std::size_t>(width) || !std::isfinite(number)) {
        fail(ErrorKind::usage, "{} does not fit into the {} columns of a {} file", number, width, format);
    }
    append_text(out, text);
}

}  // namespace coromd::trajectory
