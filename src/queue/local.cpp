// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Jobs as processes of this machine, as many at once as there are cores, GPUs and memory for.
//
// Each runs under an agent of its own, which outlives this program: a later one finds it by its claim
// and goes on with it. A short helper (Job::direct()), and everything where there is no agent, is a
// plain child, which a later program stops.
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "agent_run.hpp"
#include "coromd/core/error.hpp"
#include "coromd/queue/queue.hpp"
#include "direct_run.hpp"
#include "kinds.hpp"
#include "machine.hpp"
#include "placeholders.hpp"
#include "resource_pool.hpp"

namespace coromd::queue {

using runtime::task;

namespace {

class LocalAdmission final : public Admission {
public:
    explicit LocalAdmission(Share share) : share(std::move(share)) {}
    const Share share;
};

class LocalBackend final : public Backend {
public:
    LocalBackend(runtime::Context& context, PoolSize size, Site site)
        : context_(context), site_(std::move(site)), pool_(std::move(size)) {
        if (site_.has_agent()) spool_.emplace(site_.spool);
        const Machine machine = this_machine();
        may_pin_ = machine.all_cores && pool_.size().cores <= machine.cores;
    }

    task<std::unique_ptr<Admission>> admit(const Job& job) override {
        pool_.check(job);
        Share share = co_await pool_.take(job.resources());
        co_return std::make_unique<LocalAdmission>(std::move(share));
    }

    task<JobExit> execute(Attempt attempt, const Admission& admission, Submitted submitted) override {
        const Job& job = attempt.job();
        const Share& share = static_cast<const LocalAdmission&>(admission).share;
        std::optional<int> first_core;
        if (may_pin_ && share.neighbours()) first_core = share.cores().front();
        std::vector<std::string> command = filled_in(job, first_core);
        if (!spool_ || job.is_direct())
            co_return co_await run_directly(context_, attempt, std::move(command), std::move(submitted));
        JobFile file = job_file(attempt, std::move(command), *spool_);
        if (may_pin_ && !pins_itself(job)) file.cores = share.cores();
        file.gpus = share.gpus();
        std::vector<std::string> no_launcher;
        co_return co_await run_agent(context_, site_, *spool_, std::move(file), attempt,
                                     std::move(no_launcher), std::move(submitted));
    }

    task<std::optional<JobExit>> reattach(Attempt attempt, std::string submission) override {
        const bool ours = submission.empty() || submission.starts_with(kUnderAgent);
        if (!ours && !submission.starts_with(kDirectly)) fail_other_kind(attempt, submission);
        // It has its cores, whether we had given them to somebody else by now or not.
        const Share share = pool_.take_now(attempt.job().resources());
        std::optional<JobExit> exit;
        if (spool_ && ours) exit = co_await follow_agent(context_, *spool_, attempt);
        if (exit) co_return exit;
        if (!submission.starts_with(kUnderAgent))
            co_await end_leftover_child(context_, attempt, std::move(submission));
        co_return std::nullopt;
    }

    void forget(const Attempt& attempt, bool finished) noexcept override {
        if (spool_ && !attempt.job().is_direct())
            spool_->remove(run_id(attempt.job().key(), attempt.number()), finished);
    }

    void send_signal(const Attempt& attempt, int number) override {
        if (spool_) spool_->request_signal(run_id(attempt.job().key(), attempt.number()), number);
    }

    task<QueueFacts> facts() override {
        const PoolSize& size = pool_.size();
        QueueFacts facts;
        facts.facts = {
            {"cores", std::to_string(size.cores)},
            {"GPUs", size.gpus.empty() ? "none" : fmt::format("ids {}", fmt::join(size.gpus, ", "))},
            {"memory", fmt::format("{} MiB", size.memory_mib)},
            {"agent", spool_ ? "yes: jobs outlive this program" : "none"}};
        const Machine machine = this_machine();
        if (size.cores > machine.cores)
            facts.hints.push_back(
                fmt::format("'cores' is {}, and this program may use {}: jobs will share cores", size.cores,
                            machine.cores));
        if (!spool_)
            facts.hints.emplace_back(
                "no coromd program was found to run beside jobs, so that they end with this one: install "
                "coromd, "
                "or name it with 'agent' in the settings");
        co_return facts;
    }

private:
    runtime::Context& context_;
    Site site_;
    std::optional<Spool> spool_;
    bool may_pin_ = false;
    ResourcePool pool_;
};

std::vector<int> gpus_from(SettingsReader& settings, const std::vector<int>& found) {
    if (!settings.has("gpus")) return found;
    std::vector<int> ids;
    const Setting& setting = settings.raw("gpus");
    constexpr std::int64_t kMaxGpus = 1024;
    const auto number = [&](const Setting& from) {
        const auto* value = std::get_if<std::int64_t>(&from.value());
        if (value == nullptr || *value < 0 || *value > kMaxGpus)
            settings.complain("gpus", "'gpus' must be a number of GPUs, or an array of their ids: 2, [0, 3]");
        return static_cast<int>(*value);
    };
    if (const auto* list = std::get_if<Setting::Array>(&setting.value())) {
        for (const Setting& id : *list) ids.push_back(number(id));
        for (std::size_t i = 0; i < ids.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                if (ids[i] == ids[j]) settings.complain("gpus", fmt::format("'gpus' names {} twice", ids[i]));
    } else {
        const int count = number(setting);
        for (int id = 0; id < count; ++id) ids.push_back(id);
    }
    return ids;
}

int bounded(SettingsReader& settings, const char* key, std::int64_t minimum, std::int64_t fallback,
            std::int64_t maximum) {
    const std::int64_t value = settings.integer_from(key, minimum, fallback);
    if (value > maximum)
        settings.complain(key, fmt::format("'{}' must be at most {}, not {}", key, maximum, value));
    return static_cast<int>(value);
}

}  // namespace

std::unique_ptr<Backend> local_backend(runtime::Context& context, int cores, const Site& site) {
    const Machine machine = this_machine();
    PoolSize size;
    size.cores = cores > 0 ? cores : machine.cores;
    size.gpus = machine.gpus;
    size.memory_mib = machine.memory_mib;
    return std::make_unique<LocalBackend>(context, std::move(size), site);
}

QueueKind local_kind() {
    return {
        "local", "processes on this machine, as many at once as it has cores, GPUs and memory for",
        [](runtime::Context& context, const Site& site, SettingsReader& settings) {
            const Machine machine = this_machine();
            PoolSize size;
            size.cores = bounded(settings, "cores", 1, machine.cores, 1 << 16);
            size.gpus = gpus_from(settings, machine.gpus);
            size.jobs_per_gpu = bounded(settings, "jobs_per_gpu", 1, 1, 1024);
            size.memory_mib = static_cast<std::uint64_t>(settings.integer_from(
                "memory_mib", 1, static_cast<std::int64_t>(std::max<std::uint64_t>(machine.memory_mib, 1))));
            size.backfill = bounded(settings, "backfill", 0, size.backfill, 1 << 30);
            return std::make_unique<LocalBackend>(context, std::move(size), site);
        },
        Retries{}};
}

}  // namespace coromd::queue
