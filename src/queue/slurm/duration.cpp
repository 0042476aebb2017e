// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm/duration.hpp"

#include <array>
#include <cstdint>

#include "coromd/core/error.hpp"
#include "coromd/core/letters.hpp"
#include "slurm/text.hpp"

namespace coromd::queue::slurm {

std::string time_limit(std::chrono::milliseconds walltime) {
    using namespace std::chrono;
    constexpr hours kCentury{24 * 36525};
    if (walltime <= milliseconds::zero()) fail(ErrorKind::usage, "a job's wall time must be positive");
    if (walltime > kCentury) fail(ErrorKind::usage, "a wall time of more than a century is a slip");
    const auto minutes = ceil<std::chrono::minutes>(walltime).count();
    return fmt::format("{}-{:02}:{:02}:00", minutes / 1440, minutes / 60 % 24, minutes % 60);
}

std::optional<std::chrono::seconds> parse_time(std::string_view text) {
    text = trimmed(text);
    const std::string word = lower_case(text);
    if (word == "unlimited" || word == "infinite" || word == "-1") return kUnlimited;

    std::int64_t days = 0;
    const std::size_t dash = text.find('-');
    if (dash != text.npos) {
        const auto number = whole_number<std::uint32_t>(text.substr(0, dash));
        if (!number) return {};
        days = *number;
        text.remove_prefix(dash + 1);
    }
    std::array<std::int64_t, 3> fields{};
    std::size_t n_fields = 1;
    for (const char c : text) n_fields += c == ':' ? 1 : 0;
    if (n_fields > fields.size()) return {};
    for (std::size_t i = 0; i < n_fields; ++i) {
        const auto number = whole_number<std::uint32_t>(cut(text, ':'));
        if (!number) return {};
        fields[i] = *number;
    }
    // Behind days the first field is hours; without them it is what is left when the last is
    // seconds, except that a single number is minutes.
    const bool shifted = dash == text.npos && n_fields < 3;
    const auto [hours, minutes, seconds] =
        !shifted ? fields : std::array<std::int64_t, 3>{0, fields[0], n_fields == 2 ? fields[1] : 0};
    return std::chrono::seconds(((days * 24 + hours) * 60 + minutes) * 60 + seconds);
}

}  // namespace coromd::queue::slurm
