// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The transformations that know of images. How the atoms of a unit hang together is found out at the first
// frame of a pass, and kept.
//
// Unwrapping keeps, per atom, the fractional coordinates s of the last frame and a whole number of boxes k:
//
//     d  = shortest image of (s' - s) B'       what the atom has moved by, in the box B' of now
//     k' = k + round(d B'^-1 - (s' - s))       boxes that it has left on the way
//     x' = (s' + k') B'
//
// Only differences between two frames are compared with half a box, never the distance from the start, so
// that k stays right however far the atom goes and however the box breathes. A box that GROMACS has flipped
// (one of its vectors plus another) is the same lattice in another basis: s and k are taken to that one
// first.
#include <cmath>
#include <optional>

#include "coromd/core/error.hpp"
#include "lattice.hpp"
#include "transform_checks.hpp"
#include "units_of_atoms.hpp"

namespace coromd::trajectory {

namespace {

using Units = std::vector<std::vector<std::int32_t>>;

/// Units, and the links among their atoms once a frame was seen.
class Wholeness {
public:
    Wholeness(const Topology& topology, Unit unit)
        : units_(units_of(topology, unit)),
          bonds_(topology.bonds()),
          n_atoms_(static_cast<std::size_t>(topology.size())) {
        if (topology.has_masses())
            for (const Atom& atom : topology.atoms()) masses_.push_back(atom.mass_amu);
    }

    const Units& units() const noexcept { return units_; }
    std::vector<Link> links(const Frame& frame, const Lattice& lattice) const {
        return links_of(units_, bonds_, frame.positions, lattice);
    }
    void require(const Frame& frame) const { require_n_atoms(frame, n_atoms_); }

    /// Of mass; of the atoms where nothing has a mass.
    Vec3d centre(const Frame& frame, std::span<const std::int32_t> unit) const {
        Vec3d sum{};
        Vec3d plain{};
        double mass = 0.0;
        for (const std::int32_t atom : unit) {
            const auto i = static_cast<std::size_t>(atom);
            const Vec3d x = to_double(frame.positions[i]);
            plain = plain + x;
            if (masses_.empty()) continue;
            sum = sum + masses_[i] * x;
            mass += masses_[i];
        }
        return mass > 0.0 ? (1 / mass) * sum : (1.0 / static_cast<double>(unit.size())) * plain;
    }

private:
    Units units_;
    std::vector<Bond> bonds_;
    std::size_t n_atoms_;
    std::vector<double> masses_;
};

/// Makes units whole, and then `after(wholeness, lattice, frame)`.
template <typename After>
Transformation::Change whole_and_then(std::shared_ptr<const Wholeness> wholeness, After after) {
    auto links = std::make_shared<std::optional<std::vector<Link>>>();
    return [=, after = std::move(after)](Frame& frame) mutable {
        if (frame.positions.empty()) return;
        wholeness->require(frame);
        const Lattice lattice(frame.box);
        if (!*links) *links = wholeness->links(frame, lattice);
        make_whole(**links, lattice, frame.positions);
        after(*wholeness, lattice, frame);
    };
}

void move(Frame& frame, std::span<const std::int32_t> unit, const Vec3d& by) {
    if (by == Vec3d{}) return;
    for (const std::int32_t atom : unit) {
        Vec3f& x = frame.positions[static_cast<std::size_t>(atom)];
        x = to_float(to_double(x) + by);
    }
}

Vec3d rounded(const Vec3d& v) {
    return {std::round(v[0]), std::round(v[1]), std::round(v[2])};
}

/// How coordinates in units of the old edges become those in units of the new ones, where the new ones are
/// sums of the old, or the old ones scaled and bent a little.
Matrix3 change_of_basis(const Lattice& old_lattice, const Lattice& new_lattice, const Frame& frame) {
    Matrix3 m;  // new edge i is, nearly, the sum of m[i][k] old edges k
    for (std::size_t i = 0; i < 3; ++i) m[i] = rounded(old_lattice.fractional(new_lattice.edges()[i]));
    const double volume = dot(m[0], cross(m[1], m[2]));
    if (std::abs(volume) != 1.0)
        fail(ErrorKind::usage,
             "the box changes too much before the frame of step {}: jumps of atoms cannot be told from it",
             frame.step);
    // s m = s_old, so that s = s_old m^-1; its columns are the rows of this.
    return {volume * cross(m[1], m[2]), volume * cross(m[2], m[0]), volume * cross(m[0], m[1])};
}

/// The memory of unwrap().
class Unwrapping {
public:
    void apply(Frame& frame) {
        if (frame.positions.empty()) return;
        const Lattice lattice(frame.box);
        if (!last_) {
            start(frame, lattice);
            return;
        }
        require_n_atoms(frame, atoms_.size());
        if (lattice.edges() != last_->edges()) take_to(lattice, frame);
        for (std::size_t i = 0; i < atoms_.size(); ++i) {
            Atom& atom = atoms_[i];
            const Vec3d s = lattice.fractional(to_double(frame.positions[i]));
            const Vec3d step = s - atom.s;
            const Vec3d moved = lattice.fractional(lattice.shortest(lattice.cartesian(step)));
            atom.boxes = atom.boxes + rounded(moved - step);
            atom.s = s;
            if (atom.boxes == Vec3d{}) continue;
            frame.positions[i] = to_float(to_double(frame.positions[i]) + lattice.cartesian(atom.boxes));
        }
        last_ = lattice;
    }

private:
    struct Atom {
        Vec3d s{};
        Vec3d boxes{};  ///< whole numbers
    };

    void start(const Frame& frame, const Lattice& lattice) {
        for (const Vec3f& x : frame.positions) atoms_.push_back({lattice.fractional(to_double(x))});
        last_ = lattice;
    }
    void take_to(const Lattice& lattice, const Frame& frame) {
        const Matrix3 basis = change_of_basis(*last_, lattice, frame);
        if (basis == Matrix3{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}) return;
        for (Atom& atom : atoms_) {
            atom.s = basis * atom.s;
            atom.boxes = basis * atom.boxes;
        }
    }

    std::optional<Lattice> last_;
    std::vector<Atom> atoms_;
};

/// The memory of unwrap_displacements().
class Displacements {
public:
    void operator()(const Wholeness& wholeness, const Lattice& lattice, Frame& frame) {
        const Units& units = wholeness.units();
        const bool first = centres_.empty();
        centres_.resize(units.size());
        for (std::size_t i = 0; i < units.size(); ++i) {
            const Vec3d centre = wholeness.centre(frame, units[i]);
            Centre& known = centres_[i];
            known.unwrapped = first ? centre : known.unwrapped + lattice.shortest(centre - known.seen);
            known.seen = centre;
            move(frame, units[i], known.unwrapped - centre);
        }
    }

private:
    struct Centre {
        Vec3d seen{};
        Vec3d unwrapped{};
    };
    std::vector<Centre> centres_;
};

}  // namespace

Transformation make_whole(const Topology& topology, Unit unit) {
    auto wholeness = std::make_shared<const Wholeness>(topology, unit);
    return Transformation::each_frame(
        [wholeness] { return whole_and_then(wholeness, [](const Wholeness&, const Lattice&, Frame&) {}); });
}

Transformation wrap(CellShape shape) {
    return Transformation([shape](Frame& frame) {
        if (frame.positions.empty()) return;
        const Lattice lattice(frame.box);
        for_each_position(frame, [&](const Vec3d& x) { return lattice.into(x, shape); });
    });
}

Transformation wrap(const Topology& topology, Unit unit, CellShape shape) {
    if (unit == Unit::atoms) return wrap(shape);
    auto wholeness = std::make_shared<const Wholeness>(topology, unit);
    return Transformation::each_frame([wholeness, shape] {
        return whole_and_then(wholeness,
                              [shape](const Wholeness& whole, const Lattice& lattice, Frame& frame) {
                                  for (const std::vector<std::int32_t>& one : whole.units()) {
                                      const Vec3d centre = whole.centre(frame, one);
                                      move(frame, one, lattice.into(centre, shape) - centre);
                                  }
                              });
    });
}

Transformation unwrap() {
    return Transformation::in_order(
        [] { return [memory = std::make_shared<Unwrapping>()](Frame& frame) { memory->apply(frame); }; });
}

Transformation unwrap_displacements(const Topology& topology, Unit unit) {
    auto wholeness = std::make_shared<const Wholeness>(topology, unit);
    return Transformation::in_order([wholeness] { return whole_and_then(wholeness, Displacements()); });
}

}  // namespace coromd::trajectory
