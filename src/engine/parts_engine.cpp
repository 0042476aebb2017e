// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A walker's parts. Each is a job of its own, `<name>/md.partNNNN`, which continues the checkpoint
// of the part before. A part counts when its job is finished in the ledger, with its trajectory and
// its checkpoint, and how far it came is what its files say of that checkpoint. So after a crash the
// same parts are found, however long each was, and the next one is run.
//
// All limits are parameters that are no part of the job's specification: a program may be started
// again with other limits.
#include "parts_engine.hpp"

#include <algorithm>
#include <csignal>
#include <string_view>
#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/race.hpp"
#include "coromd/runtime/timer.hpp"
#include "coromd/trajectory/extract.hpp"
#include "coromd/trajectory/frame_index.hpp"

namespace coromd::engine {

namespace fs = std::filesystem;
using runtime::task;
using trajectory::Trajectory;

namespace {

constexpr const char* kStartFile = "start.trr";
/// What the program may need before its first step and after its last one.
constexpr auto kAroundMd = std::chrono::minutes(5);
constexpr auto kWatchInterval = std::chrono::milliseconds(500);

}  // namespace

bool is_stop_signal(int signal) noexcept {
    return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP ||
           signal == SIGQUIT;
}

PartsEngine::PartsEngine(const MdSystem& system, const EngineContext& context, queue::Queue& md_queue,
                         std::string name, std::string extension)
    : system_(system),
      context_(context),
      md_queue_(md_queue),
      name_(std::move(name)),
      directory_(context.directory / name_),
      extension_(std::move(extension)) {}

std::string PartsEngine::part_name(int part) {
    return fmt::format("md.part{:04}", part);
}

task<void> PartsEngine::prepare(Trajectory start, std::int64_t frame) {
    report("preparing", 0.0);
    auto copy = [&] { return own_start_file(start, frame); };
    const fs::path start_file = co_await runtime::offload(context_.runtime, copy);
    if (origin_) recorder().product(*origin_);
    co_await make_ready(start_file);
    start_file_ = start_file;
}

task<std::optional<Trajectory>> PartsEngine::run(RunLimits limits) {
    check(limits);
    if (limits.total_steps() && steps_done_ >= *limits.total_steps()) co_return std::nullopt;
    queue::Job job = next_part(limits);
    running_in_.clear();
    report("waiting", 0.0);

    std::vector<task<queue::JobResult>> children;
    children.push_back(md_queue_.run(job));
    children.push_back(watch());
    auto ended = co_await runtime::race(std::move(children));
    const queue::JobResult& result = ended.value;
    if (!result.ok()) throw queue::job_error(job, result);

    auto look = [&] { return last_step(part_name(part_ + 1)); };
    const std::int64_t step = co_await runtime::offload(context_.runtime, look);
    ++part_;
    report_part(result, step);
    wall_seconds_ += static_cast<double>(result.exit.ended_ms - result.exit.started_ms) / 1000.0;
    steps_done_ = step;
    files_.push_back(directory_ / trajectory_name(part_));
    report("between parts", 0.0);
    co_return Trajectory(files_.back(), system_.structure().structure());
}

Trajectory PartsEngine::start() const {
    require_prepared();
    return Trajectory(start_file_, system_.structure().structure());
}

Trajectory PartsEngine::trajectory() const {
    if (files_.empty()) fail(ErrorKind::usage, "{} has no trajectory yet", name_);
    return Trajectory(files_, system_.structure().structure());
}

/// The frame to start from as a trr file in the walker's directory: `start` itself where it is one.
fs::path PartsEngine::own_start_file(const Trajectory& start, std::int64_t frame) {
    if (!start.frame(frame).has_velocities())
        fail(ErrorKind::usage, "{}: frame {} of '{}' has no velocities to start from: have them drawn", name_,
             frame, start.files().front().string());
    const fs::path& file = start.files().front();
    const bool is_own = file.parent_path() == directory_ && file.extension() == ".trr" &&
                        start.files().size() == 1 && start.n_frames() == 1;
    if (is_own) return file;
    fs::create_directories(directory_);
    trajectory::ExtractOptions options;
    options.overwrite = true;
    const fs::path copy =
        trajectory::extract_frame(start, frame, directory_ / kStartFile, options).files().front();
    origin_ = Product{name_ + "/start", "start", {{file, frame, {}}}, {copy}, {}};
    return copy;
}

void PartsEngine::require_prepared() const {
    if (start_file_.empty()) fail(ErrorKind::usage, "{} was not prepared", name_);
}

void PartsEngine::check(const RunLimits& limits) const {
    require_prepared();
    if (!limits.total_steps() && !limits.walltime())
        fail(ErrorKind::usage, "{}: a run needs a limit: a number of steps or a wall time", name_);
    if (limits.total_steps() && *limits.total_steps() % nstout() != 0)
        fail(ErrorKind::usage, "{}: {} steps are no multiple of the {} steps between two frames", name_,
             *limits.total_steps(), nstout());
}

queue::Job PartsEngine::next_part(const RunLimits& limits) {
    const fs::path checkpoint = part_ > 0 ? directory_ / (part_name(part_) + ".cpt") : fs::path();
    const std::int64_t nsteps = limits.total_steps() ? *limits.total_steps() - steps_done_ : -1;
    const auto walltime = limits.walltime();
    const double maxh = walltime ? std::chrono::duration<double, std::ratio<3600>>(*walltime).count() : -1.0;
    queue::Job job = describe_part(part_name(part_ + 1), checkpoint);
    queue::Resources resources = job.resources();
    // The slice is counted from the first step on; a queue's limit from the start of the job.
    if (walltime) resources.walltime = *walltime + kAroundMd;
    job.needs(resources)
        .parameter("nsteps", std::to_string(nsteps))
        .parameter("maxh", fmt::format("{:.7f}", maxh));
    job.in_directory(directory_).on_start([this](const fs::path& where) {
        running_in_ = where;
        started_ = std::chrono::steady_clock::now();
        report("running", 0.0);
    });
    // The checkpoint is known by the part that left it.
    if (part_ > 0) job.reads(checkpoint, fingerprint(name_ + "/" + part_name(part_)));
    return job;
}

/// Reports how far the running part has come, until it is cancelled.
task<queue::JobResult> PartsEngine::watch() {
    std::optional<trajectory::FrameIndex> index;
    for (;;) {
        co_await runtime::sleep_for(kWatchInterval);
        if (running_in_.empty()) continue;
        const fs::path file = running_in_ / trajectory_name(part_ + 1);
        auto last_time = [&]() -> std::optional<double> {
            std::error_code error;
            if (fs::file_size(file, error) == 0 || error) return std::nullopt;
            if (!index) index.emplace(file);
            index->refresh();
            if (index->size() == 0) return std::nullopt;
            return index->frames().back().time_ps;
        };
        std::optional<double> time;
        try {
            time = co_await runtime::offload(context_.runtime, last_time);
        } catch (const Error& error) {
            // The part has just ended and its files moved away, or it will fail by itself.
            context_.runtime.log().debug("{}: {}", name_, error.message());
            index.reset();
        }
        if (!time) continue;
        const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - started_;
        const double done_ps = *time - time_done_ps();
        progress_ps_ = *time;
        report("running", done_ps / wall.count() * 86.4);
    }
}

void PartsEngine::report_part(const queue::JobResult& result, std::int64_t last_step) {
    Product md{name_ + "/" + part_name(part_), "md", {{directory_ / input_file()}}, {}, program()};
    if (part_ > 1) md.sources.push_back({directory_ / (part_name(part_ - 1) + ".cpt")});
    for (const queue::OutputFile& file : result.files) md.files.push_back(directory_ / file.name);
    md.details.insert({{"walker", name_},
                       {"part", std::to_string(part_)},
                       {"first_step", std::to_string(steps_done_)},
                       {"last_step", std::to_string(last_step)},
                       {"dt_ps", fmt::to_string(dt_ps())}});
    recorder().product(md);
}

void PartsEngine::report(const char* phase, double ns_per_day) {
    Progress progress;
    progress.subject = name_;
    progress.phase = phase;
    progress.time_ps = std::max(progress_ps_, time_done_ps());
    progress.ns_per_day = ns_per_day;
    progress.part = part_ + (std::string_view(phase) == "running" ? 1 : 0);
    context_.recorder.progress(progress);
}

}  // namespace coromd::engine
