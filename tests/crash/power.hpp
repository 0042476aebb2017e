// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>

namespace coromd::crash {

/// What a power loss leaves of what was not synced. The rest is as it was.
enum class Unsynced {
    nothing,  ///< neither contents nor names: what POSIX promises and no more
    names,    ///< names, but no contents: files of a size that is right and without a byte of their own
    some      ///< of each directory its names or not, of each file some sectors
};

/// Makes `folder` what is left of it after a power loss. `log` is what power.cpp has remembered of the
/// processes that worked in it, all of which must be dead; `seed` chooses where there is a choice.
/// What was in the folder when those began must have been synced.
void lose_power(const std::filesystem::path& folder, const std::filesystem::path& log, Unsynced unsynced,
                std::uint64_t seed);

}  // namespace coromd::crash
