// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/topology.hpp"

#include <algorithm>

#include "coromd/core/error.hpp"
#include "coromd/trajectory/format.hpp"
#include "elements.hpp"

namespace coromd::trajectory {

bool Topology::has_masses() const noexcept {
    return std::ranges::all_of(atoms_, &Atom::has_mass);
}

Topology subset(const Topology& topology, std::span<const std::int32_t> indices) {
    std::vector<Atom> atoms;
    atoms.reserve(indices.size());
    for (const std::int32_t i : indices) {
        if (i < 0 || i >= topology.size())
            fail(ErrorKind::usage, "there is no atom {}: there are {}", i, topology.size());
        atoms.push_back(topology.atoms()[static_cast<std::size_t>(i)]);
    }
    if (topology.bonds().empty()) return Topology(std::move(atoms));
    std::vector<std::int32_t> place(topology.atoms().size(), -1);
    for (std::size_t i = 0; i < indices.size(); ++i)
        place[static_cast<std::size_t>(indices[i])] = static_cast<std::int32_t>(i);
    std::vector<Bond> bonds;
    for (const Bond& bond : topology.bonds()) {
        const Bond moved{place[static_cast<std::size_t>(bond.a)], place[static_cast<std::size_t>(bond.b)]};
        if (moved.a >= 0 && moved.b >= 0) bonds.push_back(moved);
    }
    return Topology(std::move(atoms), std::move(bonds));
}

Topology read_topology(const std::filesystem::path& path) {
    const Format& format = format_of(path);
    if (format.read_topology) return format.read_topology(path);
    std::string able;
    for (const Format& other : builtin_formats().entries()) {
        if (!other.read_topology) continue;
        if (!able.empty()) able += ", ";
        able += other.name;
    }
    fail(ErrorKind::usage, "'{}' cannot be used as a structure file: {} holds no atom names, these do: {}",
         path.string(), format.name, able);
}

Masses masses_of(const Topology& topology) {
    Masses masses;
    masses.amu.reserve(topology.atoms().size());
    std::int64_t n_guessed = 0;
    for (const Atom& atom : topology.atoms()) {
        if (atom.has_mass()) {
            masses.amu.push_back(atom.mass_amu);
            continue;
        }
        const Element* element = guess_element(atom.name, atom.resname);
        if (!element) {
            fail(ErrorKind::usage,
                 "the element of atom {} ('{}' in residue '{}' {}) cannot be guessed from its name, and the "
                 "structure file has no masses: give the .tpr instead",
                 masses.amu.size() + 1, atom.name, atom.resname, atom.resid);
        }
        masses.amu.push_back(element->mass_amu);
        ++n_guessed;
    }
    masses.guessed = n_guessed > 0;
    if (masses.guessed) {
        masses.note =
            fmt::format("the masses of {} of {} atoms are those of the elements that their names suggest",
                        n_guessed, topology.size());
    }
    return masses;
}

}  // namespace coromd::trajectory
