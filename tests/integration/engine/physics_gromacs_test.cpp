// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Is it the right physics that our frames start? Both tests use velocity Verlet, where the
// velocities of a frame are those of its positions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/functions/geometry.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/trajectory/extract.hpp"
#include "integration/engine/alanine.hpp"

namespace coromd::engine::gromacs {
namespace {

using namespace test;
using runtime::task;
using trajectory::Frame;
using trajectory::Trajectory;

/// The first temperature in a log: that of step 0, as GROMACS has it. Energies stand in columns
/// of 15 characters, their names above them.
double first_temperature(const std::string& log) {
    constexpr std::size_t kWidth = 15;
    constexpr std::string_view kName = "Temperature";
    const auto energies = log.find("   Energies (kJ/mol)");
    const auto name = log.find(kName, energies);
    if (energies == std::string::npos || name == std::string::npos) return std::nan("");
    const auto line = log.rfind('\n', name) + 1;
    const auto values = log.find('\n', name) + 1;
    const auto column = (name + kName.size() - line) / kWidth - 1;
    return std::stod(log.substr(values + column * kWidth, kWidth));
}

class Physics : public Alanine {
protected:
    /// Draws velocities for a walker and lets GROMACS do a step.
    static task<double> temperature(Program& program, Trajectory reference, std::string name) {
        const auto engine = program.system->engine(name);
        co_await propagation::start_with_new_velocities(program.context, *engine, reference, 0, 300.0,
                                                        program.campaign->random(name));
        co_await engine->run(RunLimits().total_steps(1));
        co_return first_temperature(read_text_file(engine->directory() / "md.part0001.log"));
    }

    static task<std::vector<double>> temperatures(Program& program, int draws) {
        const Trajectory reference = co_await program.system->reference();
        std::vector<task<double>> walkers;
        for (int i = 0; i < draws; ++i)
            walkers.push_back(temperature(program, reference, "walkers/" + std::to_string(i)));
        co_return co_await runtime::gather(std::move(walkers));
    }
};

// Drawn for all atoms as if they were free, then stripped by GROMACS of what constraints do not
// allow: what is left must have kT/2 in each of the degrees of freedom that are left.
TEST_F(Physics, DrawnVelocitiesHaveTheirTemperature) {
    constexpr int kDraws = 40;
    // So short a step that the forces do not count.
    Program program(*this, input({{"integrator", "md-vv"},
                                  {"tcoupl", "no"},
                                  {"dt", "0.00002"},
                                  {"nstxout-compressed", "1"},
                                  {"nstlog", "1"},
                                  {"nstcalcenergy", "1"}}));
    const std::vector<double> values = program.context.run(temperatures(program, kDraws));

    // 22 atoms of the peptide with 12 bonds to hydrogen; rigid water; the centre of mass at rest.
    const std::int64_t atoms = program.system->structure().n_atoms();
    const double freedom = static_cast<double>(3 * atoms - (atoms - 22) - 12 - 3);
    const double error_of_one = 300.0 * std::sqrt(2.0 / freedom);
    double mean = 0.0;
    for (const double value : values) mean += value / kDraws;
    double variance = 0.0;
    for (const double value : values) variance += (value - mean) * (value - mean) / (kDraws - 1);
    EXPECT_NEAR(mean, 300.0, 3 * error_of_one / std::sqrt(kDraws));
    // It fluctuates as it should; the variance of 40 values has a relative error of 0.23.
    EXPECT_NEAR(variance / (error_of_one * error_of_one), 1.0, 3 * std::sqrt(2.0 / (kDraws - 1)));
}

/// The root mean square distance of two frames, each atom to its nearest image.
double rmsd(const Frame& a, const Frame& b) {
    const functions::MinimumImage nearest(a.box);
    double sum = 0.0;
    for (std::size_t i = 0; i < a.positions.size(); ++i) {
        const functions::Vec3 d = nearest(functions::Vec3(a.positions[i]) - functions::Vec3(b.positions[i]));
        sum += functions::dot(d, d);
    }
    return std::sqrt(sum / static_cast<double>(a.positions.size()));
}

TEST_F(Physics, InvertedVelocitiesLeadBack) {
    constexpr std::int64_t kSteps = 50;
    Input with_all = input(
        {{"integrator", "md-vv"}, {"tcoupl", "no"}, {"dt", "0.001"}, {"nstxout", "1"}, {"nstvout", "1"}});
    Program program(*this, with_all.output(OutputFormat::trr));

    const auto forward = program.start("forward");
    program.run(*forward, RunLimits().total_steps(kSteps));
    ASSERT_EQ(steps_of(forward->trajectory()), steps_by(1, kSteps));

    trajectory::ExtractOptions inverted;
    inverted.velocities = trajectory::VelocityMode::inverted;
    const Trajectory turn = trajectory::extract_frame(forward->trajectory(), -1, at("turn.trr"), inverted);
    const auto backward = program.system->engine("backward");
    program.context.run(backward->prepare(turn, 0));
    program.run(*backward, RunLimits().total_steps(kSteps));

    const Frame start = forward->trajectory().frame(0);
    EXPECT_GT(rmsd(start, turn.frame(0)), 0.01) << "it went somewhere";
    EXPECT_LT(rmsd(start, backward->trajectory().frame(-1)), 0.002);
    // All the way: frame i of the one is frame -1 - i of the other.
    EXPECT_LT(rmsd(forward->trajectory().frame(20), backward->trajectory().frame(-21)), 0.002);
}

}  // namespace
}  // namespace coromd::engine::gromacs
