// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/frame.hpp"

#include <algorithm>

#include "coromd/core/error.hpp"

namespace coromd::trajectory {

std::int64_t Frame::n_atoms() const noexcept {
    return static_cast<std::int64_t>(std::max({positions.size(), velocities.size(), forces.size()}));
}

void keep_atoms(Frame& frame, std::span<const std::int32_t> indices) {
    const std::int64_t n_atoms = frame.n_atoms();
    for (const std::int32_t i : indices)
        if (i < 0 || i >= n_atoms) fail(ErrorKind::usage, "there is no atom {}: there are {}", i, n_atoms);
    for (std::vector<Vec3f>* values : {&frame.positions, &frame.velocities, &frame.forces}) {
        if (values->empty()) continue;
        std::vector<Vec3f> kept;
        kept.reserve(indices.size());
        for (const std::int32_t i : indices) kept.push_back((*values)[static_cast<std::size_t>(i)]);
        *values = std::move(kept);
    }
}

}  // namespace coromd::trajectory
