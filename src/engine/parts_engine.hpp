// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coromd/core/recorder.hpp"
#include "coromd/engine/md_engine.hpp"
#include "coromd/engine/md_system.hpp"
#include "coromd/queue/queue.hpp"

namespace coromd::engine {

/// Signals that come from outside: somebody else stopped the program, it did not crash.
bool is_stop_signal(int signal) noexcept;

/// A walker whose MD is a program that runs in parts, each a job of its own that continues the
/// checkpoint of the part before: what engines of programs have in common. What the program is, and how
/// its files tell how far it came, is left to them.
class PartsEngine : public MdEngine {
public:
    const std::string& name() const noexcept final { return name_; }
    const std::filesystem::path& directory() const noexcept final { return directory_; }
    Recorder& recorder() const noexcept final { return context_.recorder; }
    std::int64_t steps_done() const noexcept final { return steps_done_; }
    int part() const noexcept final { return part_; }
    double wall_seconds() const noexcept final { return wall_seconds_; }
    std::int64_t nstout() const noexcept final { return system_.nstout(); }
    double dt_ps() const noexcept final { return system_.dt_ps(); }

    runtime::task<void> prepare(trajectory::Trajectory start, std::int64_t frame) final;
    runtime::task<std::optional<trajectory::Trajectory>> run(RunLimits limits) final;
    trajectory::Trajectory start() const final;
    trajectory::Trajectory trajectory() const final;

protected:
    /// `extension`: of the trajectories of parts, ".xtc". What is referred to outlives the engine.
    PartsEngine(const MdSystem& system, const EngineContext& context, queue::Queue& md_queue,
                std::string name, std::string extension);

    /// "md.part0003", which the files of a part begin with.
    static std::string part_name(int part);
    const EngineContext& context() const noexcept { return context_; }

private:
    /// Makes ready what the parts need to start from a file in directory().
    virtual runtime::task<void> make_ready(std::filesystem::path start_file) = 0;
    /// The name of the file in directory() that says what is run.
    virtual std::string input_file() const = 0;
    /// What is to be recorded of the program: "engine", "version".
    virtual std::map<std::string, std::string> program() const = 0;
    /// The job of the next part. It must come with its own key, command, files, and rules for its end.
    /// The command finds its limits in the parameters `{nsteps}` (how many more steps) and `{maxh}` (hours
    /// of wall time); -1: none.
    /// `checkpoint`: of the part before; empty for the first.
    virtual queue::Job describe_part(const std::string& part, const std::filesystem::path& checkpoint) = 0;
    /// The step that a part came to, from its files in directory(). Throws Error(input). On a pool thread.
    virtual std::int64_t last_step(const std::string& part) const = 0;

    std::string trajectory_name(int part) const { return part_name(part) + extension_; }
    std::filesystem::path own_start_file(const trajectory::Trajectory& start, std::int64_t frame);
    void report_part(const queue::JobResult& result, std::int64_t last_step);
    void require_prepared() const;
    void check(const RunLimits& limits) const;
    queue::Job next_part(const RunLimits& limits);
    runtime::task<queue::JobResult> watch();
    void report(const char* phase, double ns_per_day);

    const MdSystem& system_;
    const EngineContext& context_;
    queue::Queue& md_queue_;
    std::string name_;
    std::filesystem::path directory_;
    std::string extension_;
    std::filesystem::path start_file_;  // empty before prepare()
    std::optional<Product> origin_;     // of a start file that was copied
    int part_ = 0;
    std::int64_t steps_done_ = 0;
    double wall_seconds_ = 0.0;
    std::vector<std::filesystem::path> files_;

    std::filesystem::path running_in_;
    std::chrono::steady_clock::time_point started_;
    double progress_ps_ = 0.0;
};

}  // namespace coromd::engine
