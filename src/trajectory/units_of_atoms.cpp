// SPDX-License-Identifier: LGPL-3.0-or-later
#include "units_of_atoms.hpp"

#include <limits>
#include <numeric>

#include "coromd/core/error.hpp"

namespace coromd::trajectory {

namespace {

std::size_t at(std::int32_t i) {
    return static_cast<std::size_t>(i);
}

/// The partners of every atom, one after the other.
class Partners {
public:
    Partners(std::span<const Bond> bonds, std::size_t n_atoms) : starts_(n_atoms + 1) {
        for (const Bond& bond : bonds) {
            for (const std::int32_t atom : {bond.a, bond.b})
                if (atom < 0 || at(atom) >= n_atoms)
                    fail(ErrorKind::usage, "there is no atom {} to be bonded: there are {}", atom, n_atoms);
            ++starts_[at(bond.a) + 1];
            ++starts_[at(bond.b) + 1];
        }
        std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
        all_.resize(2 * bonds.size());
        std::vector<std::size_t> next = starts_;
        for (const Bond& bond : bonds) {
            all_[next[at(bond.a)]++] = bond.b;
            all_[next[at(bond.b)]++] = bond.a;
        }
    }
    std::span<const std::int32_t> of(std::int32_t atom) const {
        return std::span(all_).subspan(starts_[at(atom)], starts_[at(atom) + 1] - starts_[at(atom)]);
    }

private:
    std::vector<std::size_t> starts_;
    std::vector<std::int32_t> all_;
};

/// Finds the links of one unit after the other.
class Linker {
public:
    Linker(const Partners& partners, std::span<const Vec3f> positions, const Lattice& lattice)
        : partners_(partners), positions_(positions), lattice_(lattice), missing_(positions.size(), false) {}

    void link(const std::vector<std::int32_t>& unit, std::vector<Link>& links) {
        for (const std::int32_t atom : unit) missing_[at(atom)] = true;
        placed_.clear();
        place(unit.front());
        follow_bonds(0, links);
        if (placed_.size() < unit.size()) link_nearest(unit, links);
    }

private:
    void place(std::int32_t atom) {
        missing_[at(atom)] = false;
        placed_.push_back(atom);
    }

    /// From the placed atom number `from` on; breadth first.
    void follow_bonds(std::size_t from, std::vector<Link>& links) {
        for (; from < placed_.size(); ++from)
            for (const std::int32_t partner : partners_.of(placed_[from])) {
                if (!missing_[at(partner)]) continue;
                links.push_back({partner, placed_[from]});
                place(partner);
            }
    }

    void link_nearest(const std::vector<std::int32_t>& unit, std::vector<Link>& links) {
        struct Candidate {
            Link link;
            double distance2 = std::numeric_limits<double>::infinity();
        };
        std::vector<Candidate> candidates;
        for (const std::int32_t atom : unit)
            if (missing_[at(atom)]) candidates.push_back({{atom, unit.front()}});
        std::size_t seen = 0;
        while (placed_.size() < unit.size()) {
            for (; seen < placed_.size(); ++seen)
                for (Candidate& candidate : candidates) {
                    const double distance2 = distance2_of(candidate.link.atom, placed_[seen]);
                    if (distance2 < candidate.distance2)
                        candidate = {{candidate.link.atom, placed_[seen]}, distance2};
                }
            const auto nearest = std::ranges::min_element(candidates, {}, &Candidate::distance2);
            links.push_back(nearest->link);
            place(nearest->link.atom);
            follow_bonds(placed_.size() - 1, links);
            std::erase_if(candidates, [&](const Candidate& c) { return !missing_[at(c.link.atom)]; });
        }
    }

    double distance2_of(std::int32_t a, std::int32_t b) const {
        const Vec3d d = lattice_.shortest(to_double(positions_[at(a)]) - to_double(positions_[at(b)]));
        return dot(d, d);
    }

    const Partners& partners_;
    std::span<const Vec3f> positions_;
    const Lattice& lattice_;
    std::vector<bool> missing_;
    std::vector<std::int32_t> placed_;
};

}  // namespace

std::vector<std::vector<std::int32_t>> units_of(const Topology& topology, Unit unit) {
    std::vector<std::vector<std::int32_t>> units;
    const std::vector<Atom>& atoms = topology.atoms();
    const auto same = [&](const Atom& a, const Atom& b) {
        if (unit == Unit::molecules) return a.molecule == b.molecule;
        return unit == Unit::residues && a.resid == b.resid && a.resname == b.resname && a.segid == b.segid &&
               a.molecule == b.molecule;
    };
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        if (unit == Unit::molecules && atoms[i].molecule < 0)
            fail(ErrorKind::usage,
                 "the structure file does not say which atoms are a molecule: give the .tpr instead");
        if (i == 0 || !same(atoms[i - 1], atoms[i])) units.emplace_back();
        units.back().push_back(static_cast<std::int32_t>(i));
    }
    return units;
}

std::vector<Link> links_of(std::span<const std::vector<std::int32_t>> units, std::span<const Bond> bonds,
                           std::span<const Vec3f> positions, const Lattice& lattice) {
    const Partners partners(bonds, positions.size());
    Linker linker(partners, positions, lattice);
    std::vector<Link> links;
    for (const std::vector<std::int32_t>& unit : units) linker.link(unit, links);
    return links;
}

void make_whole(std::span<const Link> links, const Lattice& lattice, std::span<Vec3f> positions) {
    for (const Link& link : links) {
        const Vec3d place = to_double(positions[at(link.beside)]);
        const Vec3d x = to_double(positions[at(link.atom)]);
        positions[at(link.atom)] = to_float(place + lattice.shortest(x - place));
    }
}

}  // namespace coromd::trajectory
