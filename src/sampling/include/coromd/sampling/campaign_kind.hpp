// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "coromd/campaign/campaign.hpp"
#include "coromd/core/recorder.hpp"
#include "coromd/core/registry.hpp"
#include "coromd/core/settings.hpp"
#include "coromd/engine/md_system.hpp"
#include "coromd/functions/definitions.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::sampling {

/// What a method works with. Everything outlives the method.
struct MethodContext {
    runtime::Context& runtime;
    Recorder& recorder;
    campaign::Campaign& campaign;
    engine::MdSystem& system;
};

/// What a campaign came to.
struct Summary {
    bool complete = false;  ///< nothing failed
    std::string text;       ///< for the terminal
    std::string json;       ///< the same for scripts
};

/// A campaign as its file describes it, checked and ready to run.
class Method {
public:
    virtual ~Method() = default;

    /// What would run, in a few lines.
    virtual std::string plan() const = 0;
    /// What makes the results comparable beside variables and states (a temperature, ...), as lines of
    /// text: a campaign is not continued with anything else unless the user wants it.
    virtual std::string identity() const = 0;
    /// Finds what cannot work with this system, without running anything. Throws Error(usage).
    virtual void check(const engine::MdSystem& system) const = 0;
    /// Runs, or goes on. What fails for one walker is in the summary.
    /// Cancellation: MD is stopped with checkpoints, and goes on at the next start; throws Cancelled.
    virtual runtime::task<Summary> run(MethodContext& context) = 0;
};

/// A kind of campaign that `coromd run` knows (`kind = "committor"`).
struct MethodKind {
    std::string name;
    std::string description;
    /// `top`: the campaign file, of which the method takes the tables that are its own.
    std::function<std::unique_ptr<Method>(SettingsReader& top, const functions::Definitions& definitions)>
        make;
};

Registry<MethodKind> builtin_methods();

}  // namespace coromd::sampling
