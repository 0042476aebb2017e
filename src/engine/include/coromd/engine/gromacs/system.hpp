// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coromd/engine/gromacs/mdp.hpp"
#include "coromd/engine/md_system.hpp"

namespace coromd::engine::gromacs {

/// What grompp and mdrun are given. Only the first three have no default.
class Input {
public:
    /// `topology`: the .top file; `mdp`: dynamics, with `gen-vel = no`; `structure`: a .gro of the
    /// whole system in the topology's order. Throws Error(input) where the mdp cannot be read.
    Input(const std::filesystem::path& topology, const std::filesystem::path& mdp,
          const std::filesystem::path& structure);

    /// An index file for grompp.
    Input& index(const std::filesystem::path& file);
    /// Which trajectory the frames are taken from (xtc).
    Input& output(OutputFormat format);
    /// Cores of each mdrun (1).
    Input& cores(int cores);
    /// How GROMACS is called ({"gmx"}).
    Input& gmx(std::vector<std::string> command);
    Input& grompp_arguments(std::vector<std::string> arguments);
    /// Added to the arguments of mdrun ({"-ntmpi", "1"}; a build with real MPI wants none).
    Input& mdrun_arguments(std::vector<std::string> arguments);

    const std::filesystem::path& topology() const noexcept { return topology_; }
    const Mdp& mdp() const noexcept { return mdp_; }
    const std::filesystem::path& structure() const noexcept { return structure_; }
    const std::optional<std::filesystem::path>& index() const noexcept { return index_; }
    OutputFormat output() const noexcept { return output_; }
    int cores() const noexcept { return cores_; }
    const std::vector<std::string>& gmx() const noexcept { return gmx_; }
    const std::vector<std::string>& grompp_arguments() const noexcept { return grompp_arguments_; }
    const std::vector<std::string>& mdrun_arguments() const noexcept { return mdrun_arguments_; }

private:
    std::filesystem::path topology_;
    Mdp mdp_;
    std::filesystem::path structure_;
    std::optional<std::filesystem::path> index_;
    OutputFormat output_ = OutputFormat::xtc;
    int cores_ = 1;
    std::vector<std::string> gmx_{"gmx"};
    std::vector<std::string> grompp_arguments_;
    std::vector<std::string> mdrun_arguments_{"-ntmpi", "1"};
};

/// GROMACS: each walker is prepared by grompp and run by mdrun in parts (`-noappend`).
///
/// The files of a walker are start.trr (where it starts), md.tpr, and for each part
/// md.partNNNN.xtc (or .trr), .edr, .log, .cpt, and md.confout.partNNNN.gro where the last step
/// was reached. The mdp's own nsteps is not used: the limits of run() are, in a copy of the mdp
/// with `nsteps = -1`.
///
/// `md_queue` runs mdrun, `helper_queue` grompp.
std::unique_ptr<MdSystem> system(const EngineContext& context, Input input, queue::Queue& md_queue,
                                 queue::Queue& helper_queue);

}  // namespace coromd::engine::gromacs
