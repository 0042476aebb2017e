// SPDX-License-Identifier: LGPL-3.0-or-later
// What several sections draw alike.
#include <algorithm>
#include <limits>
#include <numbers>
#include <string_view>

#include <fmt/format.h>

#include "sections.hpp"

namespace coromd::report {

Axis variable_axis(const Variable& variable, double low, double high) {
    const std::string title =
        variable.units.empty() ? variable.name : fmt::format("{} ({})", variable.name, variable.units);
    if (variable.periodic) return {title, -std::numbers::pi, std::numbers::pi, Scale::pi};
    if (variable.units == "rad") return {title, low, high, Scale::pi};
    return {title, low, high, Scale::linear, true};
}

std::pair<double, double> range_of(const VariableValues& values, std::size_t variable) {
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (const TrajectoryValues& trajectory : values.trajectories)
        for (const double value : trajectory.columns[variable]) {
            low = std::min(low, value);
            high = std::max(high, value);
        }
    return low <= high ? std::pair(low, high) : std::pair(0.0, 0.0);
}

std::string left_out_html(const VariableValues& values) {
    std::string html;
    for (const std::string& text : values.left_out) html += paragraph(text, "left-out");
    return html;
}

Clock::Clock(const Material& all)
    : unit(time_unit(all.seconds_since_start(all.last_ms()))),
      end(std::max(all.seconds_since_start(all.last_ms()), 0.01) / unit.seconds),
      material(all) {}

double Clock::at(std::int64_t unix_ms) const {
    return material.seconds_since_start(unix_ms) / unit.seconds;
}

Axis Clock::axis() const {
    return {fmt::format("time since {} ({})", date_text(material.created_ms), unit.name), 0, end};
}

std::string shortened(std::string text, std::size_t letters) {
    if (text.size() <= letters) return text;
    std::size_t from = text.size() - letters + 1;
    // Not into the middle of a letter.
    while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) ++from;
    return "\u2026" + text.substr(from);
}

bool NaturalOrder::operator()(const std::string& a, const std::string& b) const {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    // The number at a place, without leading zeros, and what stands behind it.
    const auto digits = [&](std::string_view text) {
        const auto end = static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
        std::string_view number = text.substr(0, end);
        number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
        return std::pair(number, text.substr(end));
    };
    std::string_view x = a;
    std::string_view y = b;
    while (!x.empty() && !y.empty()) {
        if (!is_digit(x.front()) || !is_digit(y.front())) {
            if (x.front() != y.front()) return x.front() < y.front();
            x.remove_prefix(1);
            y.remove_prefix(1);
            continue;
        }
        const auto [m, behind_m] = digits(x);
        const auto [n, behind_n] = digits(y);
        if (m.size() != n.size()) return m.size() < n.size();
        if (m != n) return m < n;
        x = behind_m;
        y = behind_n;
    }
    // "01" and "1" are the same number, but not the same name.
    return x.size() != y.size() ? x.size() < y.size() : a < b;
}

}  // namespace coromd::report
