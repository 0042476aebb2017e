// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <string>

namespace coromd::cli {

/// The formats of trajectories and what each holds, as they say of themselves: a table for a terminal, or in
/// Markdown for the guide.
std::string formats_text(bool markdown);
/// The same for scripts.
std::string formats_json();

}  // namespace coromd::cli
