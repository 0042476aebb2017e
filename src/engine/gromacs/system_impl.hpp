// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "coromd/engine/gromacs/system.hpp"
#include "coromd/runtime/semaphore.hpp"

namespace coromd::engine::gromacs {

/// What the engines of one system share: how to call grompp and mdrun.
class GromacsSystem final : public MdSystem {
public:
    GromacsSystem(const EngineContext& context, Input input, queue::Queue& md_queue,
                  queue::Queue& helper_queue);

    std::unique_ptr<MdEngine> engine(std::string name) const override;
    const trajectory::Trajectory& structure() const noexcept override { return structure_; }
    runtime::task<trajectory::Trajectory> reference() override;
    void check() const override;
    runtime::task<std::map<std::string, std::string>> inputs() override;
    std::int64_t nstout() const noexcept override { return nstout_; }
    double dt_ps() const noexcept override { return dt_ps_; }

    struct Grompp {
        queue::Job job;
        Product tpr;
    };

    /// The job `<name>/grompp`: start.trr (empty: the structure's own positions) to `<name>/<tpr>`.
    /// Reads and writes files: for a pool thread.
    Grompp grompp(const std::string& name, const std::filesystem::path& start, const std::string& tpr) const;
    /// Awaits a grompp job and tells what it made. Throws Error(job).
    runtime::task<void> run_grompp(Grompp grompp) const;

    std::filesystem::path directory_of(const std::string& name) const { return context_.directory / name; }
    const Input& input() const noexcept { return input_; }
    const EngineContext& context() const noexcept { return context_; }
    queue::Queue& md_queue() const noexcept { return md_queue_; }
    /// Of GROMACS; empty before inputs().
    const std::string& version() const noexcept { return version_; }

private:
    EngineContext context_;
    Input input_;
    queue::Queue& md_queue_;
    queue::Queue& helper_queue_;
    trajectory::Trajectory structure_;
    std::int64_t nstout_;
    double dt_ps_;
    runtime::Semaphore one_at_a_time_{1};
    std::optional<trajectory::Trajectory> reference_;
    std::string version_;
};

std::unique_ptr<MdEngine> make_engine(const GromacsSystem& system, std::string name);

}  // namespace coromd::engine::gromacs
