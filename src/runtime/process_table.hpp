// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "coromd/core/file.hpp"

namespace coromd::runtime::detail {

/// What the kernel tells of a process in /proc/<pid>/stat.
struct ProcessEntry {
    bool lives = false;  ///< not merely waiting to be reaped
    pid_t group = 0;
    std::string start_time;
};

/// Parses the content of /proc/<pid>/stat; empty where it is not of that form.
std::optional<ProcessEntry> parse_process_entry(std::string_view stat);

/// Empty where there is no such process.
std::optional<ProcessEntry> process_entry(pid_t pid);

/// Whether any process of the group lives.
bool group_lives(pid_t group);

/// None where the kernel has no pidfds or there is no such process.
FileDescriptor open_pidfd(pid_t pid);

}  // namespace coromd::runtime::detail
