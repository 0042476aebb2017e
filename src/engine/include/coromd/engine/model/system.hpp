// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <memory>

#include "coromd/engine/md_system.hpp"
#include "coromd/engine/model/run_input.hpp"

namespace coromd::engine::model {

/// The embedded engine: particles that do not see each other, on an analytic potential. MD is
/// `coromd model-md`, in parts with checkpoints, whose frames are the same to the bit however long the
/// parts are.
///
/// `structure`: a .gro with one atom per particle, where walkers start. The noise of a walker depends on
/// its name and on the context's seed.
///
/// The files of a walker are start.trr (where it starts), md.toml (the input of its runs), and for each
/// part md.partNNNN.trr (or .xtc), .log, .cpt, and .gro where the last step was reached.
std::unique_ptr<MdSystem> system(const EngineContext& context, Model model,
                                 const std::filesystem::path& structure, queue::Queue& md_queue);

}  // namespace coromd::engine::model
