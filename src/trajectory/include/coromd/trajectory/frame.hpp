// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace coromd::trajectory {

/// Three floats: a position in nm, a velocity in nm/ps or a force in kJ/(mol nm).
struct Vec3f {
    float x = 0.0F;
    float y = 0.0F;
    float z = 0.0F;

    friend bool operator==(const Vec3f&, const Vec3f&) = default;
};
static_assert(sizeof(Vec3f) == 3 * sizeof(float), "arrays of Vec3f are handed out as (n, 3) arrays of float");

/// The periodic box: three vectors in nm, as GROMACS has them (a along x, b in the xy plane) unless a
/// transformation has rotated it. All zero where the system is not periodic.
struct Box {
    Vec3f a;
    Vec3f b;
    Vec3f c;

    bool periodic() const noexcept { return *this != Box{}; }
    friend bool operator==(const Box&, const Box&) = default;
};

/// One frame of a trajectory.
struct Frame {
    std::int64_t step = 0;
    double time_ps = 0.0;  ///< NaN where the file does not say (GRO, PDB)
    Box box;
    std::vector<Vec3f> positions;   ///< (n_atoms, 3) nm; empty where the frame has none
    std::vector<Vec3f> velocities;  ///< (n_atoms, 3) nm/ps; empty where the frame has none
    std::vector<Vec3f> forces;      ///< (n_atoms, 3) kJ/(mol nm); empty where the frame has none
    /// The positions were rounded to multiples of 1/precision nm (XTC, GRO, PDB); 0 where they were not.
    float precision = 0.0F;

    bool has_velocities() const noexcept { return !velocities.empty(); }
    bool has_forces() const noexcept { return !forces.empty(); }
    /// The number of atoms that it carries anything for.
    std::int64_t n_atoms() const noexcept;
};

/// Keeps some of the atoms, in the order of `indices`. Throws Error(usage) where one is out of range.
void keep_atoms(Frame& frame, std::span<const std::int32_t> indices);

/// What a reader of a frame needs; what is not needed is neither decoded nor, where the format
/// allows it, read from the disk.
struct FrameNeeds {
    static constexpr std::int64_t kAllAtoms = std::numeric_limits<std::int64_t>::max();

    /// The first so many atoms. The arrays of the frame end there: a function of the atoms
    /// {4, 6, 8, 14} asks for 15.
    std::int64_t atoms = kAllAtoms;
    bool velocities = true;
    bool forces = true;
};

}  // namespace coromd::trajectory
