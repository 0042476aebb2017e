// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/propagation/until.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/core/hash.hpp"
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
    std::int64_t frames_behind = 0;  ///< in the piece
    std::vector<std::size_t> conditions;
};

std::optional<Hit> first_hit(const std::vector<FunctionPtr>& conditions, const std::vector<Values>& values,
                             const Trajectory& piece) {
    std::optional<std::int64_t> first;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i].n_frames() != piece.n_frames() || values[i].n_columns() != 1)
            fail(ErrorKind::usage,
                 "the condition '{}' gave ({}, {}) values for {} frames: one for each is needed",
                 conditions[i]->name(), values[i].n_frames(), values[i].n_columns(), piece.n_frames());
        const auto frame = values[i].first_true();
        if (frame && (!first || *frame < *first)) first = frame;
    }
    if (!first) return std::nullopt;
    Hit hit{piece.n_frames() - 1 - *first, {}};
    for (std::size_t i = 0; i < values.size(); ++i)
        if (values[i].truth(*first)) hit.conditions.push_back(i);
    return hit;
}

task<std::optional<Hit>> look_at(runtime::Context& context, const std::vector<FunctionPtr>& conditions,
                                 Trajectory piece) {
    // A short part may have ended before its first frame.
    auto count = [&] { return piece.n_frames(); };
    const std::int64_t n_frames = co_await runtime::offload(context, count);
    if (n_frames == 0) co_return std::nullopt;
    const std::vector<Values> values = co_await functions::evaluate_together(context, conditions, piece);
    auto find = [&] { return first_hit(conditions, values, piece); };
    co_return co_await runtime::offload(context, find);
}

/// Copies what all parts hold, from the start to the frame of `hit` and no further than `max_steps`,
/// to a file of its own. A file that has it already, from an earlier start of the program, is taken
/// as it is: it was put there as a whole.
UntilResult cut(const engine::MdEngine& engine, std::optional<Hit> hit, std::int64_t max_steps) {
    const Trajectory all = engine.trajectory();
    std::int64_t last = all.n_frames() - 1 - (hit ? hit->frames_behind : 0);
    // Parts of an earlier start may go further than what is asked for now.
    while (all.step(last) > max_steps) {
        hit.reset();
        --last;
    }
    const fs::path out = engine.directory() / ("until" + all.files().front().extension().string());
    UntilResult result{{},
                       Trajectory(out, all.structure()),
                       all.step(last),
                       all.time_ps(last),
                       engine.part(),
                       engine.wall_seconds()};
    if (hit) result.conditions = std::move(hit->conditions);
    if (fs::exists(out) && result.trajectory.n_frames() == last + 1 &&
        result.trajectory.last_step() == result.steps)
        return result;
    trajectory::ConcatenateOptions options;
    options.overwrite = true;
    result.trajectory = trajectory::concatenate({{all, trajectory::Slice{0, last + 1, 1}}}, out, options);
    return result;
}

void report(const engine::MdEngine& engine, const UntilResult& result,
            const std::vector<FunctionPtr>& conditions) {
    Product made{engine.name() + "/until", "trajectory", {}, result.trajectory.files(), {}};
    const Trajectory all = engine.trajectory();
    for (const fs::path& part : all.files()) made.sources.push_back({part});
    std::string held;
    for (const std::size_t i : result.conditions) held += (held.empty() ? "" : " ") + conditions[i]->name();
    made.details = {{"operation", "cut at the first frame in which a condition holds"},
                    {"conditions", held},
                    {"last_step", std::to_string(result.steps)}};
    engine.recorder().product(made);
}

task<UntilResult> propagate(runtime::Context& context, engine::MdEngine& engine,
                            const std::vector<FunctionPtr>& conditions, const UntilLimits& limits) {
    if (conditions.empty()) fail(ErrorKind::usage, "there is no condition to run until");
    if (engine.part() > 0)
        fail(ErrorKind::usage, "the walker has run before: its start is what to begin from");
    std::optional<Hit> hit = co_await look_at(context, conditions, engine.start());
    if (hit) {
        UntilResult at_once{std::move(hit->conditions), engine.start(), 0, 0.0, 0, 0.0};
        co_return at_once;
    }
    engine::RunLimits run_limits;
    run_limits.total_steps(limits.max_steps()).walltime(limits.slice());
    while (!hit) {
        const std::optional<Trajectory> part = co_await engine.run(run_limits);
        if (!part) break;
        hit = co_await look_at(context, conditions, *part);
    }
    auto finish = [&] { return cut(engine, std::move(hit), limits.max_steps()); };
    UntilResult result = co_await runtime::offload(context, finish);
    report(engine, result, conditions);
    co_return result;
}

/// Names the walker in an error of `body`.
template <typename T>
task<T> named(const engine::MdEngine& engine, task<T> body) {
    try {
        co_return co_await std::move(body);
    } catch (Error& error) {
        error.add_context(engine.name());
        throw;
    }
}

task<void> draw_and_prepare(runtime::Context& context, engine::MdEngine& engine, const Trajectory& reference,
                            std::int64_t frame, double temperature_k, RandomStream random) {
    std::string content;
    auto write = [&] {
        fs::create_directories(engine.directory());
        // A structure is hashed in a moment, and nothing else tells whether it is still the same.
        if (reference.n_frames() == 1) content = fingerprint_file(reference.files().front()).hex();
        trajectory::ExtractOptions options;
        options.velocities = trajectory::VelocityMode::maxwell_boltzmann;
        options.temperature_k = temperature_k;
        options.random = &random;
        engine::VelocityRules rules = engine.velocity_rules();
        options.masses_amu = std::move(rules.masses_amu);
        options.keep_centre_of_mass_motion = rules.keep_centre_of_mass_motion;
        options.overwrite = true;
        return trajectory::extract_frame(reference, frame, engine.directory() / "start.trr", options);
    };
    const Trajectory start = co_await runtime::offload(context, write);
    Product made{
        engine.name() + "/start", "start", {{reference.files().front(), frame, content}}, start.files(), {}};
    made.details = {{"velocities", "drawn from the Maxwell-Boltzmann distribution"},
                    {"temperature_k", fmt::to_string(temperature_k)}};
    engine.recorder().product(made);
    co_await engine.prepare(start, 0);
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

task<void> start_with_new_velocities(runtime::Context& context, engine::MdEngine& engine,
                                     Trajectory reference, std::int64_t frame, double temperature_k,
                                     RandomStream random) {
    task<void> body = draw_and_prepare(context, engine, reference, frame, temperature_k, random);
    co_await named(engine, std::move(body));
}

task<UntilResult> until_any(runtime::Context& context, engine::MdEngine& engine,
                            std::vector<FunctionPtr> conditions, UntilLimits limits) {
    task<UntilResult> body = propagate(context, engine, conditions, limits);
    co_return co_await named(engine, std::move(body));
}

}  // namespace coromd::propagation
