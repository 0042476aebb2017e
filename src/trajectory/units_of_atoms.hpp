// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "coromd/trajectory/transform.hpp"
#include "lattice.hpp"

namespace coromd::trajectory {

/// The atoms that stay together, per residue or molecule, in the order of the topology; each atom by itself
/// for Unit::atoms. Throws Error(usage) where molecules are asked for and not known.
std::vector<std::vector<std::int32_t>> units_of(const Topology& topology, Unit unit);

/// An atom that is put beside one that has its place already.
struct Link {
    std::int32_t atom = 0;
    std::int32_t beside = 0;
};

/// In which order the atoms of the units are placed, each but the first of its unit: along bonds, and
/// where there are none, the nearest atom next.
std::vector<Link> links_of(std::span<const std::vector<std::int32_t>> units, std::span<const Bond> bonds,
                           std::span<const Vec3f> positions, const Lattice& lattice);

/// Puts each atom at the image that is nearest to the one it is placed beside.
void make_whole(std::span<const Link> links, const Lattice& lattice, std::span<Vec3f> positions);

}  // namespace coromd::trajectory
