// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <optional>

#include "coromd/core/file.hpp"

namespace coromd::cli {

/// What a detached program says goes into this file of the campaign's directory.
inline constexpr const char* kOutputFile = "coromd.out";

/// A process that goes on when its terminal is closed.
class Detachment {
public:
    /// Makes a process that leads a session of its own. In there, this returns nothing; here, it waits
    /// until that has called confirm() or ended, and returns what this process is to exit with. Before
    /// anything has made a thread. Throws Error(system).
    std::optional<int> begin();

    /// From now on standard output and error are kOutputFile in `directory`; whoever waits in begin() says
    /// how to go on, and exits with 0.
    void confirm(const std::filesystem::path& directory);

private:
    FileDescriptor pipe_;
};

}  // namespace coromd::cli
