// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "coromd/core/recorder.hpp"
#include "coromd/core/registry.hpp"
#include "coromd/core/settings.hpp"
#include "coromd/engine/md_engine.hpp"
#include "coromd/queue/queue.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"
#include "coromd/trajectory/trajectory.hpp"

namespace coromd::engine {

/// What is simulated and how: shared by all walkers, each of which has an MdEngine of its own.
class MdSystem {
public:
    virtual ~MdSystem() = default;

    /// The engine of one walker; its files lie in `<campaign>/<name>`.
    virtual std::unique_ptr<MdEngine> engine(std::string name) const = 0;

    /// The structure that names the atoms, as a trajectory that walkers can start from.
    virtual const trajectory::Trajectory& structure() const noexcept = 0;

    /// The structure with the atoms as the engine knows them, masses included: what velocities are
    /// drawn for. The first call may run a job.
    /// Throws Error(job) where the engine refuses the system.
    /// Cancellation: stops the job, throws Cancelled.
    virtual runtime::task<trajectory::Trajectory> reference() = 0;

    /// Looks for everything that would keep MD from running, without running anything.
    /// Throws Error(usage) or Error(input).
    virtual void check() const = 0;

    /// What the results depend on, by names such as "gromacs.mdp": texts, fingerprints of files, versions of
    /// programs.
    /// Throws Error(system) where a file cannot be read.
    /// Cancellation: throws Cancelled.
    virtual runtime::task<std::map<std::string, std::string>> inputs() = 0;

    virtual std::int64_t nstout() const noexcept = 0;
    virtual double dt_ps() const noexcept = 0;
};

/// What an engine is made from. Everything outlives the engine.
struct EngineContext {
    runtime::Context& runtime;
    Recorder& recorder;
    /// The campaign's directory, absolute.
    std::filesystem::path directory;
    /// A queue by its name; throws Error(usage) for an unknown one.
    std::function<queue::Queue&(const std::string&)> queue;
    /// The coromd program, of which `model-md` is called; empty where none was found.
    std::filesystem::path program{};
    /// Of the campaign's random numbers.
    std::uint64_t seed = 0;
};

/// A kind of engine that settings can name (`kind = "gromacs"`).
struct EngineKind {
    std::string name;
    std::string description;
    /// Takes what it needs from the reader and leaves the check for unknown keys to the caller.
    std::function<std::unique_ptr<MdSystem>(const EngineContext&, SettingsReader&)> make;
};

Registry<EngineKind> builtin_engines();

}  // namespace coromd::engine
