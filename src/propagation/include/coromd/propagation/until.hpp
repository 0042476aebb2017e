// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "coromd/core/random.hpp"
#include "coromd/engine/md_engine.hpp"
#include "coromd/functions/function.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"
#include "coromd/trajectory/trajectory.hpp"

namespace coromd::propagation {

/// How long a walker may try.
class UntilLimits {
public:
    /// MD ends after exactly so many steps at the latest; a multiple of the engine's nstout.
    explicit UntilLimits(std::int64_t max_steps);
    /// Wall time of a part: the conditions are looked at when it ends (1 min).
    UntilLimits& slice(std::chrono::milliseconds wall_time);

    std::int64_t max_steps() const noexcept { return max_steps_; }
    std::chrono::milliseconds slice() const noexcept { return slice_; }

private:
    std::int64_t max_steps_;
    std::chrono::milliseconds slice_{std::chrono::minutes(1)};
};

/// Where a walker ended.
struct UntilResult {
    /// The conditions that hold in the last frame, in the order in which they were given; empty
    /// where the steps were used up first.
    std::vector<std::size_t> conditions;
    /// From the start to the first frame in which a condition holds, or to the last frame of
    /// max_steps: cut, without the double frames between parts. Only MdEngine::start() where a
    /// condition holds there.
    trajectory::Trajectory trajectory;
    std::int64_t steps = 0;     ///< from the start to the last frame
    double time_ps = 0.0;       ///< from the start to the last frame
    int parts = 0;              ///< parts of MD that it took; 0 where the start fulfils a condition
    double wall_seconds = 0.0;  ///< of MD, over the parts

    bool reached() const noexcept { return !conditions.empty(); }
};

/// Prepares `engine` to start from a frame of `reference` with velocities drawn from the
/// Maxwell-Boltzmann distribution: `<engine's directory>/start.trr`. `reference` has masses: see
/// engine::MdSystem::reference().
/// Throws Error as MdEngine::prepare() and trajectory::extract_frame() do, with the walker's name.
/// Cancellation: as MdEngine::prepare().
runtime::task<void> start_with_new_velocities(runtime::Context& context, engine::MdEngine& engine,
                                              trajectory::Trajectory reference, std::int64_t frame,
                                              double temperature_k, RandomStream random);

/// Runs a prepared engine until any condition holds, in parts, and leaves the trajectory in
/// `<engine's directory>/until.xtc` (or .trr, as the engine writes). Frames that the engine wrote
/// behind the fulfilling one stay in the parts.
///
/// Each condition is a function with one value per frame; it holds where that is not zero. The
/// starting frame is looked at before anything is run.
///
/// Throws Error as the engine and the functions do, with the walker's name, and Error(usage) where
/// there is no condition, one gives other than one value per frame, or the engine has run before.
/// Cancellation: MD is stopped with a checkpoint and found again at the next start of the program;
/// throws Cancelled.
runtime::task<UntilResult> until_any(runtime::Context& context, engine::MdEngine& engine,
                                     std::vector<functions::FunctionPtr> conditions, UntilLimits limits);

}  // namespace coromd::propagation
