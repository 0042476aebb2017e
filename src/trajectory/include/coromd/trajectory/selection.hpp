// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/trajectory/frame.hpp"
#include "coromd/trajectory/topology.hpp"

namespace coromd::trajectory {

struct SelectionTree;

/// Named groups of atoms (from 0), as an index file of GROMACS has them.
using AtomGroups = std::map<std::string, std::vector<std::int32_t>>;

/// What some selections need besides the topology. Both are only looked at.
struct SelectionContext {
    const Frame* frame = nullptr;        ///< positions and box, for around and within
    const AtomGroups* groups = nullptr;  ///< for group
};

/// Which atoms, in the words that users of MDAnalysis and GROMACS know. Lengths are in nm, as
/// everywhere here (MDAnalysis has Angstrom).
///
///     name CA C*             names of atoms; * stands for any characters, ? for one
///     resname, type, moltype, segid, element
///                            in the same way: residue, force-field type, molecule type, segment
///                            or chain, chemical element (in any case: "Cl" and "CL")
///     resid 1 3-5 8:10 12 to 15
///                            residue numbers as in the structure file; also resnum
///     index 0 5-9            atoms counted from 0
///     bynum 1-10             atoms counted from 1
///     mass 12 14-16, charge < -0.3
///                            numbers and ranges, or one comparison with < <= > >= == !=; in amu and e
///     all, none
///     protein, backbone      by residue names (caps count); backbone: its atoms N, CA, C and O
///     water, solute          by residue names; solute is all that is not water, ions included
///     hydrogen               by element
///     group NAME, group "NAME"
///                            a group that the caller gives
///     same residue as SEL    all of each residue of which SEL has an atom; also resname, segid,
///                            moltype and molecule
///     around R of SEL        not farther than R from any atom of SEL, without SEL ("of" may go)
///     within R of SEL        the same, with SEL
///     within R of X Y Z      the same, of a point
///     not, and, or, ( )      in this order of precedence; same, around and within bind like not
///
/// Keywords may be in upper or lower case. A value that is also a keyword goes in quotes:
/// name "all"; * and ? stand for themselves there. Equal masses and charges may differ by one part
/// in a million. Where the file does not say the element, it is guessed from the names.
/// Distances are those of the nearest images in the periodic box.
class Selection {
public:
    /// Throws Error(usage) with the column and a caret where the text makes no sense.
    static Selection parse(std::string_view text);

    /// Does evaluate() need a frame?
    bool needs_positions() const noexcept;

    /// The indices (from 0, ascending) of the selected atoms; empty where there are none. Throws
    /// Error(usage), with column and caret, where an index is out of range, where the topology
    /// does not know what is asked for, where a group is not there, and where the frame is missing
    /// or has another number of atoms; Error(input) where the box has no volume.
    std::vector<std::int32_t> evaluate(const Topology& topology, const SelectionContext& context = {}) const;

private:
    explicit Selection(std::shared_ptr<const SelectionTree> tree) : tree_(std::move(tree)) {}

    std::shared_ptr<const SelectionTree> tree_;
};

/// Selection::parse(text).evaluate(topology), for selections that need nothing else. Throws
/// Error(usage) also where nothing is selected.
std::vector<std::int32_t> select(const Topology& topology, std::string_view text);

}  // namespace coromd::trajectory
