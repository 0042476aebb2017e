// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace coromd::trajectory {

/// A named list of atoms, as in an index file of GROMACS.
struct IndexGroup {
    std::string name;                 ///< "Protein"; may hold spaces
    std::vector<std::int32_t> atoms;  ///< from 0 (the file counts from 1), in the file's order

    friend bool operator==(const IndexGroup&, const IndexGroup&) = default;
};

/// The groups of an index file (.ndx), in its order. Throws Error(input) that names file, line and column
/// where the content is wrong, Error(system) where the file cannot be read.
std::vector<IndexGroup> read_ndx(const std::filesystem::path& path);

/// Writes an index file as GROMACS does, 15 numbers a line, durably and as a whole. Throws Error(usage)
/// where a file is there and `overwrite` is false, an atom is negative, or a name could not be read back;
/// Error(system) where the file cannot be written.
void write_ndx(const std::filesystem::path& path, const std::vector<IndexGroup>& groups, bool overwrite);

/// The group of that name. Throws Error(usage) that lists the groups there are where it is none of them,
/// or several.
const IndexGroup& group(const std::vector<IndexGroup>& groups, std::string_view name);

}  // namespace coromd::trajectory
