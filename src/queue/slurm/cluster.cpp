// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Three loops run beside each other while anybody waits: one submits (submit.cpp), one watches
// (poll.cpp), one sends what is to be signalled or cancelled, many at once. A job goes through
//
//   waiting -> submitting -> submitted -> ended
//
// or, begun by an earlier program that died in between, looked_for -> submitted. Whoever waits for a
// job waits for one Event, so that a hundred thousand cost nothing.
#include "slurm/cluster.hpp"

#include <algorithm>

#include <unistd.h>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/timeout.hpp"
#include "coromd/runtime/timer.hpp"
#include "coromd/runtime/with.hpp"
#include "slurm/text.hpp"

namespace coromd::queue::slurm {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using runtime::task;

namespace {

/// How long others are waited for that can go into the same call.
constexpr auto kGather = 20ms;
/// How long a stop waits for SLURM's word on whether a job was submitted.
constexpr auto kUnresolved = 30s;
/// What a stopped job may need beyond its grace: SLURM's own clean-up, and a lagging file system.
constexpr auto kStopSlack = 120s;
/// How long SLURM is waited for at the end, when nothing depends on it.
constexpr auto kLastWords = 10s;

}  // namespace

std::string SlurmId::text() const {
    return index == kNoIndex ? std::to_string(job) : fmt::format("{}_{}", job, index);
}

std::optional<SlurmId> SlurmId::parse(std::string_view text) {
    const std::string_view job = cut(text, '_');
    const auto number = whole_number<std::uint32_t>(job);
    if (!number) return std::nullopt;
    if (text.empty()) return SlurmId{*number, kNoIndex};
    const auto index = whole_number<std::uint32_t>(text);
    if (!index) return std::nullopt;
    return SlurmId{*number, *index};
}

BatchFiles::BatchFiles(fs::path folder, std::string token, bool whole)
    : folder(std::move(folder)), token(std::move(token)), whole(whole) {}

BatchFiles::~BatchFiles() {
    if (!whole) return;
    std::error_code ignored;
    fs::remove(list(), ignored);
    fs::remove(script(), ignored);
}

fs::path BatchFiles::output(std::uint32_t index) const {
    return folder / (index == SlurmId::kNoIndex ? token + ".out" : fmt::format("{}.{}.out", token, index));
}

std::string BatchFiles::output_pattern(bool array) const {
    std::string pattern;
    for (const char c : (folder / token).string())
        pattern += c == '%' ? std::string("%%") : std::string(1, c);
    return pattern + (array ? ".%a.out" : ".out");
}

Cluster::Cluster(runtime::Context& context, const Settings& settings, Site site)
    : context_(context),
      settings_(settings),
      site_(std::move(site)),
      spool_(site_.spool),
      client_(context, settings.client),
      service_(context, [this] { return serve(); }),
      health_(settings.nodes) {
    fs::create_directories(spool_.directory() / "batches");
}

task<void> Cluster::serve() {
    std::string failure;
    bool cancelled = false;
    try {
        std::vector<task<void>> loops;
        loops.push_back(submit_loop());
        loops.push_back(learn_more());
        loops.push_back(poll_loop());
        loops.push_back(signal_loop());
        co_await runtime::gather(std::move(loops));
    } catch (const Cancelled&) {
        cancelled = true;
    } catch (const std::exception& error) {
        failure = error.what();
    }
    if (cancelled) {
        co_await runtime::shield(cancel_the_rest());
        throw Cancelled();
    }
    // Without it nobody would ever be told anything.
    context_.log().error("the SLURM queue has failed: {}", failure);
    for (Request& request : ready_) {
        request.tracked->not_possible = failure;
        request.tracked->changed.set();
    }
    ready_.clear();
    for (const auto& [run, tracked] : by_run_) {
        tracked->not_possible = failure;
        tracked->changed.set();
    }
    co_await runtime::sleep_for(1h);
}

/// Nobody waits for these any more, such as a job that was put back into the queue when its work was done.
task<void> Cluster::cancel_the_rest() {
    if (to_cancel_.empty()) co_return;
    std::vector<std::string> words{"scancel"};
    words.insert(words.end(), to_cancel_.begin(), to_cancel_.end());
    to_cancel_.clear();
    // Where it does not answer they leave by themselves when they begin.
    auto call = [&]() -> task<void> { co_await client_.call(std::move(words)); };
    co_await runtime::with_timeout(kLastWords, call());
}

task<JobExit> Cluster::run(Request request, std::chrono::milliseconds grace) {
    const std::shared_ptr<Tracked> tracked = request.tracked;
    ready_.push_back(std::move(request));
    something_ready_->set();
    co_await service_.use(wait_for(tracked, grace));
    if (!tracked->exit) fail(ErrorKind::system, "{}", tracked->not_possible);
    co_return std::move(*tracked->exit);
}

task<std::optional<JobExit>> Cluster::follow(std::shared_ptr<Tracked> tracked, std::string words,
                                             std::chrono::milliseconds grace) {
    std::string_view rest = words;
    const bool intended = rest.starts_with(kIntended);
    rest.remove_prefix(std::string_view(intended ? kIntended : kSubmitted).size());
    const std::string first(cut(rest, ' '));
    const fs::path batches = spool_.directory() / "batches";
    if (intended) {
        tracked->stage = Tracked::Stage::looked_for;
        tracked->files = std::make_shared<BatchFiles>(batches, first, false);
        const auto index = whole_number<std::uint32_t>(rest).value_or(SlurmId::kNoIndex);
        intended_[first].emplace_back(index, tracked);
    } else {
        const auto id = SlurmId::parse(first);
        if (!id) fail(ErrorKind::input, "'{}' is no job of SLURM's", words);
        tracked->id = *id;
        tracked->stage = Tracked::Stage::submitted;
        tracked->files = std::make_shared<BatchFiles>(batches, std::string(rest), false);
        ++n_submitted_;
    }
    tracked->submitted_at = Clock::now();
    track(tracked);
    ask_now_ = true;
    co_await service_.use(wait_for(tracked, grace));
    if (!tracked->exit && !tracked->not_possible.empty())
        fail(ErrorKind::system, "{}", tracked->not_possible);
    co_return std::move(tracked->exit);
}

task<void> Cluster::submit_only(Request request) {
    const std::shared_ptr<Tracked> tracked = request.tracked;
    ready_.push_back(std::move(request));
    something_ready_->set();
    auto accepted = [&]() -> task<void> {
        bool cancelled = false;
        try {
            while (tracked->stage != Tracked::Stage::submitted && !tracked->changed.is_set())
                co_await runtime::sleep_for(kGather);
        } catch (const Cancelled&) {
            cancelled = true;
        }
        if (cancelled) co_await runtime::shield(stop(tracked, 0ms));
    };
    co_await service_.use(accepted());
    if (!tracked->exit && !tracked->not_possible.empty())
        fail(ErrorKind::system, "{}", tracked->not_possible);
}

task<void> Cluster::wait(std::shared_ptr<Tracked> tracked) {
    ask_now_ = true;
    co_await service_.use(tracked->changed.wait());
}

task<void> Cluster::update(std::shared_ptr<Tracked> tracked) {
    ask_now_ = true;
    const auto before = polls_;
    auto asked = [&]() -> task<void> {
        while (polls_ == before && !tracked->changed.is_set()) co_await runtime::sleep_for(kGather);
    };
    co_await service_.use(asked());
}

task<void> Cluster::tell_to_stop(std::shared_ptr<Tracked> tracked, bool hard) {
    if (tracked->changed.is_set()) co_return;
    if (!hard) spool_.request_stop(tracked->run);
    ask_to_stop(*tracked, hard);
    auto told = [&]() -> task<void> {
        while (!to_signal_.empty() || !to_cancel_.empty()) co_await runtime::sleep_for(kGather);
    };
    co_await service_.use(told());
}

task<void> Cluster::wait_for(std::shared_ptr<Tracked> tracked, std::chrono::milliseconds grace) {
    bool cancelled = false;
    try {
        co_await tracked->changed.wait();
    } catch (const Cancelled&) {
        cancelled = true;
    }
    if (!cancelled) co_return;
    if (context_.leaves_jobs(true)) {
        std::erase_if(ready_, [&](const Request& request) { return request.tracked == tracked; });
        throw Cancelled();
    }
    try {
        co_await runtime::shield(stop(tracked, grace));
    } catch (const Cancelled&) {
        // That is why.
    }
}

task<void> Cluster::stop(std::shared_ptr<Tracked> tracked, std::chrono::milliseconds grace) {
    JobExit stopped;
    stopped.stopped = true;
    tracked->unwanted = true;
    // Whoever begins from now on leaves at once.
    if (tracked->stage != Tracked::Stage::waiting) spool_.request_stop(tracked->run);
    const auto give_up = Clock::now() + kUnresolved;
    for (;;) {
        if (tracked->changed.is_set()) co_return;
        if (tracked->stage == Tracked::Stage::waiting) {
            std::erase_if(ready_, [&](const Request& request) { return request.tracked == tracked; });
            co_return leave(*tracked);
        }
        if (tracked->stage == Tracked::Stage::submitted) break;
        if (Clock::now() >= give_up) {
            context_.log().warn(
                "SLURM does not say whether it has run {}: should it begin, it leaves at once",
                tracked->run.text());
            if (tracked->stage == Tracked::Stage::looked_for) untrack(*tracked);
            stopped.known = false;
            leave(*tracked);
            tracked->exit = std::move(stopped);
            co_return;
        }
        co_await runtime::sleep_for(kGather);
    }
    // It may have begun since SLURM was asked: what runs is asked to stop, what waits is cancelled.
    ask_now_ = true;
    const auto asked_at = polls_;
    for (int i = 0; i < 150 && polls_ == asked_at && !tracked->changed.is_set(); ++i)
        co_await runtime::sleep_for(kGather);
    const bool waits = tracked->state != nullptr && tracked->state->phase == Phase::waiting;
    ask_to_stop(*tracked, waits);
    const std::chrono::milliseconds patience = waits ? kStopSlack : grace + kStopSlack;
    co_await runtime::with_timeout(patience, tracked->changed.wait());
    if (tracked->changed.is_set()) co_return;
    context_.log().warn("SLURM job {} does not end: scancel", tracked->id.text());
    ask_to_stop(*tracked, true);
    co_await runtime::with_timeout(kStopSlack, tracked->changed.wait());
    if (tracked->changed.is_set()) co_return;
    stopped.known = false;
    end(tracked, std::move(stopped));
}

void Cluster::ask_to_stop(const Tracked& tracked, bool hard) {
    const auto owner = by_id_.find(key_of(tracked.id));
    if (tracked.id_reused || owner == by_id_.end() || owner->second != &tracked) return;
    (hard ? to_cancel_ : to_signal_).push_back(tracked.id.text());
    if (hard) {
        const auto known = by_run_.find(tracked.run);
        if (known != by_run_.end()) known->second->cancelled = true;
    }
    something_to_stop_->set();
}

task<void> Cluster::signal_loop() {
    constexpr std::size_t kMostAtOnce = 1000;
    for (;;) {
        if (to_signal_.empty() && to_cancel_.empty()) {
            something_to_stop_ = std::make_unique<runtime::Event>();
            co_await something_to_stop_->wait();
        }
        co_await runtime::sleep_for(kGather);
        // What waits goes first: it would begin when others make room.
        const bool hard = !to_cancel_.empty();
        std::vector<std::string>& ids = hard ? to_cancel_ : to_signal_;
        std::vector<std::string> words{"scancel"};
        if (!hard) words.insert(words.end(), {"--batch", "--signal=USR2"});
        const auto n = static_cast<std::ptrdiff_t>(std::min(ids.size(), kMostAtOnce));
        words.insert(words.end(), ids.begin(), ids.begin() + n);
        const Answer answer = co_await client_.call(std::move(words));
        ask_now_ = true;
        const bool again = answer.failure == CommandFailure::controller_unreachable ||
                           answer.failure == CommandFailure::timed_out ||
                           answer.failure == CommandFailure::authentication;
        if (!again) {
            ids.erase(ids.begin(), ids.begin() + n);
            back_off_ = {};
            continue;
        }
        std::string what = "scancel";
        co_await back_off(std::move(what), answer.error);
    }
}

void Cluster::track(const std::shared_ptr<Tracked>& tracked) {
    by_run_[tracked->run] = tracked;
    if (tracked->stage == Tracked::Stage::submitted) by_id_[key_of(tracked->id)] = tracked.get();
}

void Cluster::untrack(const Tracked& tracked) {
    if (tracked.stage == Tracked::Stage::submitted) {
        // SLURM may have given its id to another one of ours.
        const auto owner = by_id_.find(key_of(tracked.id));
        if (owner != by_id_.end() && owner->second == &tracked) by_id_.erase(owner);
        --n_submitted_;
    }
    const auto known = by_run_.find(tracked.run);
    if (known != by_run_.end() && known->second.get() == &tracked) by_run_.erase(known);
}

void Cluster::forget(const RunId& attempt, bool finished) noexcept {
    spool_.remove(attempt, finished);
    try {
        const std::lock_guard lock(left_);
        // A run that the scheduler begins again, although nobody needs it any more, leaves at once.
        if (may_come_again_.erase(attempt) > 0) spool_.request_stop(attempt);
        const auto output = outputs_.find(attempt);
        if (output == outputs_.end()) return;
        const bool remove = settings_.remove_output == RemoveOutput::always ||
                            (settings_.remove_output == RemoveOutput::on_success && finished);
        std::error_code ignored;
        if (remove) fs::remove(output->second, ignored);
        outputs_.erase(output);
    } catch (...) {
        // Rubbish that stays does no harm.
    }
}

}  // namespace coromd::queue::slurm
