// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace coromd::queue {

/// A process as it is recorded: "boot id:pid:start time".
std::string process_words(pid_t pid, const std::string& start_time);

struct KnownProcess {
    pid_t pid;
    std::string start_time;
};

/// What process_words() made; empty for anything else, and where the machine was booted since.
std::optional<KnownProcess> known_process(std::string_view words);

}  // namespace coromd::queue
