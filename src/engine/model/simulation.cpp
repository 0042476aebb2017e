// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Steps are done in blocks: the noise of a block first, in a loop of its own that the processor
// overlaps with itself, then the steps, each of which waits for the one before. The kind of potential
// and the integrator are looked at once per block. A block never carries anything over to the next one
// but positions and velocities: the force is a function of these.
//
// Compiled without contraction to fused multiply-adds (see CMakeLists.txt): which sums are fused is the
// compiler's choice, at each place where it inlines them, and the same force would have different bits.
#include "coromd/engine/model/simulation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "coromd/core/error.hpp"
#include "noise.hpp"

namespace coromd::engine::model {

namespace {

constexpr std::int64_t kBlock = 256;

/// A potential with the bias on top.
template <typename P>
struct Biased {
    const P& potential;
    Harmonic bias;

    Vec2 force(Vec2 r) const {
        const Vec2 own = potential.force(r);
        const Vec2 added = bias.force(r);
        return {own.x + added.x, own.y + added.y};
    }
};

/// The factors that the three integrators need, computed once per block.
struct Factors {
    explicit Factors(const Dynamics& d)
        : half_kick(0.5 * d.dt_ps / d.mass),
          half_drift(0.5 * d.dt_ps),
          drift(d.dt_ps / (d.mass * d.friction)),
          spread(std::sqrt(2.0 * d.kt * drift)),
          keep(std::exp(-d.friction * d.dt_ps)),
          renew(std::sqrt(-std::expm1(-2.0 * d.friction * d.dt_ps) * d.kt / d.mass)) {}

    double half_kick;   // force -> change of velocity in dt/2
    double half_drift;  // velocity -> change of position in dt/2
    double drift;       // overdamped: force -> change of position
    double spread;      // overdamped: noise -> change of position
    double keep;        // BAOAB: what the O step leaves of the velocity
    double renew;       // BAOAB: noise -> velocity
};

// Each is one block of steps of one particle. kDimensions numbers of `noise` belong to a step; what is
// not moved along y is left as it is.

template <int kDimensions, typename P>
void overdamped(Particle& particle, const P& potential, const Factors& f, std::span<const double> noise) {
    Vec2 r = particle.position;
    for (std::size_t i = 0; i < noise.size(); i += kDimensions) {
        const Vec2 force = potential.force(r);
        r.x += f.drift * force.x + f.spread * noise[i];
        if constexpr (kDimensions == 2) r.y += f.drift * force.y + f.spread * noise[i + 1];
    }
    particle.position = r;
}

template <int kDimensions, typename P>
void baoab(Particle& particle, const P& potential, const Factors& f, std::span<const double> noise) {
    Vec2 r = particle.position;
    Vec2 v = particle.velocity;
    Vec2 force = potential.force(r);
    for (std::size_t i = 0; i < noise.size(); i += kDimensions) {
        v.x += f.half_kick * force.x;
        r.x += f.half_drift * v.x;
        v.x = f.keep * v.x + f.renew * noise[i];
        r.x += f.half_drift * v.x;
        if constexpr (kDimensions == 2) {
            v.y += f.half_kick * force.y;
            r.y += f.half_drift * v.y;
            v.y = f.keep * v.y + f.renew * noise[i + 1];
            r.y += f.half_drift * v.y;
        }
        force = potential.force(r);
        v.x += f.half_kick * force.x;
        if constexpr (kDimensions == 2) v.y += f.half_kick * force.y;
    }
    particle = {r, v};
}

template <int kDimensions, typename P>
void velocity_verlet(Particle& particle, const P& potential, const Factors& f, std::int64_t steps) {
    Vec2 r = particle.position;
    Vec2 v = particle.velocity;
    Vec2 force = potential.force(r);
    for (std::int64_t i = 0; i < steps; ++i) {
        v.x += f.half_kick * force.x;
        r.x += 2.0 * f.half_drift * v.x;
        if constexpr (kDimensions == 2) {
            v.y += f.half_kick * force.y;
            r.y += 2.0 * f.half_drift * v.y;
        }
        force = potential.force(r);
        v.x += f.half_kick * force.x;
        if constexpr (kDimensions == 2) v.y += f.half_kick * force.y;
    }
    particle = {r, v};
}

/// Where a block of steps of one particle begins, and what it needs.
struct Block {
    Integrator integrator;
    const Factors& factors;
    std::uint64_t seed;
    std::uint32_t number;  // of the particle
    std::int64_t first_step;
    std::int64_t steps;
};

template <int kDimensions, typename P>
void run_in(Particle& particle, const P& potential, const Block& block) {
    if (block.integrator == Integrator::velocity_verlet)
        return velocity_verlet<kDimensions>(particle, potential, block.factors, block.steps);
    std::array<double, kBlock * kDimensions> buffer;
    const std::span noise(buffer.data(), static_cast<std::size_t>(block.steps) * kDimensions);
    fill_noise(block.seed, block.number, block.first_step, kDimensions, noise);
    if (block.integrator == Integrator::overdamped)
        return overdamped<kDimensions>(particle, potential, block.factors, noise);
    baoab<kDimensions>(particle, potential, block.factors, noise);
}

template <typename P>
void run(Particle& particle, const P& potential, int dimensions, const Block& block) {
    if (dimensions == 1) return run_in<1>(particle, potential, block);
    run_in<2>(particle, potential, block);
}

}  // namespace

std::string_view to_string(Integrator integrator) noexcept {
    switch (integrator) {
        case Integrator::overdamped:
            return "overdamped";
        case Integrator::baoab:
            return "baoab";
        case Integrator::velocity_verlet:
            break;
    }
    return "velocity_verlet";
}

Simulation::Simulation(Potential potential, Dynamics dynamics, std::uint64_t seed,
                       std::vector<Particle> particles, std::optional<Harmonic> bias, std::int64_t step)
    : potential_(std::move(potential)),
      bias_(bias),
      dynamics_(dynamics),
      seed_(seed),
      particles_(std::move(particles)),
      step_(step) {
    for (const auto& [name, value] : {std::pair{"dt", dynamics.dt_ps}, std::pair{"mass", dynamics.mass},
                                      std::pair{"friction", dynamics.friction}, std::pair{"kT", dynamics.kt}})
        if (!(value > 0.0) || !std::isfinite(value))
            fail(ErrorKind::usage, "{} = {} is not positive", name, value);
    if (particles_.empty()) fail(ErrorKind::usage, "there is no particle to move");
    if (step < 0) fail(ErrorKind::usage, "a simulation cannot begin at step {}", step);
}

void Simulation::advance(std::int64_t steps) {
    const Factors factors(dynamics_);
    const int n_dimensions = std::max(dimensions(potential_), bias_ ? bias_->dimensions() : 1);
    for (const std::int64_t end = step_ + steps; step_ < end;) {
        Block block{dynamics_.integrator, factors, seed_, 0, step_, std::min(kBlock, end - step_)};
        std::visit(
            [&](const auto& potential) {
                for (Particle& particle : particles_) {
                    if (bias_)
                        run(particle, Biased<std::decay_t<decltype(potential)>>{potential, *bias_},
                            n_dimensions, block);
                    else
                        run(particle, potential, n_dimensions, block);
                    ++block.number;
                }
            },
            potential_);
        step_ += block.steps;
        for (const Particle& particle : particles_) {
            const auto& [x, y] = particle.position;
            if (std::abs(x) <= kFarthest && std::abs(y) <= kFarthest) continue;
            fail(ErrorKind::input,
                 "particle {} is at ({}, {}) nm before step {}: a shorter dt may help, unless the potential "
                 "has "
                 "no bottom",
                 &particle - particles_.data(), x, y, step_);
        }
    }
}

double Simulation::potential_energy() const {
    double sum = 0.0;
    for (const Particle& particle : particles_)
        sum += energy(potential_, particle.position) + (bias_ ? bias_->energy(particle.position) : 0.0);
    return sum;
}

double Simulation::kinetic_energy() const noexcept {
    double sum = 0.0;
    for (const auto& [r, v] : particles_) sum += 0.5 * dynamics_.mass * (v.x * v.x + v.y * v.y);
    return sum;
}

}  // namespace coromd::engine::model
