// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

#include "coromd/queue/job.hpp"

namespace coromd::queue {

/// Where standard output and error of an attempt go, in its directory: to files, so that the program
/// does not depend on ours being alive. They do not move with its outputs, and stay beside a failed
/// attempt for a person to read.
inline constexpr const char* kStdoutFile = "job.out";
inline constexpr const char* kStderrFile = "job.err";
/// What the agent has to know, and the user's script where there is one.
inline constexpr const char* kJobFile = "job.json";
inline constexpr const char* kScriptFile = "job.sh";
/// What the agent itself had to say.
inline constexpr const char* kAgentFile = "job.agent";
/// How much of the streams' ends is kept with the result.
inline constexpr std::size_t kStreamTail = 16 << 10;

/// Whether a file of an attempt's directory is ours, and no output of its program.
inline bool is_ours(std::string_view name) {
    return name == kStdoutFile || name == kStderrFile || name == kJobFile || name == kScriptFile ||
           name == kAgentFile;
}

/// What a program has left in its attempt's directory, by name: regular files that are not ours.
/// Throws std::filesystem::filesystem_error.
std::vector<OutputFile> files_in(const std::filesystem::path& directory);

}  // namespace coromd::queue
