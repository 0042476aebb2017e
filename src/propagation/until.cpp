// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/propagation/until.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/trajectory/concatenate.hpp"
#include "coromd/trajectory/extract.hpp"

namespace coromd::propagation {

namespace fs = std::filesystem;
using functions::FunctionPtr;
using functions::Values;
using runtime::task;
using trajectory::Trajectory;

namespace {

/// The first frame of a piece in which any condition holds.
struct Hit {
    std::int64_t frame = 0;
    std::vector<std::size_t> conditions;
};

std::optional<Hit> first_hit(const std::vector<FunctionPtr>& conditions, const std::vector<Values>& values,
                             const Trajectory& piece) {
    std::optional<std::int64_t> first;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i].n_frames() != piece.n_frames() || values[i].n_columns() != 1)
            fail(ErrorKind::usage, "the condition '{}' gave ({}, {}) values for {} frames: one for each is needed",
                 conditions[i]->name(), values[i].n_frames(), values[i].n_columns(), piece.n_frames());
        const auto frame = values[i].first_true();
        if (frame && (!first || *frame < *first)) first = frame;
    }
    if (!first) return std::nullopt;
    Hit hit{*first, {}};
    for (std::size_t i = 0; i < values.size(); ++i)
        if (values[i].truth(*first)) hit.conditions.push_back(i);
    return hit;
}

task<std::optional<Hit>> look_at(runtime::Context& context, const std::vector<FunctionPtr>& conditions,
                                 Trajectory piece) {
    const std::vector<Values> values = co_await functions::evaluate_together(context, conditions, piece);
    auto find = [&] { return first_hit(conditions, values, piece); };
    co_return co_await runtime::offload(context, find);
}

/// Where the last frame of at most `max_step` lies.
std::int64_t last_frame_until(const Trajectory& trajectory, std::int64_t max_step) {
    std::int64_t frame = trajectory.n_frames() - 1;
    while (frame > 0 && trajectory.step(frame) > max_step) --frame;
    return frame;
}

/// Copies frames up to the one of `step` to a file of their own. A file that has them already, from
/// an earlier start of the program, is taken as it is: it was put there as a whole.
UntilResult cut(const Trajectory& all, std::int64_t step, const fs::path& out) {
    const std::int64_t last = last_frame_until(all, step);
    UntilResult result{{}, Trajectory(out, all.structure()), all.step(last), all.time_ps(last), 0, 0.0};
    if (fs::exists(out) && result.trajectory.n_frames() == last + 1 && result.trajectory.last_step() == all.step(last))
        return result;
    trajectory::ConcatenateOptions options;
    options.overwrite = true;
    result.trajectory = trajectory::concatenate({{all, trajectory::Slice{0, last + 1, 1}}}, out, options);
    return result;
}

task<UntilResult> propagate(runtime::Context& context, engine::MdEngine& engine,
                            const std::vector<FunctionPtr>& conditions, const UntilLimits& limits) {
    if (conditions.empty()) fail(ErrorKind::usage, "there is no condition to run until");
    std::optional<Hit> hit = co_await look_at(context, conditions, engine.start());
    std::int64_t last_step = 0;
    Trajectory all = engine.start();

    engine::RunLimits run_limits;
    run_limits.total_steps(limits.max_steps()).walltime(limits.slice());
    while (!hit) {
        const std::optional<Trajectory> part = co_await engine.run(run_limits);
        if (!part) {
            last_step = limits.max_steps();
            all = engine.trajectory();
            break;
        }
        hit = co_await look_at(context, conditions, *part);
        if (hit) {
            last_step = part->step(hit->frame);
            all = engine.trajectory();
        }
        // Parts of an earlier start may go further than what is asked for now.
        if (hit && last_step > limits.max_steps()) {
            hit.reset();
            last_step = limits.max_steps();
            break;
        }
    }
    const fs::path out = engine.directory() / ("until" + all.files().front().extension().string());
    auto write = [&] { return cut(all, last_step, out); };
    UntilResult result = co_await runtime::offload(context, write);
    if (hit) result.conditions = std::move(hit->conditions);
    result.parts = engine.part();
    result.wall_seconds = engine.wall_seconds();
    co_return result;
}

}  // namespace

UntilLimits::UntilLimits(std::int64_t max_steps) : max_steps_(max_steps) {
    if (max_steps <= 0) fail(ErrorKind::usage, "a walker cannot try for {} steps", max_steps);
}

UntilLimits& UntilLimits::slice(std::chrono::milliseconds wall_time) {
    if (wall_time.count() <= 0) fail(ErrorKind::usage, "a slice of {} ms is not positive", wall_time.count());
    slice_ = wall_time;
    return *this;
}

task<void> start_with_new_velocities(runtime::Context& context, engine::MdEngine& engine, Trajectory reference,
                                     std::int64_t frame, double temperature_k, RandomStream random) {
    auto write = [&] {
        fs::create_directories(engine.directory());
        trajectory::ExtractOptions options;
        options.velocities = trajectory::VelocityMode::maxwell_boltzmann;
        options.temperature_k = temperature_k;
        options.random = &random;
        options.overwrite = true;
        return trajectory::extract_frame(reference, frame, engine.directory() / "start.trr", options);
    };
    const Trajectory start = co_await runtime::offload(context, write);
    co_await engine.prepare(start, 0);
}

task<UntilResult> until_any(runtime::Context& context, engine::MdEngine& engine, std::vector<FunctionPtr> conditions,
                            UntilLimits limits) {
    try {
        co_return co_await propagate(context, engine, conditions, limits);
    } catch (Error& error) {
        error.add_context(engine.name());
        throw;
    }
}

}  // namespace coromd::propagation
