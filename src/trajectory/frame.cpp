// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/frame.hpp"

#include <algorithm>

namespace coromd::trajectory {

std::int64_t Frame::n_atoms() const noexcept {
    return static_cast<std::int64_t>(std::max({positions.size(), velocities.size(), forces.size()}));
}

}  // namespace coromd::trajectory
