// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "coromd/engine/model/potential.hpp"

namespace coromd::engine::model {

enum class Integrator {
    /// Euler and Maruyama: x += F dt / (m gamma) + sqrt(2 kT dt / (m gamma)) xi. No velocities.
    overdamped,
    /// Langevin dynamics (B. Leimkuhler, C. Matthews, Appl. Math. Res. Express 2013, 34): exact
    /// densities of positions where the potential is harmonic.
    baoab,
    /// Newton's equations; keeps the energy.
    velocity_verlet
};

/// "overdamped", "baoab", "velocity_verlet".
std::string_view to_string(Integrator integrator) noexcept;

/// How particles move. Reduced units are the numbers themselves: kT = 1, mass = 1, friction = 1 are a
/// diffusion coefficient kT / (mass friction) = 1.
struct Dynamics {
    Integrator integrator = Integrator::overdamped;
    double dt_ps = 0.001;
    double kt = 1.0;        ///< kJ/mol; not used by velocity_verlet
    double friction = 1.0;  ///< per ps; not used by velocity_verlet
    double mass = 1.0;      ///< amu, of each particle
};

struct Particle {
    Vec2 position{};  ///< nm
    Vec2 velocity{};  ///< nm/ps; kept as it is where the dynamics are overdamped

    friend bool operator==(const Particle&, const Particle&) = default;
};

/// Particles that move in a potential, and do not see each other: the whole of the model engine's MD,
/// without files.
///
/// What comes out depends on the start, the seed and the number of steps: not on how these were cut
/// into calls, nor into parts of a run, and on one machine to the last bit. For one thread at a time.
class Simulation {
public:
    /// Farther from the origin than this, in nm, nothing is followed; the columns of a GRO file end there.
    static constexpr double kFarthest = 999.0;

    /// `bias` is added to the potential. `step`: how many steps the particles have behind them.
    /// Throws Error(usage) where dt, mass, friction or kT are not positive, and where there is no particle.
    Simulation(Potential potential, Dynamics dynamics, std::uint64_t seed, std::vector<Particle> particles,
               std::optional<Harmonic> bias = {}, std::int64_t step = 0);

    /// Throws Error(input) where a particle has left what kFarthest allows: dt is too long or the
    /// potential has no bottom. Then the simulation is of no more use.
    void advance(std::int64_t steps);

    std::int64_t step() const noexcept { return step_; }
    double time_ps() const noexcept { return static_cast<double>(step_) * dynamics_.dt_ps; }
    const std::vector<Particle>& particles() const noexcept { return particles_; }
    const Dynamics& dynamics() const noexcept { return dynamics_; }
    /// Of all particles: potential and bias, kJ/mol.
    double potential_energy() const;
    /// kJ/mol.
    double kinetic_energy() const noexcept;

private:
    Potential potential_;
    std::optional<Harmonic> bias_;
    Dynamics dynamics_;
    std::uint64_t seed_;
    std::vector<Particle> particles_;
    std::int64_t step_;
};

}  // namespace coromd::engine::model
