// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "coromd/runtime/context.hpp"

namespace coromd::session {

/// "usual", "stop", "leave"
std::string_view to_string(runtime::Shutdown how) noexcept;
/// Throws Error(usage).
runtime::Shutdown shutdown_from(std::string_view text);

/// Asks the program that runs the campaign in `directory`, on whatever host, to end; it looks about once
/// a second. Throws Error(system).
void request_stop(const std::filesystem::path& directory, runtime::Shutdown how);

/// What was asked for; taken away, so that it is told once. Empty where nothing was.
std::optional<runtime::Shutdown> take_stop_request(const std::filesystem::path& directory);

}  // namespace coromd::session
