// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::report {

struct Material;

/// A variable that the campaign has defined.
struct Variable {
    std::string name;
    std::string text;       ///< as it was written
    std::string units;      ///< "rad", "nm"; empty where it has none, or nobody knows
    bool periodic = false;  ///< from -pi to pi
};

/// All variables along one trajectory.
struct TrajectoryValues {
    std::string subject;                       ///< the walker
    std::vector<double> time_ps;               ///< one per frame
    std::vector<std::vector<double>> columns;  ///< one per variable, each with one value per frame
};

struct VariableValues {
    std::vector<Variable> variables;
    std::vector<TrajectoryValues> trajectories;
    /// What is not there and why, each a sentence.
    std::vector<std::string> left_out;
};

/// How much time and memory the values of variables may take.
struct ValueLimits {
    /// No trajectory is begun later than that. What is in the cache costs next to nothing.
    std::chrono::milliseconds time{5'000};
    std::int64_t frames = 2'000'000;
};

/// Evaluates the recorded definitions ("variables.NAME") along the recorded trajectories (products of kind
/// "trajectory"), those of a sample first that is spread over all of them. Values are kept in the campaign's
/// values.sqlite. What cannot be evaluated is told in `left_out`, never thrown.
///
/// Cancellation: as functions::evaluate_together().
runtime::task<VariableValues> evaluate_variables(runtime::Context& context, const Material& material,
                                                 ValueLimits limits);

}  // namespace coromd::report
