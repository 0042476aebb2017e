// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Jobs of SLURM's. The batch script is the user's #SBATCH lines and the agent, which runs the job's
// command, or the body of the user's script, and writes the exit record; see cluster.hpp for the rest.
#include <algorithm>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "agent_run.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/queue/attempt_files.hpp"
#include "coromd/queue/queue.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/semaphore.hpp"
#include "kinds.hpp"
#include "placeholders.hpp"
#include "slurm/cluster.hpp"
#include "slurm/duration.hpp"
#include "slurm/text.hpp"

namespace coromd::queue::slurm {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using runtime::task;
using std::chrono::milliseconds;

namespace {

/// SLURM may send its warning a minute early: it is used where that does not matter.
constexpr milliseconds kLongJob = 30min;

class SlurmAdmission final : public Admission {
public:
    explicit SlurmAdmission(runtime::Permit permit) : permit_(std::move(permit)) {}

private:
    runtime::Permit permit_;
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
        options_of(job);
        runtime::Permit permit;
        if (places_) permit = co_await places_->acquire();
        co_return std::make_unique<SlurmAdmission>(std::move(permit));
    }

    task<JobExit> execute(Attempt attempt, const Admission&, Submitted submitted) override {
        Cluster& cluster = this->cluster();
        const Job& job = attempt.job();
        const SbatchOptions options = options_of(job);
        JobFile file = job_file(attempt, filled_in(job, std::nullopt), cluster.spool());
        file.signalled_together = true;
        file.heartbeat = settings_.heartbeat;
        const std::optional<std::chrono::seconds> limit =
            options.value("time") ? parse_time(*options.value("time")) : std::nullopt;
        file.walltime = limit && *limit != kUnlimited ? milliseconds(*limit) : milliseconds(0);
        file.stop_early = settings_.stop_early.count() > 0
                              ? settings_.stop_early
                              : std::clamp<milliseconds>(file.walltime / 10, 10s, 120s);
        auto write = [&] {
            put_into_script(file);
            return write_job_file(file);
        };
        Request request{std::make_shared<Tracked>(run_id(job.key(), attempt.number())),
                        {},
                        options.to_arguments(),
                        std::move(submitted)};
        request.tracked->recoverable = job.is_recoverable();
        request.job_file = co_await runtime::offload(context_, write);
        if (file.walltime.count() == 0 || file.walltime >= kLongJob)
            request.arguments.push_back(fmt::format(
                "--signal=B:USR1@{}", std::chrono::ceil<std::chrono::seconds>(file.stop_early).count()));
        co_return co_await cluster.run(std::move(request), job.grace());
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
            fail(ErrorKind::conflict,
                 "attempt {} of job '{}' was given to another kind of queue, as '{}': run it with that one, "
                 "or cancel it there first",
                 attempt.number(), job.key(), submission);
        auto tracked = std::make_shared<Tracked>(id);
        tracked->recoverable = job.is_recoverable();
        co_return co_await cluster.follow(std::move(tracked), std::move(submission), job.grace());
    }

    void forget(const Attempt& attempt, bool finished) noexcept override {
        if (cluster_) cluster_->forget(run_id(attempt.job().key(), attempt.number()), finished);
    }

private:
    Cluster& cluster() {
        if (!cluster_)
            fail(
                ErrorKind::usage,
                "jobs of SLURM's need the coromd program beside them: install it, or name it with 'agent' in "
                "the settings");
        return *cluster_;
    }

    SbatchOptions options_of(const Job& job) const {
        SbatchOptions options = settings_.options;
        SbatchOptions own;
        for (const auto& [name, value] : job.scheduler_options()) own.set(name, value);
        options.overlay(own);
        options.overlay(resource_options(job.resources()));
        return options;
    }

    /// With a template, the command is what its body becomes.
    void put_into_script(JobFile& file) const {
        if (!settings_.has_template) return;
        const fs::path path = file.directory / kScriptFile;
        const std::string text =
            settings_.script.shebang() + "\n" + settings_.script.body(shell_quote(file.command));
        const FileDescriptor out = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);
        for (std::string_view rest = text; !rest.empty();) {
            const ssize_t n = ::write(out.get(), rest.data(), rest.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) fail_errno(errno, fmt::format("cannot write '{}'", path.string()));
            rest.remove_prefix(static_cast<std::size_t>(n));
        }
        // By its interpreter: file systems of scratch data may not allow programs.
        file.command.clear();
        std::string_view shebang = std::string_view(settings_.script.shebang()).substr(2);
        shebang = trimmed(shebang);
        const std::size_t blank = std::min(shebang.find_first_of(" \t"), shebang.size());
        file.command.emplace_back(shebang.substr(0, blank));
        const std::string_view option = trimmed(shebang.substr(blank));
        if (!option.empty()) file.command.emplace_back(option);
        file.command.push_back(path.string());
        file.script = true;
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
