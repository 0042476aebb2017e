// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "coromd/core/settings.hpp"
#include "coromd/engine/md_system.hpp"
#include "coromd/functions/definitions.hpp"
#include "coromd/sampling/campaign_kind.hpp"
#include "coromd/session/session.hpp"

namespace coromd::session {

/// A campaign file and the site's and user's settings below it: what `coromd run` runs.
class CampaignFile {
public:
    /// Reads the files and nothing else. Throws Error(usage) with file, line and what was expected,
    /// Error(system) where a file cannot be read.
    explicit CampaignFile(const std::filesystem::path& file);

    const std::string& name() const noexcept { return name_; }
    const std::string& kind() const noexcept { return kind_; }
    std::uint64_t seed() const noexcept { return seed_; }
    /// Where the campaign lives: as the file says, or `<name>.campaign` beside it.
    const std::filesystem::path& directory() const noexcept { return directory_; }
    const Setting& settings() const noexcept { return settings_; }

    /// What the file describes, made with a session's queues.
    struct Parts {
        std::unique_ptr<engine::MdSystem> system;
        functions::Definitions definitions;  ///< variables and states, in the order of the file
        std::unique_ptr<sampling::Method> method;
    };
    /// Makes and checks everything: unknown keys, missing files, impossible selections, a missing
    /// program. Runs nothing. Throws Error(usage) with file and line where there is one, Error(input).
    Parts build(Session& session) const;

private:
    functions::Definitions definitions(SettingsReader& top) const;

    Setting settings_;
    std::string name_;
    std::string kind_;
    std::uint64_t seed_ = 1;
    std::filesystem::path directory_;
};

}  // namespace coromd::session
