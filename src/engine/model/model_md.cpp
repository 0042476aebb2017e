// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The loop of model-md. A run ends at a step that is written, unless it is hurried, and every end goes
// the same way: frames to the disk, then the checkpoint that counts on them, then the structure, and as
// the last line of the log that it has finished. The log speaks as mdrun's does where programs read it:
//
//     Started model-md ...
//     Received the TERM signal, stopping at the next frame
//     Writing checkpoint, step N at ...
//     Finished model-md ...
//
// Signals are blocked and asked for now and then, so that there is no handler and nothing global.
#include "coromd/engine/model/model_md.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <limits>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "checkpoint.hpp"
#include "coromd/core/error.hpp"
#include "coromd/trajectory/frame_writer.hpp"
#include "output.hpp"

namespace coromd::engine::model {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

namespace {

/// Steps of particles between two looks at signals and the clock: less than a millisecond.
constexpr std::int64_t kBetweenLooks = 4096;
constexpr float kGroPrecision = 1e6F;

std::string now() {
    return fmt::format("{:%a %b %e %H:%M:%S %Y}", fmt::localtime(std::time(nullptr)));
}

/// SIGTERM and SIGINT, kept waiting for as long as this lives.
class StopSignals {
public:
    StopSignals() {
        ::sigemptyset(&set_);
        ::sigaddset(&set_, SIGTERM);
        ::sigaddset(&set_, SIGINT);
        ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
    }
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;
    ~StopSignals() {
        // What came too late to stop anything must not do harm now.
        while (next() != 0) {
        }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

    /// The next signal that has arrived; 0 where there is none.
    int next() const {
        const timespec at_once{};
        return std::max(::sigtimedwait(&set_, nullptr, &at_once), 0);
    }

private:
    sigset_t set_{};
    sigset_t before_{};
};

class Run {
public:
    Run(const RunInput& input, const ModelMdOptions& options)
        : input_(input),
          options_(options),
          identity_(input.identity()),
          from_(first_checkpoint()),
          part_(options.checkpoint_in.empty() ? 1 : from_.part + 1),
          simulation_(input.model.potential, input.model.dynamics, input.seed, from_.particles,
                      input.model.bias, from_.step),
          end_(last_step()),
          log_(name(".log"), bytes_to_keep(name(".log"))),
          trajectory_(name(input.model.extension()),
                      appends() ? std::optional(from_.trajectory_bytes) : std::nullopt) {}

    ModelMdEnd run() {
        log_.append(fmt::format("coromd model-md\n\n{}\nParticles: {}\nPart: {}\n\nStarted model-md {}\n\n",
                                input_.to_toml(), from_.particles.size(), part_, now()));
        begun_ = saved_ = steady_clock::now();
        try {
            return loop();
        } catch (const Error& error) {
            log_.append(fmt::format("\nError: {}\n", error.what()));
            throw;
        }
    }

private:
    bool appends() const { return options_.append && !options_.checkpoint_in.empty(); }

    /// "md.part0002.log", or "md.log" where all parts are in one file.
    fs::path name(const std::string& extension) const {
        if (options_.append) return options_.deffnm + extension;
        return fmt::format("{}.part{:04}{}", options_.deffnm, part_, extension);
    }

    std::optional<std::uint64_t> bytes_to_keep(const fs::path& file) const {
        std::error_code error;
        if (!appends()) return std::nullopt;
        const std::uintmax_t size = fs::file_size(file, error);
        return error ? 0 : size;
    }

    Checkpoint first_checkpoint() const {
        if (options_.checkpoint_in.empty()) return {identity_, 1, 0, 0, input_.first_particles()};
        Checkpoint checkpoint = Checkpoint::read(options_.checkpoint_in);
        if (checkpoint.input != identity_)
            fail(ErrorKind::conflict, "'{}' was written by a run with another input: model, start, or seed",
                 options_.checkpoint_in.string());
        return checkpoint;
    }

    std::int64_t last_step() const {
        constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
        const std::int64_t more = options_.nsteps.value_or(-1);
        if (more >= 0) return more > kNever - from_.step ? kNever : from_.step + more;
        if (!options_.nsteps && input_.nsteps) return std::max(*input_.nsteps, from_.step);
        return kNever;
    }

    ModelMdEnd loop() {
        const StopSignals signals;
        const std::int64_t nstout = input_.model.nstout;
        const auto particles = static_cast<std::int64_t>(from_.particles.size());
        const std::int64_t stretch = std::max<std::int64_t>(kBetweenLooks / particles, 1);
        std::int64_t look_again = simulation_.step();
        // The last frame before the checkpoint is in the file that is appended to.
        if (simulation_.step() % nstout == 0 && !appends()) write_frame();
        for (;;) {
            const std::int64_t step = simulation_.step();
            const bool at_frame = step % nstout == 0;
            if (step >= look_again || step == end_) {
                look(signals);
                look_again = step + stretch;
            }
            if (step >= end_) return finish(ModelMdEnd::done);
            if (signals_ > 1 || (at_frame && signals_ == 1)) return finish(ModelMdEnd::stopped);
            // As mdrun, it gets on by a frame at least.
            if (at_frame && time_is_up_ && step > from_.step) return finish(ModelMdEnd::out_of_time);
            if (at_frame && checkpoint_is_due_) save();

            const std::int64_t to_frame = nstout - step % nstout;
            simulation_.advance(
                std::min({to_frame, end_ - step, std::max<std::int64_t>(look_again - step, 1)}));
            if (simulation_.step() % nstout == 0) write_frame();
        }
    }

    void look(const StopSignals& signals) {
        while (const int signal = signals.next()) {
            ++signals_;
            log_.append(fmt::format("\nReceived the {} signal, stopping {}\n",
                                    signal == SIGINT ? "INT" : "TERM",
                                    signals_ == 1 ? "at the next frame" : "at once"));
        }
        const auto time = steady_clock::now();
        const std::chrono::duration<double> elapsed = time - begun_;
        const std::chrono::duration<double> unsaved = time - saved_;
        checkpoint_is_due_ = unsaved.count() >= options_.checkpoint_minutes * 60.0;
        const bool was_up = time_is_up_;
        time_is_up_ = options_.max_hours && elapsed.count() >= *options_.max_hours * 3600.0;
        if (time_is_up_ && !was_up)
            log_.append(fmt::format("\nStep {}: Run time exceeded, will stop at the next frame\n",
                                    simulation_.step()));
    }

    void write_frame() {
        const auto single = [](Vec2 v) {
            return trajectory::Vec3f{static_cast<float>(v.x), static_cast<float>(v.y), 0.0F};
        };
        const bool velocities = input_.model.output == OutputFormat::trr;
        frame_.step = simulation_.step();
        frame_.time_ps = simulation_.time_ps();
        frame_.positions.clear();
        frame_.velocities.clear();
        for (const auto& [r, v] : simulation_.particles()) {
            frame_.positions.push_back(single(r));
            if (velocities) frame_.velocities.push_back(single(v));
        }
        trajectory_.write(frame_);
    }

    void save() {
        const std::uint64_t bytes = trajectory_.sync();
        log_.append(fmt::format("\nWriting checkpoint, step {} at {}\n", simulation_.step(), now()));
        const Checkpoint checkpoint{identity_, part_, simulation_.step(), bytes, simulation_.particles()};
        checkpoint.write(options_.checkpoint_out.empty() ? fs::path(options_.deffnm + ".cpt")
                                                         : options_.checkpoint_out);
        saved_ = steady_clock::now();
        checkpoint_is_due_ = false;
    }

    ModelMdEnd finish(ModelMdEnd end) {
        save();
        if (end == ModelMdEnd::done) write_structure();
        const std::chrono::duration<double> wall = steady_clock::now() - begun_;
        const auto steps = static_cast<double>(simulation_.step() - from_.step);
        log_.append(fmt::format("\nPerformance: {:.4g} steps in {:.3f} s\n\nFinished model-md {}\n", steps,
                                wall.count(), now()));
        log_.sync();
        return end;
    }

    void write_structure() {
        std::vector<trajectory::Atom> atoms(simulation_.particles().size());
        for (std::size_t i = 0; i < atoms.size(); ++i) {
            atoms[i].name = atoms[i].resname = "MOD";
            atoms[i].resid = static_cast<std::int32_t>(i % 99'999) + 1;
        }
        trajectory::Frame last;
        last.step = simulation_.step();
        last.time_ps = simulation_.time_ps();
        last.precision = kGroPrecision;
        for (const auto& [r, v] : simulation_.particles())
            last.positions.push_back({static_cast<float>(r.x), static_cast<float>(r.y), 0.0F});
        trajectory::WriteOptions options;
        options.overwrite = appends();
        options.topology = std::make_shared<trajectory::Topology>(std::move(atoms));
        trajectory::write_frame(name(".gro"), last, options);
    }

    const RunInput& input_;
    const ModelMdOptions& options_;
    Fingerprint identity_;
    Checkpoint from_;
    int part_;
    Simulation simulation_;
    std::int64_t end_;
    GrowingFile log_;
    GrowingTrajectory trajectory_;
    trajectory::Frame frame_;
    int signals_ = 0;
    bool time_is_up_ = false;
    bool checkpoint_is_due_ = false;
    steady_clock::time_point begun_;
    steady_clock::time_point saved_;
};

}  // namespace

ModelMdEnd model_md(const RunInput& input, const ModelMdOptions& options) {
    return Run(input, options).run();
}

}  // namespace coromd::engine::model
