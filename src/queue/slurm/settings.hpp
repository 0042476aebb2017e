// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <string>

#include "coromd/core/settings.hpp"
#include "slurm/client.hpp"
#include "slurm/node_health.hpp"
#include "slurm/options.hpp"
#include "slurm/script.hpp"

namespace coromd::queue::slurm {

/// When what SLURM keeps of a job's script (its own standard output) is removed.
enum class RemoveOutput { on_success, never, always };

/// A queue of kind "slurm" as its settings describe it.
struct Settings {
    Client::Options client;
    bool has_template = false;
    ScriptTemplate script;
    SbatchOptions options;  ///< of the template, with those of the settings over them
    std::string job_name = "coromd";
    int max_jobs = 0;     ///< submitted and not ended; 0: what SLURM allows
    int max_running = 0;  ///< elements of one array at once; 0: no limit of ours
    RemoveOutput remove_output = RemoveOutput::on_success;
    /// How long before its time limit a job is asked to stop; 0: a tenth of it, from 10 s to 2 min.
    std::chrono::milliseconds stop_early{0};
    /// The longest pause between two looks at the queue, when nothing is expected to happen.
    std::chrono::milliseconds poll{10'000};
    /// How often an agent says that it lives; it sees then, too, that another run has taken its place.
    std::chrono::milliseconds heartbeat{30'000};
    /// How long the job of which nobody knows anything is looked for.
    std::chrono::milliseconds lost_after{120'000};
    NodeHealthOptions nodes;

    /// Leaves the check for unknown keys to the caller. Throws Error(usage).
    static Settings from(SettingsReader& reader);
};

}  // namespace coromd::queue::slurm
