// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Who is believed, in this order:
//
//   the exit record   written by the job itself: one read of the spool's directory finds all new ones
//   squeue            one call for all jobs; knows ended ones for some minutes
//   sacct             asked only for what squeue has never heard of, and only where it works
//   the heartbeat     an agent that gives signs of life runs, whatever SLURM has forgotten
//
// A job that has ended in SLURM's eyes and left no record is given some seconds for it, for a file
// system that lags. A job of which nobody knows anything is looked for during Settings::lost_after, and
// then given up. Commands that fail are no answer: their jobs are where they were.
#include <algorithm>
#include <array>

#include <unistd.h>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/timer.hpp"
#include "slurm/cluster.hpp"
#include "slurm/hostlist.hpp"
#include "slurm/text.hpp"

namespace coromd::queue::slurm {

using namespace std::chrono_literals;
using runtime::task;
using std::chrono::milliseconds;

namespace {

/// How long a record may take to be seen after SLURM says that the job has ended.
constexpr milliseconds kRecordGrace = 15s;
/// How long SLURM may take to say why it told a job to stop.
constexpr milliseconds kVerdictGrace = 10s;
/// A job that was just submitted may be missing from an answer that was under way.
constexpr milliseconds kSubmissionGrace = 2s;
constexpr auto kAccountingPause = 2s;
constexpr auto kMaxAccountingPause = 60s;

milliseconds since(Clock::time_point begin) {
    return std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
}

/// Four heartbeats may be missed; a network file system shows a new one up to a minute late.
bool is_alive(const Runner& runner, std::int64_t now_ms, milliseconds heartbeat) {
    return milliseconds(now_ms - runner.beat_ms) < std::max<milliseconds>(4 * heartbeat, 60s);
}

/// A job that waits for this will wait until somebody does something.
bool needs_a_person(std::string_view reason) {
    constexpr std::array<std::string_view, 17> kReasons{"PartitionConfig",
                                                        "PartitionTimeLimit",
                                                        "PartitionNodeLimit",
                                                        "PartitionDown",
                                                        "PartitionInactive",
                                                        "JobHeldUser",
                                                        "JobHeldAdmin",
                                                        "DependencyNeverSatisfied",
                                                        "BadConstraints",
                                                        "InvalidAccount",
                                                        "InvalidQOS",
                                                        "AccountNotAllowed",
                                                        "QOSNotAllowed",
                                                        "ReservationDeleted",
                                                        "AssocMaxWallDurationPerJobLimit",
                                                        "QOSMaxWallDurationPerJobLimit",
                                                        "NodeDown"};
    return std::ranges::find(kReasons, reason) != kReasons.end();
}

/// Put back after a node could not start it: it waits until a person releases it.
bool is_held_by_slurm(std::string_view reason) {
    return reason == "launch failed requeued held" || reason == "launch_failed_requeued_held";
}

bool in_phase(const Tracked& tracked, Phase phase) {
    return tracked.state != nullptr && tracked.state->phase == phase;
}

}  // namespace

/// Where little patience is asked for, there is not more for records.
milliseconds Cluster::record_grace() const {
    return std::min<milliseconds>(kRecordGrace, settings_.lost_after);
}

task<void> Cluster::poll_loop() {
    for (;;) {
        try {
            co_await read_records();
        } catch (const Error& error) {
            // A file system that is away for a while.
            if (Clock::now() >= next_complaint_) {
                context_.log().warn("{}; tried again", error.what());
                next_complaint_ = Clock::now() + 60s;
            }
        }
        if (!by_run_.empty() && (ask_now_ || since(last_squeue_) >= squeue_pause())) {
            co_await ask_squeue();
            co_await look_for_intended();
            co_await ask_accounting();
        }
        co_await check_heartbeats();
        co_await settle();
        co_await runtime::sleep_for(spool_pause());
    }
}

/// The directory is read often while that costs nothing.
milliseconds Cluster::spool_pause() const {
    if (by_run_.size() <= 1000) return 100ms;
    return by_run_.size() <= 20'000 ? 500ms : 2000ms;
}

/// Often while jobs are young, and never so often that the controller has much to do.
milliseconds Cluster::squeue_pause() const {
    const milliseconds by_age = since(last_submission_) / 10;
    const milliseconds by_cost = squeue_took_ * 20;
    return std::clamp(std::max(by_age, by_cost), std::min<milliseconds>(1000ms, settings_.poll),
                      settings_.poll);
}

task<void> Cluster::read_records() {
    auto list = [&] { return spool_.records(); };
    std::vector<RunId> runs = co_await runtime::offload(context_, list);
    std::erase_if(runs, [&](const RunId& run) {
        return records_taken_.contains(run) || !by_run_.contains({run.job, run.attempt, 0});
    });
    if (runs.empty()) co_return;
    struct Found {
        RunId run;
        std::optional<ExitRecord> record;
        std::string error;
    };
    auto read = [&] {
        std::vector<Found> found;
        for (const RunId& run : runs) {
            Found one{run, std::nullopt, ""};
            try {
                one.record = spool_.read_record(run);
            } catch (const Error& error) {
                one.error = error.what();
            }
            found.push_back(std::move(one));
        }
        return found;
    };
    std::vector<Found> found = co_await runtime::offload(context_, read);
    for (Found& one : found)
        if (one.record || !one.error.empty()) take_record(one.run, std::move(one.record), one.error);
}

void Cluster::take_record(const RunId& run, std::optional<ExitRecord> record, const std::string& error) {
    const auto at = by_run_.find({run.job, run.attempt, 0});
    if (at == by_run_.end()) return;
    const std::shared_ptr<Tracked> tracked = at->second;
    if (!record) {
        JobExit exit;
        exit.known = false;
        exit.cause = FailureClass::infrastructure;
        exit.remark = error;
        return end(tracked, std::move(exit));
    }
    if (!record->error.empty()) {
        tracked->not_possible = record->error;
        untrack(*tracked);
        tracked->changed.set();
        return;
    }
    // scancel, by which we stop what may not have begun, tells the job nothing of who wanted it.
    record->exit.stopped = record->exit.stopped || (record->exit.terminated && tracked->cancelled);
    const bool why = record->exit.terminated && !record->exit.stopped;
    if (!why) return end(tracked, std::move(record->exit));
    // Somebody else stopped it. Was it the scheduler, which may begin it again, or a person?
    if (tracked->exit && tracked->exit->restart >= record->exit.restart) return;
    tracked->exit = std::move(record->exit);
    tracked->quiet_since = Clock::now();
    tracked->state = nullptr;
    quiet_.push_back(tracked);
    ask_now_ = true;
}

task<void> Cluster::ask_squeue() {
    ask_now_ = false;
    const auto begin = Clock::now();
    std::vector<std::string> words{"squeue", "-h",         "-t", "all", fmt::format("--user={}", ::getuid()),
                                   "-o",     kSqueueFormat};
    const Answer answer = co_await client_.call(std::move(words));
    squeue_took_ = since(begin);
    last_squeue_ = Clock::now();
    if (!answer.good()) {
        if (Clock::now() >= next_complaint_) {
            context_.log().warn("squeue: {} ({}); jobs run on, and are asked for again", answer.error,
                                to_string(answer.failure));
            next_complaint_ = Clock::now() + 60s;
        }
        co_return;
    }
    const JobRows rows = parse_squeue(answer.out);
    if (rows.n_garbage > 0 && Clock::now() >= next_complaint_) {
        context_.log().warn("squeue printed {} lines that make no sense, such as '{}'", rows.n_garbage,
                            rows.garbage);
        next_complaint_ = Clock::now() + 60s;
    }
    // An answer that was nothing but rubbish says nothing of who is missing.
    if (rows.rows.empty() && rows.n_garbage > 0) co_return;
    ++polls_;
    for (const JobRow& row : rows.rows) take_row(row, true);
    const auto now = Clock::now();
    quiet_.clear();
    for (const auto& [run, tracked] : by_run_) {
        if (tracked->stage != Tracked::Stage::submitted) continue;
        const bool missing =
            tracked->seen_in_poll != polls_ && begin - tracked->submitted_at >= kSubmissionGrace;
        if (missing && tracked->quiet_since == Clock::time_point{}) tracked->quiet_since = now;
        if (tracked->quiet_since != Clock::time_point{}) quiet_.push_back(tracked);
    }
}

void Cluster::take_row(const JobRow& row, bool from_squeue) {
    const auto take = [&](std::uint32_t index) {
        const auto at = by_id_.find(key_of({row.id.job, index}));
        if (at == by_id_.end()) return;
        Tracked& tracked = *at->second;
        const bool reused = !is_name_of(row.name, tracked);
        if (from_squeue && reused != tracked.id_reused) {
            tracked.id_reused = reused;
            if (reused)
                context_.log().warn("SLURM has lost job {} and given its id to '{}'", tracked.id.text(),
                                    printable(row.name));
        }
        if (reused) return;
        const Phase phase = row.state->phase;
        if (from_squeue) tracked.seen_in_poll = polls_;
        // The accounting lags: only an end is news.
        if (!from_squeue && phase != Phase::ended) return;
        const bool begun_again = in_phase(tracked, Phase::running) && phase == Phase::waiting;
        const bool held = row.state->held || (phase == Phase::waiting && is_held_by_slurm(row.reason));
        if (held && !tracked.held)
            context_.log().warn("SLURM job {} is held and will not begin again by itself: {}",
                                tracked.id.text(), row.state->held ? row.state_text : row.reason);
        if (phase == Phase::waiting && tracked.reason != row.reason && needs_a_person(row.reason) &&
            told_.insert(tracked.files->token + row.reason).second)
            context_.log().warn("SLURM job {} waits and will not begin by itself: {}", tracked.id.text(),
                                row.reason);
        tracked.held = held;
        if (begun_again) context_.log().info("SLURM job {} was put back into the queue", tracked.id.text());
        if (!held && (phase == Phase::waiting || phase == Phase::running || phase == Phase::ending)) {
            if (!tracked.exit) tracked.quiet_since = {};
        } else if (tracked.quiet_since == Clock::time_point{}) {
            tracked.quiet_since = Clock::now();
        }
        if (phase == Phase::unknown && (tracked.state == nullptr || tracked.reason != row.state_text))
            context_.log().warn("SLURM job {} is {}, which is no state that is known", tracked.id.text(),
                                row.state_text);
        tracked.state = row.state;
        tracked.reason = phase == Phase::unknown                    ? row.state_text
                         : phase == Phase::ended || row.state->held ? row.state_text
                                                                    : row.reason;
        if (!row.nodes.empty()) tracked.nodes = row.nodes;
    };
    if (!row.id.step.empty()) return;
    if (row.id.tasks.empty()) return take(SlurmId::kNoIndex);
    row.id.for_each_task(take);
}

task<void> Cluster::ask_accounting() {
    if (!config_.has_accounting() && limits_known_) co_return;
    if (Clock::now() < next_accounting_) co_return;
    std::vector<std::string> ids;
    for (const std::shared_ptr<Tracked>& tracked : quiet_)
        if (tracked->stage == Tracked::Stage::submitted && tracked->seen_in_poll != polls_ &&
            tracked->quiet_since != Clock::time_point{} && !in_phase(*tracked, Phase::ended))
            ids.push_back(tracked->id.text());
    if (ids.empty()) co_return;
    accounting_pause_ = kAccountingPause;
    for (const std::string& list : chunked(ids)) {
        std::vector<std::string> words{"sacct", "-n", "-P", "-X", "-o", kSacctFormat, "-j", list};
        const Answer answer = co_await client_.call(std::move(words));
        if (!answer.good()) {
            accounting_pause_ = std::min<milliseconds>(accounting_pause_ * 2, kMaxAccountingPause);
            if (Clock::now() >= next_complaint_) {
                context_.log().warn("sacct: {} ({}); done without it", answer.error,
                                    to_string(answer.failure));
                next_complaint_ = Clock::now() + 60s;
            }
            break;
        }
        const JobRows rows = parse_sacct(answer.out);
        for (const JobRow& row : rows.rows) take_row(row, false);
    }
    next_accounting_ = Clock::now() + accounting_pause_;
}

/// Jobs that an earlier program was about to submit.
task<void> Cluster::look_for_intended() {
    if (intended_.empty()) co_return;
    std::vector<std::string> names;
    for (const auto& [token, members] : intended_) names.push_back(name_of(token));
    std::map<std::string, std::uint32_t> found;
    for (const std::string& list : chunked(names)) {
        std::vector<std::string> words{"squeue", "-h", "-t", "all", "--name=" + list, "-o", kSqueueFormat};
        const Answer answer = co_await client_.call(std::move(words));
        const JobRows rows = parse_squeue(answer.out);
        if (!answer.good() || (rows.rows.empty() && rows.n_garbage > 0)) co_return;
        for (const JobRow& row : rows.rows) found[row.name] = row.id.job;
    }
    // SLURM may be late, or have forgotten: what has begun says so itself.
    struct View {
        bool recorded;
        std::optional<SlurmId> id;
    };
    std::map<RunId, View> views;
    for (const auto& [token, members] : intended_)
        for (const auto& [index, tracked] : members) views[tracked->run] = {};
    auto look = [&] {
        const std::int64_t now = spool_.now_ms();
        for (auto& [attempt, view] : views) {
            const auto run = spool_.last_claim(attempt);
            const auto runner = run ? spool_.runner(*run) : std::nullopt;
            view.recorded = run && spool_.has_record(*run);
            if (runner && is_alive(*runner, now, settings_.heartbeat))
                view.id = SlurmId::parse(runner->scheduler_job);
        }
    };
    co_await runtime::offload(context_, look);
    const auto looked_for = std::exchange(intended_, {});
    for (const auto& [token, members] : looked_for) {
        const auto job = found.find(name_of(token));
        for (const auto& [index, tracked] : members) {
            if (tracked->stage != Tracked::Stage::looked_for) continue;  // its record was found
            const View& view = views[tracked->run];
            if (job == found.end() && view.recorded) {
                intended_[token].emplace_back(index, tracked);  // it is just being read
                continue;
            }
            if (job == found.end() && !view.id) {
                // It never came to be; should it come yet, it is not wanted.
                spool_.request_stop(tracked->run);
                untrack(*tracked);
                tracked->stage = Tracked::Stage::ended;
                tracked->changed.set();
                continue;
            }
            adopt(tracked, job == found.end() ? *view.id : SlurmId{job->second, index});
        }
    }
}

void Cluster::adopt(const std::shared_ptr<Tracked>& tracked, const SlurmId& id) {
    if (tracked->stage == Tracked::Stage::submitted) {
        untrack(*tracked);
        context_.log().info("SLURM job {} is known as {} now", tracked->id.text(), id.text());
    }
    tracked->id = id;
    tracked->stage = Tracked::Stage::submitted;
    tracked->state = nullptr;
    tracked->reason.clear();
    tracked->held = tracked->id_reused = false;
    tracked->quiet_since = {};
    tracked->submitted_at = Clock::now();
    ++n_submitted_;
    track(tracked);
}

bool Cluster::is_name_of(std::string_view name, const Tracked& tracked) const {
    const std::string& token = tracked.files->token;
    return name.size() == settings_.job_name.size() + 1 + token.size() &&
           name.starts_with(settings_.job_name) && name.ends_with(token);
}

/// A node that crashed and came back, or an agent that was killed alone, leaves a job that runs in
/// SLURM's eyes until its time limit, and does nothing. A long silence is taken for that.
task<void> Cluster::check_heartbeats() {
    constexpr int kMissed = 20;
    const milliseconds silence = kMissed * settings_.heartbeat;
    if (since(last_heartbeats_) < silence / 4) co_return;
    last_heartbeats_ = Clock::now();
    std::vector<RunId> running;
    for (const auto& [run, tracked] : by_run_)
        if (tracked->stage == Tracked::Stage::submitted && in_phase(*tracked, Phase::running) &&
            !tracked->exit)
            running.push_back(run);
    if (running.empty()) co_return;
    auto look = [&] {
        std::vector<RunId> silent;
        try {
            const std::int64_t now = spool_.now_ms();
            for (const RunId& attempt : running) {
                const auto run = spool_.last_claim(attempt);
                const auto runner = run ? spool_.runner(*run) : std::nullopt;
                if (runner && milliseconds(now - runner->beat_ms) > silence) silent.push_back(attempt);
            }
        } catch (const Error&) {
            silent.clear();  // who cannot read heartbeats has missed none
        }
        return silent;
    };
    const std::vector<RunId> silent = co_await runtime::offload(context_, look);
    for (const RunId& run : silent) {
        const auto at = by_run_.find(run);
        if (at == by_run_.end()) continue;
        const std::shared_ptr<Tracked> tracked = at->second;
        context_.log().warn("SLURM job {} runs, and its agent has given no sign of life for {} s",
                            tracked->id.text(), silence.count() / 1000);
        co_await end_without_record(tracked, true);
    }
}

/// Draws the conclusions from what was heard, and from what was not.
task<void> Cluster::settle() {
    const std::vector<std::shared_ptr<Tracked>> quiet = quiet_;
    for (const std::shared_ptr<Tracked>& tracked : quiet) {
        if (tracked->stage != Tracked::Stage::submitted || tracked->quiet_since == Clock::time_point{})
            continue;
        const milliseconds silence = since(tracked->quiet_since);
        const bool ended = in_phase(*tracked, Phase::ended) || tracked->held;
        if (tracked->exit) {
            // Its record says that somebody has stopped it.
            if (in_phase(*tracked, Phase::waiting)) {
                JobExit exit = std::move(*tracked->exit);
                tracked->exit.reset();
                tracked->quiet_since = {};
                if (tracked->recoverable || tracked->held) {
                    exit.cause = FailureClass::infrastructure;
                    exit.scheduler_state = tracked->held ? tracked->reason : "REQUEUED";
                    ask_to_stop(*tracked, true);
                    end(tracked, std::move(exit));
                } else {
                    records_taken_.insert({tracked->run.job, tracked->run.attempt, exit.restart});
                }
            } else if (in_phase(*tracked, Phase::ended) ||
                       silence >= (in_phase(*tracked, Phase::ending)
                                       ? settings_.lost_after
                                       : std::min(milliseconds(kVerdictGrace), record_grace()))) {
                JobExit exit = std::move(*tracked->exit);
                end(tracked, std::move(exit));
            }
            continue;
        }
        const bool vanished = tracked->seen_in_poll != polls_;
        const bool late = silence >= record_grace();
        if (ended && (late || tracked->unwanted)) {
            co_await end_without_record(tracked, late);
        } else if (vanished && tracked->cancelled && silence >= kSubmissionGrace) {
            // Elements that are cancelled while they wait leave no trace anywhere.
            JobExit exit;
            exit.stopped = true;
            exit.scheduler_state = "CANCELLED";
            end(tracked, std::move(exit));
        } else if ((vanished || in_phase(*tracked, Phase::unknown)) && silence >= settings_.lost_after) {
            co_await end_without_record(tracked, true);
        }
    }
}

/// Unless `late`, only where it has not begun at all: then there will never be a record.
task<void> Cluster::end_without_record(std::shared_ptr<Tracked> tracked, bool late) {
    struct View {
        std::optional<Runner> runner;
        bool has_record;
        bool alive;
        std::string words;
    };
    auto look = [&] {
        const auto run = spool_.last_claim(tracked->run);
        View view{run ? spool_.runner(*run) : std::nullopt, run && spool_.has_record(*run), false, ""};
        view.alive = view.runner && is_alive(*view.runner, spool_.now_ms(), settings_.heartbeat);
        if (tracked->files) view.words = read_tail(tracked->files->output(tracked->id.index), 4096);
        return view;
    };
    const View view = co_await runtime::offload(context_, look);
    if (view.has_record || tracked->changed.is_set()) co_return;  // just come
    if (view.runner && !late) co_return;
    const bool ended = in_phase(*tracked, Phase::ended);
    const bool silent = in_phase(*tracked, Phase::running) && tracked->seen_in_poll == polls_;
    if (view.alive && !silent) {
        // Its answer got lost, and it was submitted twice: the other one has begun.
        const auto id = SlurmId::parse(view.runner->scheduler_job);
        if (id && *id != tracked->id) co_return adopt(tracked, *id);
        // SLURM has lost it, and it runs.
        if (!ended && !tracked->held) co_return;
    }
    JobExit exit;
    exit.known = ended && !view.runner;  // then it has not run at all
    exit.terminated = ended && tracked->state->cancelled();
    exit.cause = ended && tracked->state->cancelled() ? FailureClass::user
                 : ended && tracked->state->failure != FailureClass::none &&
                         tracked->state->failure != FailureClass::user
                     ? tracked->state->failure
                     : FailureClass::infrastructure;
    exit.stopped = tracked->unwanted || tracked->cancelled;
    exit.timed_out = exit.cause == FailureClass::timeout;
    const bool told = ended || tracked->held || in_phase(*tracked, Phase::unknown);
    exit.scheduler_state = told ? tracked->reason : "UNKNOWN";
    exit.remark = fmt::format(
        "SLURM's word on job {}: {}. {}{}{}", tracked->id.text(),
        told     ? fmt::format("{} ({})", tracked->state->text, tracked->reason)
        : silent ? std::string("it runs, but its agent gives no sign of life")
                 : fmt::format("none. squeue was asked {} times{}, and nobody has known it for {} s", polls_,
                               config_.has_accounting() ? ", sacct too" : " (there is no accounting)",
                               since(tracked->quiet_since).count() / 1000),
        view.runner ? fmt::format("Its agent began on {} and left no record.", view.runner->host)
                    : "Its agent never began.",
        view.words.empty() ? "" : " What it printed: ", view.words);
    // Whoever of it comes late finds that it is not wanted.
    spool_.request_stop(tracked->run);
    if (!ended) ask_to_stop(*tracked, true);
    end(tracked, std::move(exit));
}

void Cluster::end(const std::shared_ptr<Tracked>& tracked, JobExit exit) {
    if (tracked->changed.is_set()) return;
    exit.scheduler_job = tracked->id.text();
    const bool told = in_phase(*tracked, Phase::ended) || in_phase(*tracked, Phase::unknown);
    if (exit.scheduler_state.empty() && told) exit.scheduler_state = tracked->reason;
    // The state says why a job was stopped; what it did of itself its record tells better.
    if (exit.terminated && exit.cause == FailureClass::none && in_phase(*tracked, Phase::ended)) {
        exit.cause = tracked->state->cancelled() ? FailureClass::user : tracked->state->failure;
        exit.timed_out = exit.timed_out || exit.cause == FailureClass::timeout;
    }
    if (exit.signal != 0 && in_phase(*tracked, Phase::ended) &&
        tracked->state->failure == FailureClass::memory)
        exit.cause = FailureClass::memory;
    watch_nodes(*tracked, exit);
    {
        const std::lock_guard lock(left_);
        if (tracked->files) outputs_[tracked->run] = tracked->files->output(tracked->id.index);
        if (exit.terminated || !exit.known) may_come_again_.insert(tracked->run);
    }
    untrack(*tracked);
    tracked->stage = Tracked::Stage::ended;
    tracked->exit = std::move(exit);
    tracked->changed.set();
}

void Cluster::watch_nodes(const Tracked& tracked, const JobExit& exit) {
    std::vector<std::string> nodes;
    try {
        nodes = expand_hostlist(exit.node.empty() ? tracked.nodes : exit.node);
    } catch (const Error& error) {
        context_.log().debug("{}", error.what());
    }
    const bool good = exit.exit_code == 0;
    if (nodes.empty() || (!good && exit.cause != FailureClass::infrastructure) || exit.stopped) return;
    // Making room for others is no fault of a node.
    if (exit.scheduler_state.starts_with("PREEMPTED") || exit.scheduler_state == "REQUEUED") return;
    const auto level = health_.ended(tracked.run.text(), nodes,
                                     good ? FailureClass::none : FailureClass::infrastructure, Clock::now());
    if (!level) return;
    const std::string list = fmt::format("{}", fmt::join(health_.excluded(Clock::now()), ","));
    switch (*level) {
        case ClusterLevel::none:
            context_.log().info("fewer than a quarter of the nodes are excluded again");
            break;
        case ClusterLevel::warn_quarter:
            context_.log().warn("a quarter of the nodes fail jobs and are excluded: {}", list);
            break;
        case ClusterLevel::warn_half:
            context_.log().warn("half of the nodes fail jobs and are excluded: {}", list);
            break;
        case ClusterLevel::stop:
            context_.log().error(
                "three quarters of the nodes fail jobs: nothing is submitted until some are "
                "forgiven. Excluded: {}",
                list);
            break;
    }
}

}  // namespace coromd::queue::slurm
