// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coromd::fake_slurm {

/// The non-empty parts of `text` between `separator`s; those within brackets do not count.
std::vector<std::string> split(std::string_view text, char separator);

/// A whole number and nothing else.
std::optional<long> to_int(std::string_view text);

std::string upper(std::string_view text);

/// "n[1-3,7],m1" -> n1 n2 n3 n7 m1.
std::vector<std::string> expand_hosts(std::string_view list);
/// The reverse, as SLURM writes it.
std::string compress_hosts(const std::vector<std::string>& hosts);

/// A time limit as sbatch takes it, in seconds ("10" minutes, "1:30", "1:00:00", "1-12", "2-3:00");
/// -1 for UNLIMITED and INFINITE.
std::optional<double> parse_limit(std::string_view text);
/// A wall time "2s", "500ms", "5m", "1h", "1.5" in seconds.
std::optional<double> parse_seconds(std::string_view text);
/// Memory in MB of "500", "4G", "100K".
std::optional<long> parse_memory(std::string_view text);
/// A moment as sacct takes it ("2026-01-31T12:00:00", "12:00", "now-2hours", "today"), as seconds
/// since 1970.
std::optional<double> parse_moment(std::string_view text, double now);

/// "0:05", "1:02:03", "2-01:02:03": squeue's form of a duration.
std::string short_duration(double seconds);
/// "00:00:05", "2-01:02:03": sacct's and scontrol's.
std::string long_duration(double seconds);
/// "2026-01-31T12:00:00", or `none` for 0.
std::string moment(double seconds_since_1970, std::string_view none);

/// The number of a signal by name ("TERM", "SIGTERM") or number.
std::optional<int> parse_signal(std::string_view text);

/// Seconds since 1970.
double wall_clock();

}  // namespace coromd::fake_slurm
