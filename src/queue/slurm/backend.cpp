// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Jobs of SLURM's. The batch script is the user's #SBATCH lines and the agent, which runs the job's
// command, or the body of the user's script, and writes the exit record; see cluster.hpp for the rest.
#include <optional>

#include <fmt/format.h>

#include "agent_run.hpp"
#include "coromd/core/error.hpp"
#include "coromd/queue/queue.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/semaphore.hpp"
#include "kinds.hpp"
#include "slurm/cluster.hpp"
#include "slurm/facts.hpp"
#include "slurm/request.hpp"

namespace coromd::queue::slurm {

using runtime::task;

namespace {

class SlurmAdmission final : public Admission {
public:
    SlurmAdmission(runtime::Permit permit, std::optional<Cluster>& cluster) : permit_(std::move(permit)) {
        if (cluster) coming_.emplace(*cluster);
    }

    void ready() const { coming_.reset(); }

private:
    runtime::Permit permit_;
    mutable std::optional<Cluster::Coming> coming_;
};

class SlurmBackend final : public Backend {
public:
    SlurmBackend(runtime::Context& context, Settings settings, Site site)
        : context_(context), settings_(std::move(settings)), site_(std::move(site)) {
        if (site_.has_agent()) cluster_.emplace(context_, settings_, site_);
        if (settings_.max_jobs > 0) places_.emplace(static_cast<std::size_t>(settings_.max_jobs));
        for (const int line : settings_.script.late_directives())
            context_.log().warn(
                "line {} of the job script is an #SBATCH line behind the first command, which "
                "sbatch ignores",
                line);
    }

    task<std::unique_ptr<Admission>> admit(const Job& job) override {
        // What sbatch would refuse is refused before anything is begun.
        options_of(settings_, job);
        runtime::Permit permit;
        if (places_) permit = co_await places_->acquire();
        co_return std::make_unique<SlurmAdmission>(std::move(permit), cluster_);
    }

    task<JobExit> execute(Attempt attempt, const Admission& admission, Submitted submitted) override {
        Cluster& cluster = this->cluster();
        Request request = make_request(settings_, cluster.spool(), attempt, std::move(submitted));
        auto write = [&] { write_request(settings_, request); };
        co_await runtime::offload(context_, write);
        static_cast<const SlurmAdmission&>(admission).ready();
        co_return co_await cluster.run(std::move(request), attempt.job().grace());
    }

    task<std::optional<JobExit>> reattach(Attempt attempt, std::string submission) override {
        Cluster& cluster = this->cluster();
        const Job& job = attempt.job();
        const RunId id = run_id(job.key(), attempt.number());
        if (submission.empty()) {
            // Not even the intent to submit was recorded.
            auto look = [&] {
                cluster.spool().request_stop(id);
                return recorded_exit(cluster.spool(), attempt);
            };
            std::optional<JobExit> exit = co_await runtime::offload(context_, look);
            co_return exit;
        }
        if (!submission.starts_with(Cluster::kIntended) && !submission.starts_with(Cluster::kSubmitted))
            fail_other_kind(attempt, submission);
        auto tracked = std::make_shared<Tracked>(id);
        tracked->recoverable = job.is_recoverable();
        co_return co_await cluster.follow(std::move(tracked), std::move(submission), job.grace());
    }

    void forget(const Attempt& attempt, bool finished) noexcept override {
        if (cluster_) cluster_->forget(run_id(attempt.job().key(), attempt.number()), finished);
    }

    void send_signal(const Attempt& attempt, int number) override {
        cluster().spool().request_signal(run_id(attempt.job().key(), attempt.number()), number);
    }

    bool leaves_jobs() const noexcept override { return true; }

    task<QueueFacts> facts() override { return cluster_facts(Client(context_, settings_.client)); }

private:
    Cluster& cluster() {
        if (!cluster_)
            fail(
                ErrorKind::usage,
                "jobs of SLURM's need the coromd program beside them: install it, or name it with 'agent' in "
                "the settings");
        return *cluster_;
    }

    runtime::Context& context_;
    Settings settings_;
    Site site_;
    std::optional<Cluster> cluster_;
    std::optional<runtime::Semaphore> places_;
};

}  // namespace

}  // namespace coromd::queue::slurm

namespace coromd::queue {

QueueKind slurm_kind() {
    Retries retries;
    retries.infrastructure = 3;
    return {"slurm", "jobs of a SLURM cluster, submitted in arrays where they can be",
            [](runtime::Context& context, const Site& site, SettingsReader& reader) {
                return std::make_unique<slurm::SlurmBackend>(context, slurm::Settings::from(reader), site);
            },
            retries};
}

}  // namespace coromd::queue
