// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <memory>

#include <spdlog/logger.h>

namespace coromd {

using Logger = std::shared_ptr<spdlog::logger>;

/// Writes nowhere; the default of everything that takes a Logger.
Logger null_logger();

/// Appends to `file` from level debug on; with `verbose` also writes to standard error. Flushed at
/// every line from level info on. A missing folder is made.
/// Throws Error(system) where the file cannot be opened.
Logger file_logger(const std::filesystem::path& file, bool verbose);

}  // namespace coromd
