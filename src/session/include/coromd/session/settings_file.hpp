// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/core/settings.hpp"

namespace coromd::session {

/// Reads TOML. `name` is what messages call the text, and where its relative paths start from.
/// Throws Error(usage) with file, line and column.
Setting parse_toml(std::string_view text, const std::string& name);
/// Throws as parse_toml(), and Error(system) where the file cannot be read.
Setting read_toml(const std::filesystem::path& file);

/// Where settings come from; what comes later wins, key by key:
/// the site's files (`coromd/config.toml` in each folder of $XDG_CONFIG_DIRS, by default
/// /etc/xdg, the last of them first), the user's ($XDG_CONFIG_HOME, by default ~/.config), the
/// campaign's. Where the site's and the user's files would be, whether they are there or not.
std::vector<std::filesystem::path> settings_places();

/// What there is of settings_places() and, unless empty, `campaign_file`, one over the other.
/// Throws as read_toml().
Setting load_settings(const std::filesystem::path& campaign_file = {});

}  // namespace coromd::session
