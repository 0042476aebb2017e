// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <CLI/CLI.hpp>

namespace coromd::cli {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

/// Each adds a sub-command, in the source of its name. What it does when it was chosen is its
/// callback, which leaves the exit code in `exit_code` and may throw Error.
void add_config(CLI::App& app, int& exit_code);
void add_run(CLI::App& app, int& exit_code);

}  // namespace coromd::cli
