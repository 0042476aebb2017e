// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>

#include "coromd/core/error.hpp"
#include "coromd/trajectory/frame.hpp"
#include "lattice.hpp"

namespace coromd::trajectory {

inline void require_positions(const Frame& frame, std::string_view for_what) {
    if (frame.positions.empty())
        fail(ErrorKind::usage, "the frame of step {} has no positions {}", frame.step, for_what);
}

/// Have all of them positions in the frame?
inline void require_atoms(const Frame& frame, std::span<const std::int32_t> atoms) {
    for (const std::int32_t atom : atoms)
        if (atom < 0 || static_cast<std::size_t>(atom) >= frame.positions.size())
            fail(ErrorKind::usage, "there is no atom {} in the frame of step {}, which has {} positions",
                 atom, frame.step, frame.positions.size());
}

inline void require_n_atoms(const Frame& frame, std::size_t n_atoms) {
    if (frame.positions.size() != n_atoms)
        fail(ErrorKind::usage, "the frame of step {} has {} positions, the topology {} atoms", frame.step,
             frame.positions.size(), n_atoms);
}

/// Rewrites each position by `fn`.
template <typename Fn>
void for_each_position(Frame& frame, const Fn& fn) {
    for (Vec3f& x : frame.positions) x = to_float(fn(to_double(x)));
}

}  // namespace coromd::trajectory
