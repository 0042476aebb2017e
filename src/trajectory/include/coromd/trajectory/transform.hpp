// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "coromd/trajectory/frame.hpp"
#include "coromd/trajectory/superposition.hpp"
#include "coromd/trajectory/topology.hpp"
#include "coromd/trajectory/trajectory.hpp"

namespace coromd::trajectory {

/// What is done to the frames of a trajectory while they are read: a value, that may be copied, put together
/// and used by several threads. Some transformations remember what they saw (the first frame, how often an
/// atom has left the box); the memory begins anew with each pass over a trajectory, and belongs to it.
///
///     const auto nice = make_whole(topology).then(centre(protein)).then([](Frame& f) { ... });
///     for_each_frame(trajectory, {}, nice, [](const Frame& frame) { ... });
class Transformation {
public:
    using Change = std::function<void(Frame&)>;

    /// Changes nothing.
    Transformation() = default;
    /// Any callable: it sees each frame by itself, in whatever order, from any thread.
    template <typename F>
        requires(std::invocable<F&, Frame&> && std::copy_constructible<std::decay_t<F>> &&
                 !std::same_as<std::decay_t<F>, Transformation>)
    Transformation(F&& change)
        : Transformation(from_change(Change(std::forward<F>(change)))) {}  // NOLINT(*-explicit-*)
    /// `begin` makes what is applied to the frames of one pass. It may remember, but one frame must not
    /// depend on those before it.
    static Transformation each_frame(std::function<Change()> begin);
    /// The same, where it does: all frames from the first one on have to be shown to it in order.
    static Transformation in_order(std::function<Change()> begin);

    /// This one first, then `next`.
    Transformation then(const Transformation& next) const;

    /// Begins a pass. What it returns changes frames in place, for one thread. Readers and
    /// writers of trajectories (below, concatenate(), extract_frame()) call it.
    Change begin() const;
    /// Does what becomes of a frame depend on those before it?
    bool needs_order() const noexcept { return needs_order_; }
    /// Is there anything to be done?
    explicit operator bool() const noexcept { return !steps_.empty(); }

private:
    static Transformation from_change(Change change);

    std::vector<std::shared_ptr<const std::function<Change()>>> steps_;
    bool needs_order_ = false;
};

/// Which atoms stay together.
enum class Unit { atoms, residues, molecules };

/// Into which cell the images go; all fill space.
enum class CellShape {
    brick,      ///< 0 to a_x, b_y and c_z, whatever the box: what GROMACS calls "rect"
    triclinic,  ///< the parallelepiped of the box vectors
    compact     ///< nearest to the centre of the box: round, for a dodecahedron or an octahedron
};

/// All transformations throw, when they meet such a frame: Error(usage) where it has fewer or more atoms than
/// they were made for, has no positions though they are needed, or no periodic box where one is needed;
/// Error(input) where the box has no volume.

/// Puts the atoms of each residue or molecule beside each other again, where the box has cut it. The first
/// atom of each stays where it is, the others follow along the bonds of the topology; where there are none,
/// each time the atom nearest to those that were placed (by the first frame: it takes time with the square of
/// the unit's size). Exact as long as each bond is shorter than half the box. Throws Error(usage) where
/// molecules are asked for and the topology (.gro, .pdb) does not know them.
Transformation make_whole(const Topology& topology, Unit unit = Unit::molecules);

/// Puts every atom into the box.
Transformation wrap(CellShape shape = CellShape::brick);
/// Makes every unit whole and puts its centre (of mass, where the topology has masses) into the box. Throws
/// as make_whole().
Transformation wrap(const Topology& topology, Unit unit, CellShape shape = CellShape::brick);

/// No more jumps across the box: each atom is at that image of its position which continues its path, from
/// where it is in the first frame. Boxes may change (constant pressure): how many boxes an atom is away is
/// counted, from frame to frame, in the coordinates that scale with the box, so that it never has to
/// be told from a long distance; distances within a frame remain those of images. An atom must not move by
/// more than half a box between two frames. Needs the frames in order.
Transformation unwrap();
/// Sums the shortest displacements of the centres of molecules, which are made whole: the scheme that keeps
/// diffusion coefficients right at constant pressure (S. von Bülow, J. T. Bullerjahn, G. Hummer, J. Chem.
/// Phys. 153, 021101 (2020)). What it gives is no image of the frame's own positions, where the box changes.
/// Needs the frames in order. Throws as make_whole().
Transformation unwrap_displacements(const Topology& topology, Unit unit = Unit::molecules);

/// Moves everything so that the centre of `atoms`, weighted (one per atom; empty: all 1), lies at `point`
/// (nm), or in the centre of the box. The atoms should be whole. Throws Error(usage) where there are no
/// atoms, or the weights do not fit.
Transformation centre(std::vector<std::int32_t> atoms, std::vector<double> weights = {},
                      std::optional<Vec3d> point = std::nullopt);

/// Moves everything by so many nm.
Transformation translate(const Vec3d& by_nm);

/// Rotates positions about a point, and velocities, forces and the vectors of the box with them. A box that
/// was rotated is no longer as GROMACS wants it; formats that hold lengths and angles (PDB, DCD, AMBER)
/// forget how it lies. Throws Error(usage) where the matrix is no rotation.
Transformation rotate(const Matrix3& rotation, const Vec3d& about_nm = {});

enum class FitKind { translation, rotation_translation };

/// Lays `atoms` upon `reference` (their positions, in that order, nm) as well as can be, and moves everything
/// with them; see superpose(), and rotate() for what a rotation does. The atoms should be whole. Throws
/// Error(usage) where the numbers differ, or are below three for a rotation, or the weights do not fit.
Transformation fit(std::vector<std::int32_t> atoms, std::vector<Vec3f> reference,
                   FitKind kind = FitKind::rotation_translation, std::vector<double> weights = {});
/// The same; the reference is the first frame, as it comes to this transformation. Needs the frames in order.
Transformation fit_to_first(std::vector<std::int32_t> atoms, FitKind kind = FitKind::rotation_translation,
                            std::vector<double> weights = {});

/// Reads the frames of a trajectory in order, each of them transformed.
class TransformedReader {
public:
    /// All atoms are read, whatever `needs` says of them: transformations look at them.
    TransformedReader(const Trajectory& trajectory, const Transformation& transformation,
                      const FrameNeeds& needs = {});

    /// Overwrites `frame` by the next one; false behind the last.
    bool next(Frame& frame);

private:
    TrajectoryReader reader_;
    Transformation::Change change_;
    FrameNeeds needs_;
    std::int64_t next_ = 0;
};

/// Calls `fn` with every frame in turn, transformed. The frame is valid during the call only. All atoms are
/// read, whatever `needs` says of them.
void for_each_frame(const Trajectory& trajectory, const FrameNeeds& needs,
                    const Transformation& transformation, const std::function<void(const Frame&)>& fn);

}  // namespace coromd::trajectory
