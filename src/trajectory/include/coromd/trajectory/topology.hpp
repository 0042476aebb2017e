// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace coromd::trajectory {

/// What is known of an atom, whatever its position.
struct Atom {
    std::string name;     ///< "CA"
    std::string resname;  ///< "ALA"
    /// As the file numbers it: from 1, and in a GRO file modulo 100000, in a PDB file modulo 10000.
    std::int32_t resid = 0;
    std::string type{};          ///< of the force field: "CT"; empty where unknown
    std::string element{};       ///< "C"; empty where the file does not say
    std::string segid{};         ///< segment, or chain; empty where there is none
    std::string moltype{};       ///< molecule type, as in the topology: "SOL"; empty where unknown
    std::int32_t molecule = -1;  ///< which molecule, from 0; -1 where unknown
    double mass_amu = std::numeric_limits<double>::quiet_NaN();  ///< NaN where unknown
    double charge_e = std::numeric_limits<double>::quiet_NaN();  ///< NaN where unknown

    bool has_mass() const noexcept { return mass_amu == mass_amu; }
};

/// Two atoms that stay next to each other, by their indices from 0: bonds of the force field, constraints,
/// rigid water, virtual sites and the atoms that they hang on.
struct Bond {
    std::int32_t a = 0;
    std::int32_t b = 0;

    friend bool operator==(const Bond&, const Bond&) = default;
};

/// The atoms of a system, in the order of its trajectories.
class Topology {
public:
    Topology() = default;
    explicit Topology(std::vector<Atom> atoms, std::vector<Bond> bonds = {})
        : atoms_(std::move(atoms)), bonds_(std::move(bonds)) {}

    const std::vector<Atom>& atoms() const noexcept { return atoms_; }
    /// Empty where the file has none: only TPR files do.
    const std::vector<Bond>& bonds() const noexcept { return bonds_; }
    std::int64_t size() const noexcept { return static_cast<std::int64_t>(atoms_.size()); }
    /// Do all atoms come with a mass, as they do from a TPR file?
    bool has_masses() const noexcept;

private:
    std::vector<Atom> atoms_;
    std::vector<Bond> bonds_;
};

/// Some of the atoms, in the order of `indices`, and the bonds among them. Throws Error(usage) where one is
/// out of range.
Topology subset(const Topology& topology, std::span<const std::int32_t> indices);

/// Reads the atoms of a structure file; the format follows from the extension (.gro, .pdb, .tpr).
/// Throws Error(usage) where no format reads it, Error(input) that names line or byte offset
/// where the content is wrong, Error(system) where the file cannot be read.
Topology read_topology(const std::filesystem::path& path);

/// The masses of all atoms, one way or another.
struct Masses {
    std::vector<double> amu;  ///< one per atom; 0 for a virtual site
    bool guessed = false;     ///< some come from element names that were guessed
    std::string note;         ///< what was guessed, in a sentence for the user; empty if nothing was
};

/// The masses that the topology brings or, where it has none, those of the elements that the
/// atom and residue names suggest (CA in ALA is carbon, CA in residue CA is calcium).
/// Throws Error(usage) that names an atom whose element cannot be guessed.
Masses masses_of(const Topology& topology);

}  // namespace coromd::trajectory
