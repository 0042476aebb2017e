// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coromd/functions/value_cache.hpp"
#include "coromd/functions/values.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"
#include "coromd/trajectory/frame.hpp"
#include "coromd/trajectory/topology.hpp"
#include "coromd/trajectory/trajectory.hpp"

namespace coromd::functions {

/// A function of a trajectory, with one or several values per frame. Immutable: one object
/// serves any number of evaluations at the same time.
class TrajectoryFunction {
public:
    explicit TrajectoryFunction(std::string name) : name_(std::move(name)) {}
    virtual ~TrajectoryFunction() = default;
    TrajectoryFunction(const TrajectoryFunction&) = delete;
    TrajectoryFunction& operator=(const TrajectoryFunction&) = delete;

    const std::string& name() const noexcept { return name_; }

    /// What tells the function from others that give other values for the same trajectory, whatever
    /// they are called: under this their values are cached. Empty where nobody can tell.
    virtual std::string identity() const { return {}; }

    /// One row of values per frame. The function must outlive the wait.
    /// Throws Error that names the function, the trajectory and, where one is to blame, the frame.
    ///
    /// Cancellation: stops what computes the values, waits until it has ended, throws Cancelled.
    virtual runtime::task<Values> evaluate(runtime::Context& context,
                                           trajectory::Trajectory trajectory) const = 0;

private:
    std::string name_;
};

using FunctionPtr = std::shared_ptr<const TrajectoryFunction>;

/// A function that is bound to the atoms of a system: computes one value from one frame. May keep
/// buffers between calls: for one thread.
class FrameEvaluator {
public:
    /// Reads the positions of `atoms`, in any order.
    explicit FrameEvaluator(std::vector<std::int32_t> atoms);
    /// The same, and needs more of a frame than the positions up to the last of the atoms.
    FrameEvaluator(std::vector<std::int32_t> atoms, trajectory::FrameNeeds needs);
    virtual ~FrameEvaluator() = default;

    /// The indices of the atoms that are read, each once, ascending.
    const std::vector<std::int32_t>& atoms() const noexcept { return atoms_; }
    /// What of a frame has to be decoded.
    const trajectory::FrameNeeds& needs() const noexcept { return needs_; }

    /// The value for a frame that has what is needed; NaN where it is not defined.
    virtual double operator()(const trajectory::Frame& frame) = 0;

private:
    std::vector<std::int32_t> atoms_;
    trajectory::FrameNeeds needs_;
};

/// What satisfies both.
trajectory::FrameNeeds union_of(const trajectory::FrameNeeds& a, const trajectory::FrameNeeds& b) noexcept;

/// A function with one value per frame that depends on nothing but the frame.
class FrameFunction : public TrajectoryFunction {
public:
    using TrajectoryFunction::TrajectoryFunction;

    /// Throws Error(usage) where the function makes no sense for these atoms.
    virtual std::unique_ptr<FrameEvaluator> bind(const trajectory::Topology& topology) const = 0;

    /// Values with one column. Runs on the pool, and decodes of each frame no more than the atoms
    /// that are needed. A trajectory without a structure file has atoms without names. Throws as
    /// bind() and the trajectory do, and Error(input) where a value is not finite.
    ///
    /// Cancellation: ends within a few tenths of a second (or a frame, if that takes longer), then
    /// throws Cancelled.
    runtime::task<Values> evaluate(runtime::Context& context, trajectory::Trajectory trajectory) const final;
};

using FrameFunctionPtr = std::shared_ptr<const FrameFunction>;

/// The values of several functions, in their order. All FrameFunctions among them are computed in
/// one pass over the trajectory, the others one after the other. With a `cache`, which must outlive
/// the wait, only those are computed that it does not know, and kept there.
///
/// Cancellation: as that of the function that is being evaluated.
runtime::task<std::vector<Values>> evaluate_together(runtime::Context& context,
                                                     std::vector<FunctionPtr> functions,
                                                     trajectory::Trajectory trajectory,
                                                     ValueCache* cache = nullptr);

/// A function from any callable. It gets whole frames, with velocities and forces where the file
/// has them, and is called from several threads at once when several trajectories are evaluated.
/// What it throws ends the evaluation with an Error. Throws Error(usage) where `call` is empty.
FrameFunctionPtr frame_function(std::string name, std::function<double(const trajectory::Frame&)> call);

}  // namespace coromd::functions
