// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "coromd/trajectory/topology.hpp"

namespace coromd::trajectory {

/// The indices (from 0, ascending) of the atoms that a text in a small part of MDAnalysis'
/// selection language selects:
///
///     name C CA          atom names; * and ? stand for any characters: name H*
///     resname ALA        residue names, in the same way
///     resid 1 3-5 8:10   residue numbers, as in the structure file
///     index 0 5-9        atoms counted from 0
///     bynum 1-10         atoms counted from 1
///     all, protein       protein: the residue names of amino acids and their caps
///     not, and, or, ( )  in this order of precedence
///
/// Throws Error(usage) with the column and a caret where the text makes no sense, where an index
/// is out of range, and where nothing is selected.
std::vector<std::int32_t> select(const Topology& topology, std::string_view text);

}  // namespace coromd::trajectory
