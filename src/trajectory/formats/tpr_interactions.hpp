// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace coromd::trajectory {

/// How many numbers the parameters of an interaction type are.
struct ParameterCount {
    int reals = 0;
    int ints = 0;
};
constexpr ParameterCount kNone{-1, -1};  ///< a type that no file has parameters of

/// In the order of GROMACS' function types; those that follow are energies without parameters.
constexpr auto kParameterCounts = std::to_array<ParameterCount>({
    {4, 0},   // harmonic bonds
    {4, 0},   // GROMOS96 bonds
    {6, 0},   // Morse bonds
    {3, 0},   // cubic bonds
    {0, 0},   // connections
    {4, 0},   // harmonic potentials
    {2, 0},   // FENE bonds
    {2, 1},   // tabulated bonds
    {2, 1},   // tabulated bonds without exclusions
    {8, 0},   // restraint bonds
    {4, 0},   // harmonic angles
    {4, 0},   // GROMOS96 angles
    {2, 0},   // restricted angles
    {4, 0},   // linear angles
    {3, 0},   // bond-bond cross terms
    {4, 0},   // bond-angle cross terms
    {8, 0},   // Urey-Bradley angles
    {6, 0},   // quartic angles
    {2, 1},   // tabulated angles
    {4, 1},   // proper dihedrals
    {12, 0},  // Ryckaert-Bellemans dihedrals
    {2, 0},   // restricted dihedrals
    {6, 0},   // combined bending-torsion
    {12, 0},  // Fourier dihedrals
    {4, 0},   // harmonic improper dihedrals
    {4, 1},   // periodic improper dihedrals
    {2, 1},   // tabulated dihedrals
    {0, 2},   // dihedral correction maps
    {0, 0},   // implicit solvent 1-2, without parameters since version 113
    {0, 0},   // implicit solvent 1-3
    {0, 0},   // implicit solvent 1-4
    kNone,    // implicit solvent, polar
    kNone,    // implicit solvent, nonpolar
    {4, 0},   // Lennard-Jones 1-4
    kNone,    // Coulomb 1-4
    {5, 0},   // Lennard-Jones and Coulomb 1-4
    {4, 0},   // Lennard-Jones and Coulomb pairs
    {2, 0},   // Lennard-Jones
    {3, 0},   // Buckingham
    kNone,    // Lennard-Jones, long range
    kNone,    // Buckingham, long range
    kNone,    // dispersion correction
    kNone,    // Coulomb
    kNone,    // Coulomb, long range
    kNone,    // reaction field exclusions
    kNone,    // Coulomb, reciprocal
    kNone,    // Lennard-Jones, reciprocal
    kNone,    // dissipative particle dynamics
    {1, 0},   // polarization
    {6, 0},   // water polarization
    {3, 0},   // Thole polarization
    {3, 0},   // anharmonic polarization
    {12, 0},  // position restraints
    {5, 1},   // flat-bottomed position restraints
    {4, 2},   // distance restraints
    kNone,    // their violation
    {3, 3},   // orientation restraints
    kNone,    // their deviation
    {4, 1},   // angle restraints
    {4, 1},   // angle restraints with the z axis
    {6, 0},   // dihedral restraints
    kNone,    // their violation
    {2, 0},   // constraints
    {2, 0},   // constraints without exclusions
    {2, 0},   // SETTLE
    {0, 0},   // virtual sites 1
    {1, 0},   // virtual sites 2
    {1, 0},   // virtual sites 2fd
    {2, 0},   // virtual sites 3
    {2, 0},   // virtual sites 3fd
    {2, 0},   // virtual sites 3fad
    {3, 0},   // virtual sites 3out
    {3, 0},   // virtual sites 4fd
    {3, 0},   // virtual sites 4fdn
    {1, 1},   // virtual sites n
});
constexpr std::int32_t kTypeThole = 50;
constexpr std::int32_t kTypeVirtualSite1 = 65;
/// All function types, energies included, have a list of interactions in every kind of molecule.
constexpr std::int32_t kFunctionTypes = 94;

/// The lists of interactions of a molecule that hold its atoms together. The first atom of each is next to
/// the `n_partners` that follow.
struct BondedType {
    std::int32_t type = 0;
    std::size_t n_atoms = 2;
    std::size_t n_partners = 1;
};
/// What GROMACS calls chemical bonds, and what takes their place: constraints, rigid water, virtual sites and
/// polarizable shells. Not bonds: harmonic potentials and restraints, which may reach far.
constexpr auto kBondedTypes = std::to_array<BondedType>({
    {0},         // harmonic bonds
    {1},         // GROMOS96 bonds
    {2},         // Morse bonds
    {3},         // cubic bonds
    {4},         // connections
    {6},         // FENE bonds
    {7},         // tabulated bonds
    {48},        // polarization
    {51},        // anharmonic polarization
    {62},        // constraints
    {64, 3, 2},  // SETTLE
    {65},        // virtual sites 1
    {66, 3},     // virtual sites 2
    {67, 3},     // virtual sites 2fd
    {68, 4},     // virtual sites 3
    {69, 4},     // virtual sites 3fd
    {70, 4},     // virtual sites 3fad
    {71, 4},     // virtual sites 3out
    {72, 5},     // virtual sites 4fd
    {73, 5},     // virtual sites 4fdn
    {74},        // virtual sites n, a constructing atom each
});

}  // namespace coromd::trajectory
