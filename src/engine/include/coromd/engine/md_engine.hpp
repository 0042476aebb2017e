// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "coromd/core/recorder.hpp"
#include "coromd/runtime/task.hpp"
#include "coromd/trajectory/trajectory.hpp"

namespace coromd::engine {

/// How far run() goes: whichever comes first. At least one must be given.
class RunLimits {
public:
    /// The number of steps since prepare(), over all parts; a multiple of nstout().
    RunLimits& total_steps(std::int64_t steps);
    /// The wall time of this part.
    RunLimits& walltime(std::chrono::milliseconds walltime);

    std::optional<std::int64_t> total_steps() const noexcept { return total_steps_; }
    std::optional<std::chrono::milliseconds> walltime() const noexcept { return walltime_; }

private:
    std::optional<std::int64_t> total_steps_;
    std::optional<std::chrono::milliseconds> walltime_;
};

/// How velocities are drawn that an engine can start from.
struct VelocityRules {
    std::vector<double> masses_amu;           ///< one per atom; empty: those of the topology
    bool keep_centre_of_mass_motion = false;  ///< the total momentum is nothing that MD conserves
};

/// One walker's MD: started from a frame, run in parts, each part a trajectory that continues the
/// one before. Its jobs carry keys, so that a program that is started again gets the parts that
/// exist already instead of running them again.
///
/// An engine is used by one coroutine at a time; it must outlive what it returned tasks for.
class MdEngine {
public:
    virtual ~MdEngine() = default;

    /// The walker's name, the first part of all its jobs' keys: "walkers/003".
    virtual const std::string& name() const noexcept = 0;
    /// Where its files are.
    virtual const std::filesystem::path& directory() const noexcept = 0;
    /// Who is told what becomes of the walker.
    virtual Recorder& recorder() const noexcept = 0;

    /// Makes everything ready to start from `frame` of `start`, with its velocities. Once per
    /// program. The frame is copied to `<directory>/start.trr`, unless `start` is a trr file of one
    /// frame in directory() already.
    /// Throws Error(usage) where the frame has no velocities, Error(job) with what the engine said
    /// where it refuses, Error(conflict) where the same walker was started from something else before.
    /// Cancellation: stops the jobs, throws Cancelled.
    virtual runtime::task<void> prepare(trajectory::Trajectory start, std::int64_t frame) = 0;

    /// Runs the next part; none where the steps are done already.
    /// Throws Error(usage) for limits that make no sense, Error(job) where the MD failed.
    /// Cancellation: MD is stopped with a checkpoint; the part counts and is found at the next
    /// start of the program. Throws Cancelled.
    virtual runtime::task<std::optional<trajectory::Trajectory>> run(RunLimits limits) = 0;

    /// The frame that prepare() was given, as a trajectory of one frame. Throws Error(usage) before
    /// prepare().
    virtual trajectory::Trajectory start() const = 0;
    /// All parts so far, read as one. Throws Error(usage) before the first part.
    virtual trajectory::Trajectory trajectory() const = 0;
    virtual std::int64_t steps_done() const noexcept = 0;
    /// The number of the last part; 0 before the first.
    virtual int part() const noexcept = 0;
    /// Wall time of MD over all parts, from the records of their jobs.
    virtual double wall_seconds() const noexcept = 0;
    /// Steps between frames of the trajectory.
    virtual std::int64_t nstout() const noexcept = 0;
    /// Length of a step.
    virtual double dt_ps() const noexcept = 0;
    virtual VelocityRules velocity_rules() const { return {}; }
    double time_done_ps() const noexcept { return static_cast<double>(steps_done()) * dt_ps(); }
};

}  // namespace coromd::engine
