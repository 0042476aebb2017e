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

#include <unistd.h>

#include <fmt/format.h>

#include "agent_run.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/timer.hpp"
#include "slurm/cluster.hpp"
#include "slurm/hostlist.hpp"

namespace coromd::queue::slurm {

namespace fs = std::filesystem;
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

bool in_phase(const Tracked& tracked, Phase phase) {
    return tracked.state != nullptr && tracked.state->phase == phase;
}

}  // namespace

task<void> Cluster::poll_loop() {
    for (;;) {
        co_await read_records();
        if (!by_run_.empty() && (ask_now_ || since(last_squeue_) >= squeue_pause())) {
            co_await ask_squeue();
            co_await look_for_intended();
            co_await ask_accounting();
        }
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
        exit.stderr_tail = error;
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
    ++polls_;
    const JobRows rows = parse_squeue(answer.out);
    if (rows.n_garbage > 0 && Clock::now() >= next_complaint_) {
        context_.log().warn("squeue printed {} lines that make no sense, such as '{}'", rows.n_garbage,
                            rows.garbage);
        next_complaint_ = Clock::now() + 60s;
    }
    for (const JobRow& row : rows.rows) take_row(row, true);
    // An answer that was nothing but rubbish says nothing of who is missing.
    if (rows.rows.empty() && rows.n_garbage > 0) co_return;
    const auto now = Clock::now();
    for (const auto& [run, tracked] : by_run_) {
        if (tracked->stage != Tracked::Stage::submitted || tracked->seen_in_poll == polls_) continue;
        if (begin - tracked->submitted_at < kSubmissionGrace) continue;
        if (tracked->quiet_since == Clock::time_point{}) tracked->quiet_since = now;
    }
}

void Cluster::take_row(const JobRow& row, bool from_squeue) {
    const auto take = [&](std::uint32_t index) {
        const auto at = by_id_.find(key_of({row.id.job, index}));
        if (at == by_id_.end()) return;
        Tracked& tracked = *at->second;
        const Phase phase = row.state->phase;
        if (from_squeue) tracked.seen_in_poll = polls_;
        // The accounting lags: only an end is news.
        if (!from_squeue && phase != Phase::ended) return;
        const bool begun_again = in_phase(tracked, Phase::running) && phase == Phase::waiting;
        if (begun_again) context_.log().info("SLURM job {} was put back into the queue", tracked.id.text());
        if (phase == Phase::waiting || phase == Phase::running || phase == Phase::ending) {
            if (!tracked.exit) tracked.quiet_since = {};
        } else if (tracked.quiet_since == Clock::time_point{}) {
            tracked.quiet_since = Clock::now();
        }
        if (phase == Phase::unknown && (tracked.state == nullptr || tracked.reason != row.state_text))
            context_.log().warn("SLURM job {} is {}, which is no state that is known", tracked.id.text(),
                                row.state_text);
        tracked.state = row.state;
        tracked.reason = phase == Phase::unknown ? row.state_text
                         : phase == Phase::ended ? row.state_text
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
    for (const auto& [run, tracked] : by_run_)
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
        if (!answer.good()) {
            ask_now_ = true;
            co_return;
        }
        for (const JobRow& row : parse_squeue(answer.out).rows) found[row.name] = row.id.job;
    }
    const auto looked_for = std::exchange(intended_, {});
    for (const auto& [token, members] : looked_for) {
        const auto job = found.find(name_of(token));
        for (const auto& [index, tracked] : members) {
            if (tracked->stage != Tracked::Stage::looked_for) continue;  // its record was found
            if (job == found.end()) {
                // It never came to be; should it come yet, it is not wanted.
                spool_.request_stop(tracked->run);
                untrack(*tracked);
                tracked->stage = Tracked::Stage::ended;
                tracked->changed.set();
                continue;
            }
            tracked->id = {job->second, index};
            tracked->stage = Tracked::Stage::submitted;
            tracked->submitted_at = Clock::now();
            ++n_submitted_;
            track(tracked);
        }
    }
}

/// Draws the conclusions from what was heard, and from what was not.
task<void> Cluster::settle() {
    std::vector<std::shared_ptr<Tracked>> quiet;
    for (const auto& [run, tracked] : by_run_)
        if (tracked->stage == Tracked::Stage::submitted && tracked->quiet_since != Clock::time_point{})
            quiet.push_back(tracked);
    for (const std::shared_ptr<Tracked>& tracked : quiet) {
        const milliseconds silence = since(tracked->quiet_since);
        const bool ended = in_phase(*tracked, Phase::ended) || in_phase(*tracked, Phase::unknown);
        if (tracked->exit) {
            // Its record says that somebody has stopped it.
            if (in_phase(*tracked, Phase::waiting)) {
                JobExit exit = std::move(*tracked->exit);
                tracked->exit.reset();
                tracked->quiet_since = {};
                if (tracked->recoverable) {
                    exit.cause = FailureClass::infrastructure;
                    exit.scheduler_state = "REQUEUED";
                    ask_to_stop(*tracked, true);
                    end(tracked, std::move(exit));
                } else {
                    records_taken_.insert({tracked->run.job, tracked->run.attempt, exit.restart});
                }
            } else if (in_phase(*tracked, Phase::ended) ||
                       silence >=
                           (in_phase(*tracked, Phase::ending) ? settings_.lost_after : kVerdictGrace)) {
                JobExit exit = std::move(*tracked->exit);
                end(tracked, std::move(exit));
            }
            continue;
        }
        const bool vanished = tracked->seen_in_poll != polls_;
        // What was cancelled before it began has nothing to record.
        const bool never_ran = ended && tracked->cancelled && tracked->nodes.empty();
        if (ended && silence >= (never_ran ? kSubmissionGrace : kRecordGrace)) {
            co_await end_without_record(tracked);
        } else if (vanished && tracked->cancelled && silence >= kSubmissionGrace) {
            // Elements that are cancelled while they wait leave no trace anywhere.
            JobExit exit;
            exit.stopped = true;
            exit.scheduler_state = "CANCELLED";
            end(tracked, std::move(exit));
        } else if (vanished && silence >= settings_.lost_after) {
            co_await end_without_record(tracked);
        }
    }
}

task<void> Cluster::end_without_record(std::shared_ptr<Tracked> tracked) {
    struct View {
        std::optional<Runner> runner;
        bool has_record;
        std::string words;
    };
    auto look = [&] {
        const auto run = spool_.last_claim(tracked->run);
        View view{run ? spool_.runner(*run) : std::nullopt, run && spool_.has_record(*run), ""};
        if (tracked->files) view.words = read_tail(tracked->files->output(tracked->id.index), 4096);
        return view;
    };
    const View view = co_await runtime::offload(context_, look);
    if (view.has_record || tracked->changed.is_set()) co_return;  // just come
    const bool ended = in_phase(*tracked, Phase::ended);
    if (view.runner && !ended) {
        const auto now =
            std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
        // SLURM has lost it, and it runs.
        if (now - milliseconds(view.runner->beat_ms) < kSilence) co_return;
    }
    JobExit exit;
    exit.known = ended && !view.runner;  // then it has not run at all
    exit.terminated = ended && tracked->state->cancelled();
    exit.cause = ended && tracked->state->cancelled() ? FailureClass::user
                 : ended && tracked->state->failure != FailureClass::none &&
                         tracked->state->failure != FailureClass::user
                     ? tracked->state->failure
                     : FailureClass::infrastructure;
    exit.stopped = tracked->cancelled;
    exit.timed_out = exit.cause == FailureClass::timeout;
    exit.scheduler_state = tracked->state == nullptr ? "UNKNOWN" : tracked->reason;
    exit.stderr_tail = fmt::format(
        "SLURM's word on job {}: {}. {}{}{}", tracked->id.text(),
        ended ? std::string(tracked->state->text)
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
    if (exit.scheduler_state.empty() && in_phase(*tracked, Phase::ended))
        exit.scheduler_state = tracked->reason;
    // The state says why a job was stopped; what it did of itself its record tells better.
    if (exit.terminated && exit.cause == FailureClass::none && in_phase(*tracked, Phase::ended)) {
        exit.cause = tracked->state->cancelled() ? FailureClass::user : tracked->state->failure;
        exit.timed_out = exit.timed_out || exit.cause == FailureClass::timeout;
    }
    if (exit.signal != 0 && in_phase(*tracked, Phase::ended) &&
        tracked->state->failure == FailureClass::memory)
        exit.cause = FailureClass::memory;
    watch_nodes(*tracked, exit);
    if (tracked->files) outputs_[tracked->run] = tracked->files->output(tracked->id.index);
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
