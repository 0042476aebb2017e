// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <optional>

#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"
#include "coromd/session/terminal.hpp"

namespace coromd::session {

/// Whether there is a person at a terminal who can be asked.
bool can_ask() noexcept;

/// Asks what a Ctrl-C shall do with the jobs that run, and takes the usual for no answer within some
/// seconds; empty where the program shall go on.
/// Cancellation: throws Cancelled.
runtime::task<std::optional<runtime::Shutdown>> ask_about_jobs(Terminal& terminal);

}  // namespace coromd::session
