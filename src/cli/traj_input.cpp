// SPDX-License-Identifier: LGPL-3.0-or-later
#include "traj_input.hpp"

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include "coromd/core/error.hpp"
#include "coromd/trajectory/format.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;
using trajectory::Piece;
using trajectory::Slice;
using trajectory::Trajectory;

namespace {

template <typename Number>
std::optional<Number> number_in(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

Slice parse_slice(std::string_view inside, const std::string& text) {
    std::vector<std::optional<std::int64_t>> fields;
    for (;;) {
        const std::size_t colon = inside.find(':');
        const std::string_view field = inside.substr(0, colon);
        fields.push_back(number_in<std::int64_t>(field));
        if (!field.empty() && !fields.back())
            fail(ErrorKind::usage, "'{}': '{}' is no number of a frame", text, field);
        if (colon == inside.npos) break;
        inside.remove_prefix(colon + 1);
    }
    if (fields.size() == 1 && fields[0]) {
        // One frame, as in Python: the last is [-1].
        const std::int64_t index = *fields[0];
        return {index, index == -1 ? std::nullopt : std::optional(index + 1), std::nullopt};
    }
    if (fields.size() == 1 || fields.size() > 3)
        fail(ErrorKind::usage,
             "'{}': the frames are to be given as [index], [start:stop] or [start:stop:step]", text);
    fields.resize(3);
    if (fields[2] == 0) fail(ErrorKind::usage, "'{}': the step of a slice must not be 0", text);
    return {fields[0], fields[1], fields[2]};
}

}  // namespace

fs::path structure_for(const fs::path& given, const fs::path& file) {
    return given.empty() && trajectory::format_of(file).read_topology ? file : given;
}

std::optional<double> parse_number(std::string_view text) {
    const std::optional<double> number = number_in<double>(text);
    return number && std::isfinite(*number) ? number : std::nullopt;
}

Piece parse_piece(const std::string& text, const fs::path& structure) {
    const std::size_t bracket = text.rfind('[');
    std::error_code error;
    if (bracket == text.npos || !text.ends_with(']') || fs::exists(text, error))
        return {Trajectory(text, structure_for(structure, text)), {}};
    const std::string_view inside = std::string_view(text).substr(bracket + 1, text.size() - bracket - 2);
    const fs::path file = text.substr(0, bracket);
    return {Trajectory(file, structure_for(structure, file)), parse_slice(inside, text)};
}

Velocities parse_velocities(const std::string& text) {
    if (text == "keep") return {};
    if (text == "invert") return {trajectory::VelocityMode::inverted, 0.0};
    if (text.starts_with("mb:"))
        if (const auto temperature = number_in<double>(std::string_view(text).substr(3));
            temperature && *temperature > 0)
            return {trajectory::VelocityMode::maxwell_boltzmann, *temperature};
    fail(ErrorKind::usage, "'{}' is not one of: keep, invert, mb:T with a temperature T in K, such as mb:300",
         text);
}

}  // namespace coromd::cli
