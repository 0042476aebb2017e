// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "coromd/campaign/provenance.hpp"

namespace coromd::campaign {

/// A file that a campaign has made, as the database knows it.
struct MadeFile {
    FileRecord file;
    std::string product;  ///< the key of what made it
};

/// What a look at the files of a campaign found.
struct FileCheck {
    std::int64_t looked_at = 0;
    std::int64_t compared = 0;            ///< of these: whose content was read and compared
    std::int64_t removed = 0;             ///< taken away by `coromd clean`
    std::vector<std::string> problems{};  ///< a line each, for a person
};

/// All files that the campaign has made, with what is recorded of them, by key of what made them.
std::vector<MadeFile> made_files(const Snapshot& snapshot);

/// Compares the files with what is recorded: whether they are there, their sizes and, with `content`,
/// their fingerprints, for which all of them are read. Needs no Snapshot meanwhile.
FileCheck check_files(const std::vector<MadeFile>& files, const std::filesystem::path& root, bool content);

}  // namespace coromd::campaign
