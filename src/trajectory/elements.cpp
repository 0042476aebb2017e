// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Names of atoms say the element only by habit. In this order:
//
//   1. An ion is a residue of one atom of about the same name (NA in NA, CL in CL-, CAL in CAL):
//      the residue's name decides.
//   2. Virtual sites of water models and dummies: MW, LP1, EP, M..., with the mass 0.
//   3. Leading digits are dropped (1HB), and the rest begins with the symbol: two letters where
//      no atom of a biomolecule has that name otherwise (CL, BR, ...), else one.
#include "elements.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "coromd/core/letters.hpp"

namespace coromd::trajectory {

namespace {

// Standard atomic weights (IUPAC 2021, abridged).
constexpr std::array kElements = {
    Element{"H", 1.008},   Element{"LI", 6.94},   Element{"B", 10.81},   Element{"C", 12.011},
    Element{"N", 14.007},  Element{"O", 15.999},  Element{"F", 18.998},  Element{"NA", 22.990},
    Element{"MG", 24.305}, Element{"SI", 28.085}, Element{"P", 30.974},  Element{"S", 32.06},
    Element{"CL", 35.45},  Element{"AR", 39.95},  Element{"K", 39.098},  Element{"CA", 40.078},
    Element{"MN", 54.938}, Element{"FE", 55.845}, Element{"CO", 58.933}, Element{"NI", 58.693},
    Element{"CU", 63.546}, Element{"ZN", 65.38},  Element{"SE", 78.971}, Element{"BR", 79.904},
    Element{"RB", 85.468}, Element{"SR", 87.62},  Element{"CD", 112.41}, Element{"I", 126.90},
    Element{"CS", 132.91}, Element{"BA", 137.33},
};
constexpr Element kVirtualSite{"M", 0.0};

struct ResidueElement {
    std::string_view residue;
    std::string_view symbol;
};
/// Names of ions that are not simply the symbol (after signs and digits are dropped).
constexpr std::array kIonNames = {
    ResidueElement{"SOD", "NA"}, ResidueElement{"CLA", "CL"}, ResidueElement{"POT", "K"},
    ResidueElement{"CAL", "CA"}, ResidueElement{"CES", "CS"}, ResidueElement{"LIT", "LI"},
    ResidueElement{"RUB", "RB"}, ResidueElement{"BAR", "BA"}, ResidueElement{"CIO", "CS"},
    ResidueElement{"IB", "K"},   ResidueElement{"IM", "CL"},  ResidueElement{"IP", "NA"},
};

constexpr auto kVirtualSiteNames =
    std::to_array<std::string_view>({"MW", "MW1", "MW2", "MW3", "MW4", "LP", "LP1", "LP2", "EP", "EPW", "M"});

constexpr auto kProteinResidues = std::to_array<std::string_view>(
    {"ACE", "ALA",  "ARG",  "ARGN", "ASH",  "ASN",  "ASN1", "ASP",  "ASP1", "ASPH", "ASPP", "CYM",
     "CYS", "CYS1", "CYS2", "CYSH", "CYX",  "GLH",  "GLN",  "GLU",  "GLUH", "GLUP", "GLY",  "HID",
     "HIE", "HIP",  "HIS",  "HIS1", "HISA", "HISB", "HISD", "HISE", "HISH", "HISP", "HSD",  "HSE",
     "HSP", "HYP",  "ILE",  "LEU",  "LSN",  "LYN",  "LYS",  "LYSH", "MET",  "MSE",  "NAC",  "NH2",
     "NHE", "NME",  "ORN",  "PHE",  "PRO",  "QLN",  "SER",  "THR",  "TRP",  "TYR",  "VAL"});

constexpr auto kWaterResidues = std::to_array<std::string_view>(
    {"H2O", "HHO", "HOH",  "OH2",  "OHH",   "OPC",  "SOL",   "SPC",  "SPCE",  "T3H",  "T3P", "T4P",
     "T5P", "TIP", "TIP2", "TIP3", "TIP3P", "TIP4", "TIP4P", "TIP5", "TIP5P", "TP3M", "WAT"});

/// In the order of the atomic numbers, from 1.
constexpr auto kSymbols = std::to_array<std::string_view>(
    {"H",  "He", "Li", "Be", "B",  "C",  "N",  "O",  "F",  "Ne", "Na", "Mg", "Al", "Si", "P",  "S",  "Cl",
     "Ar", "K",  "Ca", "Sc", "Ti", "V",  "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se",
     "Br", "Kr", "Rb", "Sr", "Y",  "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb",
     "Te", "I",  "Xe", "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er",
     "Tm", "Yb", "Lu", "Hf", "Ta", "W",  "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At",
     "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U",  "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm", "Md", "No",
     "Lr", "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og"});

std::string upper_case_letters(std::string_view name) {
    std::string letters;
    for (const char c : upper_case(name)) {
        if (c >= 'A' && c <= 'Z') letters += c;
    }
    return letters;
}

const Element* element_of(std::string_view symbol) {
    const auto* it = std::ranges::find(kElements, symbol, &Element::symbol);
    return it == kElements.end() ? nullptr : it;
}

const Element* element_of_ion(std::string_view atom, std::string_view residue) {
    if (atom != residue) return nullptr;
    const auto* it = std::ranges::find(kIonNames, residue, &ResidueElement::residue);
    return element_of(it == kIonNames.end() ? residue : it->symbol);
}

}  // namespace

const Element* guess_element(std::string_view atom_name, std::string_view residue_name) {
    const std::string atom = upper_case_letters(atom_name);
    const std::string residue = upper_case_letters(residue_name);
    if (atom.empty()) return nullptr;
    if (const Element* ion = element_of_ion(atom, residue)) return ion;
    if (std::ranges::find(kVirtualSiteNames, atom_name) != kVirtualSiteNames.end()) return &kVirtualSite;

    for (const std::string_view symbol : {"CL", "BR", "AR", "MG", "ZN", "FE", "SI", "SE", "LI", "RB"}) {
        if (atom.starts_with(symbol)) return element_of(symbol);
    }
    return element_of(atom.substr(0, 1));
}

std::string_view element_symbol(std::int32_t atomic_number) {
    const auto index = static_cast<std::size_t>(atomic_number) - 1;
    return index < kSymbols.size() ? kSymbols[index] : std::string_view();
}

bool is_water_residue(std::string_view residue_name) {
    return std::ranges::find(kWaterResidues, residue_name) != kWaterResidues.end();
}

bool is_protein_residue(std::string_view residue_name) {
    const auto is_in = [](std::string_view name) {
        return std::ranges::find(kProteinResidues, name) != kProteinResidues.end();
    };
    if (is_in(residue_name)) return true;
    // AMBER marks the residues at the ends of a chain: NALA, CALA.
    return residue_name.size() == 4 && (residue_name[0] == 'N' || residue_name[0] == 'C') &&
           is_in(residue_name.substr(1));
}

}  // namespace coromd::trajectory
