// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/velocities.hpp"

#include <array>
#include <cmath>
#include <vector>

#include "coromd/core/error.hpp"
#include "coromd/core/units.hpp"

namespace coromd::trajectory {

void invert_velocities(Frame& frame) noexcept {
    for (Vec3f& v : frame.velocities) v = {-v.x, -v.y, -v.z};
}

void draw_velocities(Frame& frame, std::span<const double> masses_amu, double temperature_k,
                     RandomStream& random, bool keep_centre_of_mass_motion) {
    const std::size_t n_atoms = frame.positions.size();
    if (masses_amu.size() != n_atoms) {
        fail(ErrorKind::usage, "{} masses were given for {} atoms", masses_amu.size(), n_atoms);
    }
    if (!(temperature_k > 0.0) || !std::isfinite(temperature_k)) {
        fail(ErrorKind::usage, "velocities cannot be drawn at {} K", temperature_k);
    }
    std::vector<std::array<double, 3>> velocities(n_atoms);
    std::array<double, 3> momentum{};
    double total_mass = 0.0;
    for (std::size_t i = 0; i < n_atoms; ++i) {
        const double mass = masses_amu[i];
        if (!(mass >= 0.0) || !std::isfinite(mass)) {
            fail(ErrorKind::usage, "the mass of atom {} is {}", i + 1, mass);
        }
        if (mass == 0.0) continue;
        const double sigma = std::sqrt(units::kBoltzmann * temperature_k / mass);
        for (std::size_t d = 0; d < 3; ++d) {
            velocities[i][d] = sigma * random.normal();
            momentum[d] += mass * velocities[i][d];
        }
        total_mass += mass;
    }
    if (keep_centre_of_mass_motion) momentum = {};
    frame.velocities.assign(n_atoms, Vec3f{});
    for (std::size_t i = 0; i < n_atoms; ++i) {
        if (masses_amu[i] == 0.0) continue;
        const auto relative = [&](std::size_t d) {
            return static_cast<float>(velocities[i][d] - momentum[d] / total_mass);
        };
        frame.velocities[i] = {relative(0), relative(1), relative(2)};
    }
}

}  // namespace coromd::trajectory
