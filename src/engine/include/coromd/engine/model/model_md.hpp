// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "coromd/engine/model/run_input.hpp"

namespace coromd::engine::model {

/// What `coromd model-md` is told on its command line, with the meaning that mdrun gives to it.
struct ModelMdOptions {
    std::string deffnm = "md";             ///< what the names of all files begin with
    std::filesystem::path checkpoint_in;   ///< to go on from; empty: from the start
    std::filesystem::path checkpoint_out;  ///< empty: `<deffnm>.cpt`
    std::optional<std::int64_t> nsteps;    ///< how many more; else up to those of the input, else no limit
    std::optional<double> max_hours;       ///< wall time, from the first step on
    double checkpoint_minutes = 15.0;      ///< wall time between checkpoints
    /// Goes on in the files of the part before, cut back to the checkpoint. Without it every part has
    /// files of its own: `<deffnm>.part0002.trr`.
    bool append = true;
};

enum class ModelMdEnd {
    done,         ///< all steps are done; the last positions are in `<deffnm>.gro`
    out_of_time,  ///< max_hours came first
    stopped       ///< by SIGTERM or SIGINT
};

/// The program: runs, and writes a trajectory, a log, checkpoints and at the end a structure.
///
/// The first SIGTERM or SIGINT, and the end of the wall time, stop it at the next step that is written,
/// a second signal within some thousand steps; there is a checkpoint at that step then. Both signals are
/// blocked for the calling thread meanwhile.
///
/// Throws Error(usage) where files are in the way, or those to append to are missing; Error(conflict) where
/// the checkpoint is of another input; Error(input) for a damaged checkpoint, and as
/// RunInput::first_particles() and Simulation do; Error(system) where the disk is full.
ModelMdEnd model_md(const RunInput& input, const ModelMdOptions& options);

}  // namespace coromd::engine::model
