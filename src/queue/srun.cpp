// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Jobs as steps of the allocation that this program runs in: `srun --exact` places each on nodes,
// cores and GPUs that are free, so that many small runs share what one job of the queue has got.
//
//   one task      srun starts the agent on the step's node, and that the program
//   several       the agent runs here and starts `srun` with the program (MPI): one agent per job
//
// srun hands the signals it gets to its tasks. What is counted here is only how many cores and GPUs
// the allocation has, so that not thousands of srun wait for room at once; where, SLURM decides.
#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "agent_run.hpp"
#include "coromd/core/error.hpp"
#include "coromd/queue/queue.hpp"
#include "kinds.hpp"
#include "placeholders.hpp"
#include "resource_pool.hpp"
#include "slurm/text.hpp"

namespace coromd::queue {

using runtime::task;

namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

/// The sum of "8(x2),4", as SLURM_JOB_CPUS_PER_NODE is written; 0 where it makes no sense.
int cores_of(std::string_view text) {
    int sum = 0;
    while (!text.empty()) {
        std::string_view part = slurm::cut(text, ',');
        const auto cores = slurm::whole_number<int>(slurm::cut(part, '('));
        int nodes = 1;
        if (part.starts_with('x') && part.ends_with(')'))
            nodes = slurm::whole_number<int>(part.substr(1, part.size() - 2)).value_or(0);
        if (!cores || *cores > 1 << 16 || nodes > 1 << 16) return 0;
        sum += *cores * nodes;
    }
    return sum;
}

/// What the allocation has; the ids of GPUs stand for their number alone.
PoolSize allocation() {
    PoolSize size;
    size.cores = cores_of(variable("SLURM_JOB_CPUS_PER_NODE"));
    const int nodes = slurm::whole_number<int>(variable("SLURM_JOB_NUM_NODES")).value_or(1);
    const int on_node = slurm::whole_number<int>(variable("SLURM_GPUS_ON_NODE")).value_or(0);
    size.gpus.resize(static_cast<std::size_t>(on_node) * static_cast<std::size_t>(nodes));
    std::iota(size.gpus.begin(), size.gpus.end(), 0);
    return size;
}

class SrunAdmission final : public Admission {
public:
    explicit SrunAdmission(Share share) : share_(std::move(share)) {}

private:
    Share share_;
};

class SrunBackend final : public Backend {
public:
    SrunBackend(runtime::Context& context, Site site, std::vector<std::string> extra, std::string program)
        : context_(context), site_(std::move(site)), extra_(std::move(extra)), program_(std::move(program)) {
        if (site_.has_agent()) spool_.emplace(site_.spool);
        PoolSize size = allocation();
        nodes_ = slurm::whole_number<int>(variable("SLURM_JOB_NUM_NODES")).value_or(1);
        inside_ = size.cores > 0 && !variable("SLURM_JOB_ID").empty();
        if (inside_) pool_.emplace(std::move(size));
    }

    task<std::unique_ptr<Admission>> admit(const Job& job) override {
        require_allocation();
        // The pool is one machine to count with; a job may spread over the nodes that there are.
        Resources needs = job.resources();
        if (needs.nodes > nodes_)
            fail(ErrorKind::usage, "job '{}' asks for {} nodes; the allocation has {}", job.key(),
                 needs.nodes, nodes_);
        needs.nodes = 0;
        Job counted("srun", {"true"});
        counted.needs(needs);
        try {
            pool_->check(counted);
        } catch (Error& error) {
            throw error.add_context(fmt::format("job '{}'", job.key()));
        }
        Share share = co_await pool_->take(needs);
        co_return std::make_unique<SrunAdmission>(std::move(share));
    }

    task<JobExit> execute(Attempt attempt, const Admission&, Submitted submitted) override {
        const Job& job = attempt.job();
        std::vector<std::string> launcher = step_words(job);
        JobFile file = job_file(attempt, filled_in(job, std::nullopt), *spool_);
        file.signalled_together = true;
        if (job.resources().tasks > 1) {
            launcher.insert(launcher.end(), file.command.begin(), file.command.end());
            file.command = std::move(launcher);
            launcher.clear();
        }
        co_return co_await run_agent(context_, site_, *spool_, std::move(file), attempt, std::move(launcher),
                                     std::move(submitted));
    }

    task<std::optional<JobExit>> reattach(Attempt attempt, std::string submission) override {
        if (!submission.empty() && !submission.starts_with(kUnderAgent)) fail_other_kind(attempt, submission);
        require_allocation();
        const Share share = pool_->take_now(attempt.job().resources());
        std::optional<JobExit> exit = co_await follow_agent(context_, *spool_, attempt);
        co_return exit;
    }

    void forget(const Attempt& attempt, bool finished) noexcept override {
        if (spool_) spool_->remove(run_id(attempt.job().key(), attempt.number()), finished);
    }

    void send_signal(const Attempt& attempt, int number) override {
        if (spool_) spool_->request_signal(run_id(attempt.job().key(), attempt.number()), number);
    }

    task<QueueFacts> facts() override {
        QueueFacts facts;
        if (!inside_) {
            facts.usable = false;
            facts.hints.emplace_back(
                "the queue is for programs that run inside of a SLURM job: start coromd from a batch script, "
                "or "
                "after salloc");
            co_return facts;
        }
        facts.facts = {{"allocation", variable("SLURM_JOB_ID")},
                       {"nodes", variable("SLURM_JOB_NODELIST")},
                       {"cores", std::to_string(pool_->size().cores)},
                       {"GPUs", std::to_string(pool_->size().gpus.size())}};
        co_return facts;
    }

private:
    void require_allocation() const {
        if (!inside_)
            fail(ErrorKind::usage,
                 "the queue of kind 'srun' works inside of a SLURM job only: start coromd from a batch "
                 "script, or "
                 "after salloc; use kind = \"slurm\" to submit jobs");
        if (!spool_)
            fail(ErrorKind::usage,
                 "steps of SLURM's need the coromd program beside them: install it, or name it with 'agent' "
                 "in "
                 "the settings");
    }

    std::vector<std::string> step_words(const Job& job) const {
        const Resources& needs = job.resources();
        std::vector<std::string> words{program_,
                                       "--exact",
                                       "--quiet",
                                       "--input=none",
                                       "--kill-on-bad-exit=0",
                                       fmt::format("--nodes={}", std::max(needs.nodes, 1)),
                                       fmt::format("--ntasks={}", needs.tasks),
                                       fmt::format("--cpus-per-task={}", needs.cores)};
        if (needs.tasks > 1 && needs.nodes == 0) words[5] = fmt::format("--nodes=1-{}", nodes_);
        words.push_back(needs.gpus > 0 ? fmt::format("--gpus={}", needs.gpus) : "--gres=none");
        if (needs.memory_mib > 0) words.push_back(fmt::format("--mem={}M", needs.memory_mib));
        words.insert(words.end(), extra_.begin(), extra_.end());
        return words;
    }

    runtime::Context& context_;
    Site site_;
    std::optional<Spool> spool_;
    std::vector<std::string> extra_;
    std::string program_;
    int nodes_ = 1;
    bool inside_ = false;
    std::optional<ResourcePool> pool_;
};

}  // namespace

QueueKind srun_kind() {
    return {"srun", "steps of the SLURM allocation that this program runs in",
            [](runtime::Context& context, const Site& site, SettingsReader& settings) {
                std::string program = "srun";
                if (settings.has("commands")) program = (settings.path("commands") / program).string();
                return std::make_unique<SrunBackend>(context, site, settings.strings("arguments"), program);
            },
            Retries{}};
}

}  // namespace coromd::queue
