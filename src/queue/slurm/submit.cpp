// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Jobs that are ready at the same moment and want the same of SLURM go in as one array: one call of
// sbatch for up to thousands. For each batch:
//
//   intent   every job's ledger says, durably, under which name it will be found
//   sbatch   the name holds a token that is used once
//   id       every job's ledger says which job of SLURM's it is
//
// An sbatch whose answer got lost may have submitted: it is looked for by its name before anything is
// submitted again. Where SLURM says "not now", batches get smaller and pauses longer.
#include <algorithm>
#include <random>

#include <unistd.h>

#include <fmt/format.h>

#include "agent_run.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/fault.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/timer.hpp"
#include "slurm/cluster.hpp"
#include "slurm/facts.hpp"
#include "slurm/text.hpp"

namespace coromd::queue::slurm {

using namespace std::chrono_literals;
using runtime::task;

namespace {

/// How long a batch waits for those that come, and for the next one of which nothing is known yet.
constexpr auto kMostGather = 1s;
constexpr auto kGather = 2ms;
constexpr auto kSoon = 100ms;
constexpr auto kFirstBackOff = 500ms;
constexpr auto kMaxBackOff = 60s;
/// An array is one transaction of the controller's, and it holds its lock meanwhile.
constexpr std::size_t kLargestArray = 10'000;

std::string new_token() {
    std::random_device random;
    return fmt::format("{:08x}{:08x}", random(), random());
}

}  // namespace

task<void> Cluster::submit_loop() {
    for (;;) {
        if (ready_.empty()) {
            something_ready_ = std::make_unique<runtime::Event>();
            co_await something_ready_->wait();
        }
        while (!limits_known_) co_await learn_limits();
        const auto latest = Clock::now() + kMostGather;
        std::size_t before = 0;
        do {
            before = ready_.size();
            co_await runtime::sleep_for(kGather);
        } while ((n_coming_ > 0 || ready_.size() > before) && Clock::now() < latest);
        while (!ready_.empty()) {
            std::vector<Request> batch = next_batch();
            if (batch.empty()) {
                co_await runtime::sleep_for(kFirstBackOff);
                continue;
            }
            co_await submit(std::move(batch));
        }
    }
}

task<void> Cluster::learn_limits() {
    std::vector<std::string> show{"scontrol", "show", "config"};
    const Answer config = co_await client_.call(std::move(show));
    const bool later = config.failure == CommandFailure::controller_unreachable ||
                       config.failure == CommandFailure::timed_out ||
                       config.failure == CommandFailure::authentication;
    if (later) {
        std::string what = "scontrol show config";
        co_await back_off(std::move(what), config.error);
        co_return;
    }
    limits_known_ = true;
    back_off_ = {};
    if (!config.good()) {
        context_.log().warn("scontrol show config: {}; done without what it tells", config.error);
        co_return;
    }
    config_ = parse_config(config.out);
    if (config_.max_array_size > 0)
        array_limit_ =
            std::min<std::size_t>(kLargestArray, std::max<std::uint64_t>(config_.max_array_size - 1, 1));
    batch_limit_ = array_limit_;
    if (config_.max_job_count > 0) submit_limit_ = config_.max_job_count;
    context_.log().info("SLURM {} '{}': arrays up to {}, accounting: {}", config_.version,
                        config_.cluster_name, array_limit_, config_.has_accounting() ? "yes" : "no");
}

/// What submitting need not wait for: above the account's limit sbatch says so itself.
task<void> Cluster::learn_more() {
    if (more_known_) co_return;
    while (!limits_known_) co_await runtime::sleep_for(kSoon);
    std::vector<std::string> list{"sinfo", "-h", "-N", "-o", "%N"};
    const Answer nodes = co_await client_.call(std::move(list));
    if (nodes.good()) {
        std::set<std::string> names;
        for (std::string_view rest = nodes.out; !rest.empty();) {
            const std::string_view name = cut(rest, '\n');
            if (!name.empty()) names.emplace(name);
        }
        health_.cluster_nodes(names.size());
    }
    if (config_.has_accounting()) {
        const Answer limits = co_await client_.call(assoc_words());
        const auto most = limits.good() ? parse_assoc(limits.out).max_submit : std::nullopt;
        if (most && *most > 0)
            submit_limit_ = submit_limit_ == 0 ? *most : std::min<std::size_t>(submit_limit_, *most);
    }
    more_known_ = true;
}

std::vector<Request> Cluster::next_batch() {
    if (health_.level(Clock::now()) == ClusterLevel::stop) return {};
    std::size_t room = batch_limit_;
    if (submit_limit_ > 0) room = std::min(room, submit_limit_ - std::min(submit_limit_, n_submitted_));
    std::vector<Request> batch;
    if (room == 0) return batch;
    const SbatchOptions options = ready_.front().options;
    std::vector<Request> others;
    for (Request& request : ready_) {
        const bool fits = batch.size() < room && request.options == options;
        if (fits) request.tracked->stage = Tracked::Stage::submitting;
        (fits ? batch : others).push_back(std::move(request));
    }
    ready_ = std::move(others);
    return batch;
}

task<void> Cluster::record(const std::vector<Request>& batch, const std::string& token,
                           std::optional<std::uint32_t> job) {
    std::vector<task<void>> records;
    std::uint32_t index = 0;
    for (const Request& request : batch) {
        const SlurmId id{job.value_or(0), batch.size() > 1 ? index : SlurmId::kNoIndex};
        std::string words = job                ? fmt::format("{}{} {}", kSubmitted, id.text(), token)
                            : batch.size() > 1 ? fmt::format("{}{} {}", kIntended, token, index)
                                               : fmt::format("{}{} -", kIntended, token);
        ++index;
        if (request.tracked->stage != Tracked::Stage::ended)
            records.push_back(request.record(std::move(words)));
    }
    co_await runtime::gather(std::move(records));
}

task<void> Cluster::submit(std::vector<Request> batch) {
    const auto files = std::make_shared<BatchFiles>(spool_.directory() / "batches", new_token(), true);
    std::string failure;
    std::optional<std::uint32_t> job;
    try {
        co_await record(batch, files->token, std::nullopt);
        fault_point("slurm.intended");
        auto write = [&] { write_files(batch, *files); };
        co_await runtime::offload(context_, write);
        fault_point("slurm.submit");
        job = co_await call_sbatch(batch, *files);
        fault_point("slurm.submitted");
    } catch (const Error& error) {
        failure = error.what();
    }
    if (!failure.empty()) {
        refuse(batch, failure);
        co_return;
    }
    if (!job) co_return;
    const auto now = Clock::now();
    std::uint32_t index = 0;
    for (Request& request : batch) {
        const std::shared_ptr<Tracked>& tracked = request.tracked;
        tracked->id = {*job, batch.size() > 1 ? index++ : SlurmId::kNoIndex};
        if (tracked->stage == Tracked::Stage::ended) {
            // Nobody had the patience to wait for it.
            to_cancel_.push_back(tracked->id.text());
            something_to_stop_->set();
            continue;
        }
        tracked->stage = Tracked::Stage::submitted;
        tracked->submitted_at = now;
        tracked->files = files;
        ++n_submitted_;
        track(tracked);
    }
    last_submission_ = now;
    back_off_ = {};
    batch_limit_ = std::min(array_limit_, std::max(batch_limit_, batch.size()) * 2);
    context_.log().debug("SLURM job {}: {} jobs", *job, batch.size());
    try {
        co_await record(batch, files->token, job);
        fault_point("slurm.recorded");
    } catch (const Error& error) {
        failure = error.what();
    }
    if (failure.empty()) co_return;
    // Another program owns the campaign now, and finds the jobs by their name.
    for (Request& request : batch)
        if (request.tracked->stage == Tracked::Stage::submitted) untrack(*request.tracked);
    refuse(batch, failure);
}

void Cluster::write_files(const std::vector<Request>& batch, const BatchFiles& files) const {
    const bool array = batch.size() > 1;
    std::vector<std::string> command{site_.agent.string(), "supervise"};
    if (array) command.emplace_back("--array");
    command.push_back(array ? files.list().string() : batch.front().job_file.string());
    // The template's #SBATCH lines are among the arguments, merged with what overrides them.
    write_plainly(files.script(), "#!/bin/sh\nexec " + shell_quote(command) + "\n");
    if (!array) return;
    std::string list;
    for (const Request& request : batch) list += request.job_file.string() + "\n";
    write_plainly(files.list(), list);
}

std::vector<std::string> Cluster::sbatch_words(const std::vector<Request>& batch,
                                               const BatchFiles& files) const {
    const bool array = batch.size() > 1;
    std::vector<std::string> words{"sbatch",
                                   "--parsable",
                                   "--job-name=" + name_of(files.token),
                                   "--output=" + files.output_pattern(array),
                                   "--open-mode=append",
                                   "--chdir=" + spool_.directory().string()};
    if (array) {
        const std::string most = settings_.max_running > 0 ? fmt::format("%{}", settings_.max_running) : "";
        words.push_back(fmt::format("--array=0-{}{}", batch.size() - 1, most));
    }
    SbatchOptions options = batch.front().options;
    options.exclude(health_.excluded(Clock::now()));
    const std::vector<std::string> own = options.to_arguments();
    words.insert(words.end(), own.begin(), own.end());
    if (!batch.front().warning.empty()) words.push_back(batch.front().warning);
    words.push_back(files.script().string());
    return words;
}

task<std::optional<std::uint32_t>> Cluster::call_sbatch(std::vector<Request>& batch,
                                                        const BatchFiles& files) {
    constexpr int kMostFailures = 5;
    for (int failures = 0;;) {
        const Answer answer = co_await client_.call(sbatch_words(batch, files));
        if (answer.good()) {
            if (const auto submitted = parse_sbatch(answer.out)) co_return submitted->job;
        }
        switch (answer.failure) {
            case CommandFailure::refused:
            case CommandFailure::permission:
            case CommandFailure::invalid_job_id:
                refuse(batch, "sbatch refused the job: " + answer.error);
                co_return std::nullopt;
            case CommandFailure::limit_reached:
                co_await try_fewer(batch, answer.error);
                co_return std::nullopt;
            case CommandFailure::not_started:
                refuse(batch, answer.error);
                co_return std::nullopt;
            case CommandFailure::none:
            case CommandFailure::other:
                if (++failures >= kMostFailures) {
                    refuse(batch, fmt::format("sbatch failed {} times; its last words: {}{}", failures,
                                              answer.out, answer.error));
                    co_return std::nullopt;
                }
                break;
            default:
                break;
        }
        std::string what = "sbatch";
        std::string said =
            answer.good() ? "its answer makes no sense: " + printable(answer.out) : answer.error;
        co_await back_off(std::move(what), std::move(said));
        const std::optional<std::uint32_t> found = co_await find_by_name(files.token);
        if (found) co_return found;
        const bool wanted =
            std::ranges::any_of(batch, [](const Request& request) { return !request.tracked->unwanted; });
        if (wanted) continue;
        for (const Request& request : batch) leave(*request.tracked);
        co_return std::nullopt;
    }
}

/// After "not now": nothing was submitted. Fewer may be welcome, and so may others.
task<void> Cluster::try_fewer(std::vector<Request>& batch, std::string said) {
    const bool alone = batch.size() == 1;
    const bool others = std::ranges::any_of(
        ready_, [&](const Request& request) { return request.options != batch.front().options; });
    batch_limit_ = std::max<std::size_t>(1, batch.size() / 2);
    std::erase_if(batch, [](const Request& request) { return request.tracked->changed.is_set(); });
    for (Request& request : batch) request.tracked->stage = Tracked::Stage::waiting;
    ready_.insert(alone && others ? ready_.end() : ready_.begin(), std::make_move_iterator(batch.begin()),
                  std::make_move_iterator(batch.end()));
    batch.clear();
    std::string what = "sbatch";
    if (alone) co_await back_off(std::move(what), std::move(said));
}

/// Ends one that is not submitted.
void Cluster::leave(Tracked& tracked) {
    if (tracked.changed.is_set()) return;
    JobExit stopped;
    stopped.stopped = true;
    tracked.exit = std::move(stopped);
    tracked.stage = Tracked::Stage::ended;
    tracked.changed.set();
}

/// The job of a submission whose answer got lost; waits until the controller answers.
task<std::optional<std::uint32_t>> Cluster::find_by_name(std::string token) {
    for (;;) {
        std::vector<std::string> words{"squeue", "-h",         "-t", "all", "--name=" + name_of(token),
                                       "-o",     kSqueueFormat};
        const Answer answer = co_await client_.call(std::move(words));
        const JobRows rows = answer.good() ? parse_squeue(answer.out) : JobRows{};
        if (answer.good() && (rows.n_garbage == 0 || !rows.rows.empty())) back_off_ = {};
        if (answer.good() && rows.rows.empty() && rows.n_garbage == 0) co_return std::nullopt;
        if (!rows.rows.empty()) {
            context_.log().info("the submission {} was found as job {}", token, rows.rows.front().id.job);
            co_return rows.rows.front().id.job;
        }
        std::string what = "squeue";
        std::string said = answer.good() ? "its answer makes no sense: " + rows.garbage : answer.error;
        co_await back_off(std::move(what), std::move(said));
    }
}

void Cluster::refuse(const std::vector<Request>& batch, const std::string& reason) {
    for (const Request& request : batch) {
        if (request.tracked->changed.is_set()) continue;
        request.tracked->not_possible = reason;
        request.tracked->changed.set();
    }
}

task<void> Cluster::back_off(std::string what, std::string said) {
    back_off_ = std::clamp<std::chrono::milliseconds>(back_off_ * 2, kFirstBackOff, kMaxBackOff);
    while (!said.empty() && said.back() == '\n') said.pop_back();
    context_.log().warn("{}: {}; tried again in {} s", what, said,
                        static_cast<double>(back_off_.count()) / 1000.0);
    co_await runtime::sleep_for(back_off_);
}

}  // namespace coromd::queue::slurm
