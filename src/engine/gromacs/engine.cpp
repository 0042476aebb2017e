// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A walker's parts. Each is a job of its own, `<name>/md.partNNNN`, which continues the checkpoint
// of the part before; mdrun counts the parts itself (-noappend). A part counts when its job is
// finished in the ledger, with its trajectory and its checkpoint, and how far it came is what its
// log says of the last checkpoint. So after a crash the same parts are found, however long each
// was, and the next one is run.
//
// All limits are arguments that are no part of the job's specification: a program may be started
// again with other limits.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/race.hpp"
#include "coromd/runtime/timer.hpp"
#include "coromd/trajectory/extract.hpp"
#include "coromd/trajectory/frame_index.hpp"
#include "messages.hpp"
#include "system_impl.hpp"

namespace coromd::engine::gromacs {

namespace fs = std::filesystem;
using runtime::task;
using trajectory::Trajectory;

namespace {

constexpr const char* kStartFile = "start.trr";
/// What mdrun may need before its first step and after its last one.
constexpr auto kAroundMd = std::chrono::minutes(5);
constexpr auto kWatchInterval = std::chrono::milliseconds(500);

/// Signals that come from outside: somebody else stopped the program, it did not crash.
bool is_stop_signal(int signal) {
    return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP ||
           signal == SIGQUIT;
}

/// Why an mdrun failed, for a person.
std::string failure_reason(const queue::JobExit& exit, const std::string& log) {
    std::string reason = error_text(exit.stderr_tail);
    if (reason.empty()) reason = error_text(log);
    if (!reason.empty()) return reason;
    reason = exit.text();
    if (is_stop_signal(exit.signal)) return reason;
    if (const std::string sign = instability(exit.stderr_tail); !sign.empty())
        return reason + "; the system had become unstable:\n" + sign;
    if (exit.exit_code == 0) reason += ", but the log does not say that a run finished with a checkpoint";
    return reason;
}

queue::Verdict judge_mdrun(const queue::JobExit& exit, const fs::path& log_file, const fs::path& checkpoint) {
    const std::string log = read_tail(log_file, kLogTail);
    const RunSummary run = summarise_log(log);
    // mdrun ends with 1 when it was told to stop, as it does after a fatal error.
    const bool ended_well = exit.exit_code == 0 || (exit.exit_code == 1 && run.told_to_stop) || !exit.known;
    if (ended_well && run.finished && run.checkpoint_step) return queue::Verdict::good();
    // Without it, mdrun begins at step 0 again and ends well.
    if (!checkpoint.empty() && !fs::exists(checkpoint))
        return queue::Verdict::bad(
            queue::FailureClass::user,
            fmt::format("the checkpoint to go on from, '{}', is gone", checkpoint.string()));
    return queue::Verdict::bad(
        is_stop_signal(exit.signal) ? queue::FailureClass::infrastructure : queue::FailureClass::user,
        failure_reason(exit, log));
}

class GromacsEngine final : public MdEngine {
public:
    GromacsEngine(const GromacsSystem& system, std::string name)
        : system_(system), name_(std::move(name)), directory_(system.directory_of(name_)) {}

    const std::string& name() const noexcept override { return name_; }
    const fs::path& directory() const noexcept override { return directory_; }
    Recorder& recorder() const noexcept override { return system_.context().recorder; }
    std::int64_t steps_done() const noexcept override { return steps_done_; }
    int part() const noexcept override { return part_; }
    double wall_seconds() const noexcept override { return wall_seconds_; }
    std::int64_t nstout() const noexcept override { return system_.nstout(); }
    double dt_ps() const noexcept override { return system_.dt_ps(); }

    task<void> prepare(Trajectory start, std::int64_t frame) override {
        report("preparing", 0.0);
        fs::path start_file;
        auto describe_job = [&] {
            start_file = own_start_file(start, frame);
            return system_.grompp(name_, start_file, "md.tpr");
        };
        auto grompp = co_await runtime::offload(system_.context().runtime, describe_job);
        tpr_content_ = fingerprint(grompp.job.specification());
        co_await system_.run_grompp(std::move(grompp));
        start_file_ = std::move(start_file);
        if (origin_) recorder().product(*origin_);
    }

    task<std::optional<Trajectory>> run(RunLimits limits) override {
        check(limits);
        if (limits.total_steps() && steps_done_ >= *limits.total_steps()) co_return std::nullopt;
        queue::Job job = mdrun(limits);
        running_in_.clear();
        report("waiting", 0.0);

        std::vector<task<queue::JobResult>> children;
        children.push_back(system_.md_queue().run(job));
        children.push_back(watch());
        auto ended = co_await runtime::race(std::move(children));
        const queue::JobResult& result = ended.value;
        if (!result.ok()) throw queue::job_error(job, result);

        const std::string name = part_name(part_ + 1);
        auto look = [&] { return summarise_log(read_tail(directory_ / (name + ".log"), kLogTail)); };
        const RunSummary summary = co_await runtime::offload(system_.context().runtime, look);
        if (!summary.checkpoint_step)
            fail(ErrorKind::input, "'{}' does not tell how far the part came: was it changed?",
                 (directory_ / (name + ".log")).string());
        ++part_;
        report_part(result, *summary.checkpoint_step);
        wall_seconds_ += static_cast<double>(result.exit.ended_ms - result.exit.started_ms) / 1000.0;
        steps_done_ = *summary.checkpoint_step;
        files_.push_back(directory_ / trajectory_name(part_));
        report("between parts", 0.0);
        co_return Trajectory(files_.back(), system_.input().structure());
    }

    Trajectory start() const override {
        require_prepared();
        return Trajectory(start_file_, system_.input().structure());
    }

    Trajectory trajectory() const override {
        if (files_.empty()) fail(ErrorKind::usage, "{} has no trajectory yet", name_);
        return Trajectory(files_, system_.input().structure());
    }

private:
    static std::string part_name(int part) { return fmt::format("md.part{:04}", part); }

    std::string trajectory_name(int part) const {
        return part_name(part) + (system_.input().output() == OutputFormat::xtc ? ".xtc" : ".trr");
    }

    /// The frame to start from as a trr file in the walker's directory: `start` itself where it is one.
    fs::path own_start_file(const Trajectory& start, std::int64_t frame) {
        if (!start.frame(frame).has_velocities())
            fail(ErrorKind::usage, "{}: frame {} of '{}' has no velocities to start from: have them drawn",
                 name_, frame, start.files().front().string());
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

    void require_prepared() const {
        if (start_file_.empty()) fail(ErrorKind::usage, "{} was not prepared", name_);
    }

    void check(const RunLimits& limits) const {
        require_prepared();
        if (!limits.total_steps() && !limits.walltime())
            fail(ErrorKind::usage, "{}: a run needs a limit: a number of steps or a wall time", name_);
        if (limits.total_steps() && *limits.total_steps() % nstout() != 0)
            fail(ErrorKind::usage, "{}: {} steps are no multiple of the {} steps between two frames", name_,
                 *limits.total_steps(), nstout());
    }

    queue::Job mdrun(const RunLimits& limits) {
        const std::string part = part_name(part_ + 1);
        const fs::path tpr = directory_ / "md.tpr";
        std::vector<std::string> command = system_.input().gmx();
        command.insert(command.end(), {"-quiet",
                                       "mdrun",
                                       "-s",
                                       tpr,
                                       "-noappend",
                                       "-o",
                                       "md.trr",
                                       "-x",
                                       "md.xtc",
                                       "-e",
                                       "md.edr",
                                       "-g",
                                       "md.log",
                                       "-c",
                                       "md.confout.gro",
                                       "-px",
                                       "md.pullx.xvg",
                                       "-pf",
                                       "md.pullf.xvg",
                                       "-cpo",
                                       part + ".cpt",
                                       "-nsteps",
                                       "{nsteps}",
                                       "-maxh",
                                       "{maxh}",
                                       "-ntomp",
                                       "{cores}",
                                       "-pin",
                                       "{pin}",
                                       "-pinoffset",
                                       "{first_core}",
                                       "-pinstride",
                                       "1"});
        const auto& extra = system_.input().mdrun_arguments();
        command.insert(command.end(), extra.begin(), extra.end());
        const fs::path checkpoint = part_ > 0 ? directory_ / (part_name(part_) + ".cpt") : fs::path();
        if (part_ > 0) command.insert(command.end(), {"-cpi", checkpoint});

        queue::Job job(name_ + "/" + part, std::move(command));
        const auto nsteps = limits.total_steps() ? *limits.total_steps() - steps_done_ : -1;
        const double maxh = limits.walltime()
                                ? std::chrono::duration<double, std::ratio<3600>>(*limits.walltime()).count()
                                : -1.0;
        queue::Resources resources;
        resources.cores = system_.input().cores();
        // The slice is counted from the first step on; a queue's limit from the start of the job.
        if (limits.walltime())
            resources.walltime =
                std::chrono::duration_cast<std::chrono::milliseconds>(*limits.walltime()) + kAroundMd;
        job.in_directory(directory_)
            .needs(resources)
            .reads(tpr, tpr_content_)
            .parameter("nsteps", std::to_string(nsteps))
            .parameter("maxh", fmt::format("{:.7f}", maxh))
            .writes(part + ".cpt")
            .writes(part + ".log")
            .environment("GMX_MAXBACKUP", "-1")
            .judged_by([log = part + ".log", checkpoint](const queue::JobExit& exit, const fs::path& where) {
                return judge_mdrun(exit, where / log, checkpoint);
            })
            .stops_by({SIGTERM, part + ".log", "Started mdrun", "Received the TERM signal"})
            .recoverable()
            .on_start([this](const fs::path& where) {
                running_in_ = where;
                started_ = std::chrono::steady_clock::now();
                report("running", 0.0);
            });
        // The checkpoint is known by the part that left it.
        if (part_ > 0) job.reads(checkpoint, fingerprint(name_ + "/" + part_name(part_)));
        return job;
    }

    /// Reports how far the running part has come, until it is cancelled.
    task<queue::JobResult> watch() {
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
                time = co_await runtime::offload(system_.context().runtime, last_time);
            } catch (const Error& error) {
                // The part has just ended and its files moved away, or it will fail by itself.
                system_.context().runtime.log().debug("{}: {}", name_, error.message());
                index.reset();
            }
            if (!time) continue;
            const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - started_;
            const double done_ps = *time - time_done_ps();
            progress_ps_ = *time;
            report("running", done_ps / wall.count() * 86.4);
        }
    }

    void report_part(const queue::JobResult& result, std::int64_t last_step) {
        Product md{name_ + "/" + part_name(part_), "md", {{directory_ / "md.tpr"}}, {}, {}};
        if (part_ > 1) md.sources.push_back({directory_ / (part_name(part_ - 1) + ".cpt")});
        for (const queue::OutputFile& file : result.files) md.files.push_back(directory_ / file.name);
        md.details = {{"engine", "gromacs"},
                      {"walker", name_},
                      {"part", std::to_string(part_)},
                      {"first_step", std::to_string(steps_done_)},
                      {"last_step", std::to_string(last_step)},
                      {"dt_ps", fmt::to_string(dt_ps())}};
        if (!system_.version().empty()) md.details["version"] = system_.version();
        system_.context().recorder.product(md);
    }

    void report(const char* phase, double ns_per_day) {
        Progress progress;
        progress.subject = name_;
        progress.phase = phase;
        progress.time_ps = std::max(progress_ps_, time_done_ps());
        progress.ns_per_day = ns_per_day;
        progress.part = part_ + (std::string_view(phase) == "running" ? 1 : 0);
        system_.context().recorder.progress(progress);
    }

    const GromacsSystem& system_;
    std::string name_;
    fs::path directory_;
    Fingerprint tpr_content_;
    fs::path start_file_;            // empty before prepare()
    std::optional<Product> origin_;  // of a start file that was copied
    int part_ = 0;
    std::int64_t steps_done_ = 0;
    double wall_seconds_ = 0.0;
    std::vector<fs::path> files_;

    fs::path running_in_;
    std::chrono::steady_clock::time_point started_;
    double progress_ps_ = 0.0;
};

}  // namespace

std::unique_ptr<MdEngine> make_engine(const GromacsSystem& system, std::string name) {
    return std::make_unique<GromacsEngine>(system, std::move(name));
}

}  // namespace coromd::engine::gromacs
