// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What is known exactly of the dynamics: densities, the energy, mean first passage times. Seeds are
// fixed, so that nothing here is left to chance.
#include "coromd/engine/model/simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "unit/core/fixtures.hpp"

namespace coromd::engine::model {
namespace {

using testing::HasSubstr;

Dynamics dynamics(Integrator integrator, double dt, double kt = 1.0, double friction = 1.0) {
    return {integrator, dt, kt, friction, 1.0};
}

struct Mean {
    double value = 0.0;
    double error = 0.0;  ///< its standard deviation
};

/// The mean of `observe` over particles, each of which starts at `start`, and over `samples` times. Its
/// error is that of independent particles.
Mean average(const Potential& potential, const Dynamics& how, Vec2 start, std::int64_t equilibration,
             std::int64_t interval, int samples, const std::function<double(const Particle&)>& observe) {
    constexpr std::size_t kParticles = 2000;
    Simulation simulation(potential, how, 11, std::vector<Particle>(kParticles, {start, {}}));
    simulation.advance(equilibration);
    std::vector<double> means(kParticles);
    for (int i = 0; i < samples; ++i) {
        simulation.advance(interval);
        for (std::size_t p = 0; p < kParticles; ++p) means[p] += observe(simulation.particles()[p]) / samples;
    }
    double sum = 0.0;
    double squares = 0.0;
    for (const double mean : means) {
        sum += mean;
        squares += mean * mean;
    }
    const double mean = sum / kParticles;
    return {mean, std::sqrt((squares / kParticles - mean * mean) / kParticles)};
}

/// The mean of `observe` with the weight exp(-V/kT), by the midpoint rule over a square.
double boltzmann_average(const Potential& potential, double kt, const std::function<double(Vec2)>& observe) {
    constexpr int kPoints = 600;
    constexpr double kEdge = 3.0;
    double sum = 0.0;
    double weights = 0.0;
    for (int i = 0; i < kPoints; ++i) {
        for (int j = 0; j < kPoints; ++j) {
            const Vec2 r{kEdge * (2 * i + 1 - kPoints) / kPoints, kEdge * (2 * j + 1 - kPoints) / kPoints};
            const double weight = std::exp(-energy(potential, r) / kt);
            sum += weight * observe(r);
            weights += weight;
        }
    }
    return sum / weights;
}

double x_square(const Particle& particle) {
    return particle.position.x * particle.position.x;
}

// The scheme of Euler and Maruyama has its own exact variance: kT/k / (1 - k dt / (2 m gamma)).
TEST(ModelSimulation, OverdampedHarmonicHasTheVarianceOfItsScheme) {
    const double k = 4.0;
    const double dt = 0.1;
    const Mean mean =
        average(Harmonic{{k, 0.0}, {}}, dynamics(Integrator::overdamped, dt), {}, 100, 20, 200, x_square);
    EXPECT_NEAR(mean.value, 1.0 / k / (1.0 - 0.5 * k * dt), 3.0 * mean.error);
    EXPECT_LT(mean.error, 0.001);
}

// BAOAB samples positions of a harmonic potential exactly, whatever the time step.
TEST(ModelSimulation, BaoabIsExactForHarmonicPositions) {
    for (const double dt : {0.1, 0.7}) {
        const Mean mean = average(Harmonic{{4.0, 0.0}, {}}, dynamics(Integrator::baoab, dt, 0.5), {}, 300, 20,
                                  200, x_square);
        EXPECT_NEAR(mean.value, 0.5 / 4.0, 3.0 * mean.error) << dt;
        EXPECT_LT(mean.error, 0.0005);
    }
}

TEST(ModelSimulation, BaoabHasTheTemperature) {
    const auto twice_kinetic = [](const Particle& p) { return p.velocity.x * p.velocity.x; };
    const Mean mean = average(Harmonic{{1.0, 0.0}, {}}, dynamics(Integrator::baoab, 0.01, 0.8), {}, 1000, 500,
                              40, twice_kinetic);
    EXPECT_NEAR(mean.value, 0.8, 3.0 * mean.error);
}

TEST(ModelSimulation, DoubleWellHasItsDensity) {
    const DoubleWell potential{2.0, 1.0, 3.0};
    for (const Integrator integrator : {Integrator::overdamped, Integrator::baoab}) {
        const double dt = integrator == Integrator::overdamped ? 0.001 : 0.02;
        const std::int64_t interval = integrator == Integrator::overdamped ? 300 : 50;
        const auto near_barrier = [](Vec2 r) { return std::abs(r.x) < 0.5 ? 1.0 : 0.0; };
        const auto how = dynamics(integrator, dt);
        const Mean barrier = average(potential, how, {1.0, 0.0}, 10 * interval, interval, 60,
                                     [&](const Particle& p) { return near_barrier(p.position); });
        EXPECT_NEAR(barrier.value, boltzmann_average(potential, 1.0, near_barrier), 3.0 * barrier.error)
            << to_string(integrator);
        const auto y_square = [](Vec2 r) { return r.y * r.y; };
        const Mean y = average(potential, how, {1.0, 0.0}, 10 * interval, interval, 60,
                               [&](const Particle& p) { return y_square(p.position); });
        EXPECT_NEAR(y.value, 1.0 / 3.0, 3.0 * y.error + 0.001) << to_string(integrator);
    }
}

TEST(ModelSimulation, GaussiansInWallsHaveTheirMeanEnergy) {
    Gaussians potential{1.0, {}};
    for (const Vec2 centre : {Vec2{0.6, 0.0}, Vec2{-0.3, 0.5}, Vec2{-0.3, -0.5}})
        potential.terms.push_back({-1.0, -12.0, 0.0, -12.0, centre});
    const Mean mean = average(potential, dynamics(Integrator::baoab, 0.02, 0.3, 2.5), {0.6, 0.0}, 4000, 200,
                              40, [&](const Particle& p) { return potential.energy(p.position); });
    const double exact = boltzmann_average(potential, 0.3, [&](Vec2 r) { return potential.energy(r); });
    EXPECT_NEAR(mean.value, exact, 3.0 * mean.error + 0.001);
}

TEST(ModelSimulation, BiasIsAddedToThePotential) {
    const Harmonic bias{{12.0, 0.0}, {0.5, 0.0}};
    constexpr double kMinimum = 12.0 * 0.5 / 16.0;
    Simulation simulation(Harmonic{{4.0, 0.0}, {}}, dynamics(Integrator::overdamped, 0.01, 1e-12), 1,
                          {{{1.0, 0.0}, {}}}, bias);
    simulation.advance(1000);
    EXPECT_NEAR(simulation.particles().front().position.x, kMinimum, 1e-4);
    EXPECT_NEAR(simulation.potential_energy(), 2.0 * kMinimum * kMinimum + 6.0 * 0.125 * 0.125, 1e-3);
}

TEST(ModelSimulation, VelocityVerletKeepsTheEnergyAndTurnsBack) {
    const Dynamics how = dynamics(Integrator::velocity_verlet, 1e-3);
    const Particle first{{-0.6, 1.3}, {0.5, -0.2}};
    Simulation there(MuellerBrown{1.0}, how, 1, {first});
    const double before = there.potential_energy() + there.kinetic_energy();
    for (int i = 0; i < 100; ++i) {
        there.advance(50);
        EXPECT_NEAR(there.potential_energy() + there.kinetic_energy(), before, 0.02);
    }
    Particle turned = there.particles().front();
    turned.velocity = {-turned.velocity.x, -turned.velocity.y};
    Simulation back(MuellerBrown{1.0}, how, 1, {turned});
    back.advance(5000);
    EXPECT_NEAR(back.particles().front().position.x, first.position.x, 1e-6);
    EXPECT_NEAR(back.particles().front().position.y, first.position.y, 1e-6);
}

// From -1 to 1 with D = kT = 1: the integral of exp(V(y)) over [-1, 1] times that of exp(-V(z)) up to y.
double exact_passage_time(const DoubleWell& potential) {
    constexpr double kStart = -3.5;
    constexpr int kPoints = 100'000;
    const double width = (1.0 - kStart) / kPoints;
    double below = 0.0;
    double time = 0.0;
    for (int i = 0; i < kPoints; ++i) {
        const double y = kStart + (i + 0.5) * width;
        const double weight = std::exp(-potential.energy({y, 0.0}));
        if (y > -1.0) time += width / weight * (below + 0.5 * width * weight);
        below += width * weight;
    }
    return time;
}

TEST(ModelSimulation, MeanFirstPassageTimeIsTheExactOne) {
    const DoubleWell potential{3.0, 1.0, 0.0};
    const double exact = exact_passage_time(potential);
    EXPECT_NEAR(exact, 8.880, 0.001);
    EXPECT_NEAR(exact_passage_time({5.0, 1.0, 0.0}), 36.48, 0.01);
    EXPECT_NEAR(exact_passage_time({8.0, 1.0, 0.0}), 437.5, 0.1);

    constexpr int kPassages = 1000;
    double sum = 0.0;
    double squares = 0.0;
    for (std::uint64_t seed = 0; seed < kPassages; ++seed) {
        Simulation simulation(potential, dynamics(Integrator::overdamped, 5e-4), seed, {{{-1.0, 0.0}, {}}});
        while (simulation.particles().front().position.x < 1.0) simulation.advance(2);
        sum += simulation.time_ps();
        squares += simulation.time_ps() * simulation.time_ps();
    }
    const double mean = sum / kPassages;
    const double error = std::sqrt((squares / kPassages - mean * mean) / kPassages);
    EXPECT_NEAR(mean, exact, 3.0 * error);
}

TEST(ModelSimulation, IsTheSameHoweverItIsCut) {
    const std::vector<std::pair<const char*, Potential>> potentials{
        {"double well", DoubleWell{3.0, 1.0, 2.0}},
        {"of x", DoubleWell{3.0, 1.0, 0.0}},
        {"Mueller and Brown", MuellerBrown{0.05}},
        {"formula", Formula("x^4 + y^4 - x*y")}};
    const std::vector<Particle> start{{{0.1, 0.2}, {0.3, -0.1}}, {{-0.4, 0.6}, {0.0, 1.0}}};
    const Harmonic bias{{1.0, 1.0}, {0.2, 0.1}};
    for (const auto& [name, potential] : potentials) {
        for (const Integrator integrator :
             {Integrator::overdamped, Integrator::baoab, Integrator::velocity_verlet}) {
            const Dynamics how = dynamics(integrator, 0.003);
            Simulation whole(potential, how, 9, start, bias);
            whole.advance(1000);
            for (const std::int64_t piece : {1, 7, 255, 256, 257, 999}) {
                std::vector<Particle> state = start;
                for (std::int64_t step = 0; step < 1000;) {
                    Simulation part(potential, how, 9, state, bias, step);
                    part.advance(std::min(piece, 1000 - step));
                    state = part.particles();
                    step = part.step();
                }
                EXPECT_EQ(state, whole.particles())
                    << name << ", " << to_string(integrator) << " by " << piece;
            }
        }
    }
}

TEST(ModelSimulation, MovesNothingAlongYWhereNothingDependsOnIt) {
    Simulation simulation(DoubleWell{1.0, 1.0, 0.0}, dynamics(Integrator::baoab, 0.01), 1,
                          {{{0.0, 0.25}, {1.0, 2.0}}});
    simulation.advance(1000);
    EXPECT_EQ(simulation.particles().front().position.y, 0.25);
    EXPECT_NE(simulation.particles().front().position.x, 0.0);
}

TEST(ModelSimulation, SaysWhenItBlowsUp) {
    for (const Potential& potential :
         {Potential(DoubleWell{1e6, 1.0, 0.0}), Potential(Harmonic{{-5.0, -5.0}, {}})}) {
        Simulation simulation(potential, dynamics(Integrator::baoab, 0.1), 1,
                              {{{0.1, 0.0}, {}}, {{0.0, 0.0}, {}}});
        const Error error = error_of([&] { simulation.advance(100'000); });
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.what(), HasSubstr("shorter dt"));
    }
}

TEST(ModelSimulation, RefusesWhatMakesNoSense) {
    const auto refusal = [](Dynamics how, std::vector<Particle> particles, std::int64_t step) {
        return error_of([&] { Simulation(DoubleWell{}, how, 1, particles, {}, step); });
    };
    const Dynamics good = dynamics(Integrator::baoab, 0.1);
    EXPECT_THAT(refusal(dynamics(Integrator::baoab, 0.0), {{}}, 0).what(), HasSubstr("dt"));
    EXPECT_THAT(refusal(dynamics(Integrator::baoab, 0.1, -1.0), {{}}, 0).what(), HasSubstr("kT"));
    EXPECT_THAT(refusal(dynamics(Integrator::baoab, 0.1, 1.0, NAN), {{}}, 0).what(), HasSubstr("friction"));
    EXPECT_THAT(refusal(good, {}, 0).what(), HasSubstr("no particle"));
    EXPECT_THAT(refusal(good, {{}}, -1).what(), HasSubstr("-1"));
}

}  // namespace
}  // namespace coromd::engine::model
