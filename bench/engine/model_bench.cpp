// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Steps per second on one core, of one particle, by potential and integrator.
#include <benchmark/benchmark.h>

#include <utility>
#include <vector>

#include "coromd/engine/model/simulation.hpp"

namespace coromd::engine::model {
namespace {

Gaussians eight_wells() {
    Gaussians potential{1.0, {}};
    for (const Vec2 centre : {Vec2{0.5, 0.5}, Vec2{-0.5, 0.5}, Vec2{0.5, -0.5}, Vec2{-0.5, -0.5},
                              Vec2{0.0, 0.7}, Vec2{0.0, -0.7}, Vec2{0.7, 0.0}, Vec2{-0.7, 0.0}})
        potential.terms.push_back({-1.0, -12.0, 0.0, -12.0, centre});
    return potential;
}

void steps(benchmark::State& state, const Potential& potential, Integrator integrator, Vec2 start) {
    constexpr std::int64_t kSteps = 10'000;
    Dynamics dynamics;
    dynamics.integrator = integrator;
    dynamics.dt_ps = 1e-4;
    dynamics.kt = integrator == Integrator::velocity_verlet ? 1.0 : 0.1;
    Simulation simulation(potential, dynamics, 1, {{start, {}}});
    for (auto _ : state) simulation.advance(kSteps);
    state.counters["steps/s"] =
        benchmark::Counter(static_cast<double>(state.iterations() * kSteps), benchmark::Counter::kIsRate);
}

#define COROMD_BENCH(name, potential, start)                                                          \
    BENCHMARK_CAPTURE(steps, name##_overdamped, Potential(potential), Integrator::overdamped, start); \
    BENCHMARK_CAPTURE(steps, name##_baoab, Potential(potential), Integrator::baoab, start);           \
    BENCHMARK_CAPTURE(steps, name##_verlet, Potential(potential), Integrator::velocity_verlet, start)

COROMD_BENCH(harmonic_2d, (Harmonic{{10.0, 10.0}, {}}), (Vec2{0.1, 0.1}));
COROMD_BENCH(double_well_1d, (DoubleWell{5.0, 1.0, 0.0}), (Vec2{-1.0, 0.0}));
COROMD_BENCH(double_well_2d, (DoubleWell{5.0, 1.0, 10.0}), (Vec2{-1.0, 0.0}));
COROMD_BENCH(mueller_brown, (MuellerBrown{0.1}), (Vec2{-0.5, 1.4}));
COROMD_BENCH(eight_gaussians, eight_wells(), (Vec2{0.5, 0.5}));
COROMD_BENCH(formula_1d, Formula("5*(x^2-1)^2"), (Vec2{-1.0, 0.0}));
COROMD_BENCH(formula_2d, Formula("5*(x^2-1)^2 + 5*y^2"), (Vec2{-1.0, 0.0}));

}  // namespace
}  // namespace coromd::engine::model
