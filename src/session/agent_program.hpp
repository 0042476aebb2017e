// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>

namespace coromd::session {

/// The coromd program that runs beside jobs: this one, where it is coromd; else the one beside it, in
/// PATH, or where this library was installed. Empty where there is none.
std::filesystem::path find_agent();

/// A copy of `program` in `directory` under a name that tells its content, made where it is not there
/// yet: jobs that run keep the agent that they were begun with. Throws Error(system).
std::filesystem::path kept_copy(const std::filesystem::path& program, const std::filesystem::path& directory);

}  // namespace coromd::session
