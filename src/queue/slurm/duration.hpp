// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace coromd::queue::slurm {

// SLURM counts limits in minutes and writes times in six ways: nobody else should have to know them.

/// What parse_time() returns where there is no limit.
inline constexpr std::chrono::seconds kUnlimited = std::chrono::seconds::max();

/// `walltime` for `--time`: "D-HH:MM:00", rounded up to whole minutes as SLURM itself would do.
/// Throws Error(usage) for what is not positive and for more than a century.
std::string time_limit(std::chrono::milliseconds walltime);

/// Reads "minutes", "MM:SS", "HH:MM:SS", "D-HH", "D-HH:MM", "D-HH:MM:SS", and "UNLIMITED",
/// "INFINITE" or "-1" as kUnlimited; empty for "INVALID" and anything else.
std::optional<std::chrono::seconds> parse_time(std::string_view text);

}  // namespace coromd::queue::slurm
