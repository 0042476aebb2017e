// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <string>

#include "coromd/session/settings_file.hpp"

namespace coromd::engine::model {

/// Settings as they come from a file called test.toml.
struct TomlText {
    explicit TomlText(const std::string& text, const std::string& name = "test.toml")
        : settings(session::parse_toml(text, name)), top(settings, "") {}

    Setting settings;
    mutable SettingsReader top;
};

}  // namespace coromd::engine::model
