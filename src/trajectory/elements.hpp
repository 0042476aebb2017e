// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string_view>

namespace coromd::trajectory {

struct Element {
    std::string_view symbol;
    double mass_amu = 0.0;
};

/// The element that the names of an atom and its residue suggest, as GROMACS' force fields use
/// them: "CA" is carbon, in the residue "CA" calcium; "HW1" is hydrogen; "MW" is a virtual site
/// (a mass of 0). Null where nothing fits.
const Element* guess_element(std::string_view atom_name, std::string_view residue_name);

/// The symbol of an atomic number as chemists write it ("Cl"); empty where there is no such element.
std::string_view element_symbol(std::int32_t atomic_number);

/// Is this the name of an amino acid, in any of its protonation states, or of a cap?
bool is_protein_residue(std::string_view residue_name);

/// Is this one of the names that force fields and databases give to water?
bool is_water_residue(std::string_view residue_name);

}  // namespace coromd::trajectory
