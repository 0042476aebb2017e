// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

namespace coromd::campaign {

/// Where the campaign in `directory` lies, as text to be recorded: the inode of its database and a hash of
/// its path. Throws Error(system).
std::string place_of(const std::filesystem::path& directory);

/// Whether two places may be of one campaign: a directory that was moved keeps its inodes, and some file
/// systems number theirs anew, but only a copy has neither the inode nor the path. Text that makes no
/// sense is another place.
bool same_place(const std::string& recorded, const std::string& now);

}  // namespace coromd::campaign
