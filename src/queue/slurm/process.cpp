// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/queue/slurm_process.hpp"

#include <utility>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/runtime/offload.hpp"
#include "slurm/cluster.hpp"
#include "slurm/hostlist.hpp"
#include "slurm/request.hpp"

namespace coromd::queue {

namespace fs = std::filesystem;
using runtime::task;

struct SlurmCluster::Impl {
    Impl(runtime::Context& context, Site site, slurm::Settings read)
        : context(context), settings(std::move(read)), cluster(context, settings, std::move(site)) {}

    runtime::Context& context;
    slurm::Settings settings;
    slurm::Cluster cluster;
};

struct SlurmProcess::State {
    std::shared_ptr<slurm::Cluster> cluster;
    std::shared_ptr<slurm::Tracked> tracked;
    fs::path directory;
    std::string jobid;
};

SlurmCluster::SlurmCluster(runtime::Context& context, Site site, SettingsReader& settings) {
    if (!site.has_agent()) fail(ErrorKind::usage, "jobs of SLURM's need the coromd program beside them");
    impl_ = std::make_shared<Impl>(context, std::move(site), slurm::Settings::from(settings));
}

SlurmCluster::~SlurmCluster() = default;

task<SlurmProcess> SlurmCluster::submit(Job job) {
    std::optional<slurm::Request> request;
    auto prepare = [&] {
        // The first folder that is free: mkdir decides between two programs.
        std::error_code error;
        fs::create_directories(job.directory(), error);
        int number = 1;
        while (!error && !fs::create_directory(job.attempt_directory(number), error)) ++number;
        if (error)
            fail(ErrorKind::system, "cannot create '{}': {}", job.attempt_directory(number).string(),
                 error.message());
        Submitted nowhere = [](std::string) -> task<void> { co_return; };
        request =
            make_request(impl_->settings, impl_->cluster.spool(), Attempt(job, number), std::move(nowhere));
        // The run is known by its folder, so that equal names do not meet.
        request->file.key = request->file.directory.string();
        request->tracked->run = run_id(request->file.key, number);
        write_request(impl_->settings, *request);
    };
    std::optional<slurm::Cluster::Coming> coming(std::in_place, impl_->cluster);
    co_await runtime::offload(impl_->context, prepare);
    coming.reset();
    auto state = std::make_shared<SlurmProcess::State>();
    state->cluster = {impl_, &impl_->cluster};
    state->tracked = request->tracked;
    state->directory = request->file.directory;
    co_await impl_->cluster.submit_only(std::move(*request));
    state->jobid = state->tracked->id.text();
    co_return SlurmProcess(std::move(state));
}

SlurmProcess::SlurmProcess(std::shared_ptr<State> state) : state_(std::move(state)) {}
SlurmProcess::SlurmProcess(SlurmProcess&&) noexcept = default;
SlurmProcess& SlurmProcess::operator=(SlurmProcess&&) noexcept = default;
SlurmProcess::~SlurmProcess() = default;

task<int> SlurmProcess::wait() {
    const std::shared_ptr<State> state = state_;
    co_await state->cluster->wait(state->tracked);
    if (!state->tracked->exit) fail(ErrorKind::system, "{}", state->tracked->not_possible);
    const std::optional<int> code = returncode();
    if (!code)
        fail(ErrorKind::job, "SLURM job {}: {}\n{}", jobid(), state->tracked->exit->text(),
             state->tracked->exit->stderr_tail);
    co_return *code;
}

task<SlurmProcess::Output> SlurmProcess::communicate() {
    co_await wait();
    Output output;
    output.standard_output = exit()->stdout_tail;
    output.standard_error = exit()->stderr_tail;
    co_return output;
}

std::optional<int> SlurmProcess::returncode() const {
    const JobExit* end = exit();
    if (end == nullptr) return std::nullopt;
    if (end->exit_code) return end->exit_code;
    return end->signal != 0 ? std::optional(-end->signal) : std::nullopt;
}

const JobExit* SlurmProcess::exit() const {
    const slurm::Tracked& tracked = *state_->tracked;
    return tracked.stage == slurm::Tracked::Stage::ended && tracked.exit ? &*tracked.exit : nullptr;
}

task<void> SlurmProcess::update() {
    return state_->cluster->update(state_->tracked);
}

std::string SlurmProcess::state() const {
    const slurm::State* state = state_->tracked->state;
    if (state == nullptr) return "";
    return state->name.empty() ? state_->tracked->reason : std::string(state->name);
}

std::string SlurmProcess::reason() const {
    const slurm::State* state = state_->tracked->state;
    const bool waits = state != nullptr && state->phase == slurm::Phase::waiting;
    return waits ? state_->tracked->reason : "";
}

std::string SlurmProcess::jobid() const {
    return state_->jobid;
}

std::vector<std::string> SlurmProcess::nodes() const {
    const JobExit* end = exit();
    return slurm::expand_hostlist(end != nullptr && !end->node.empty() ? end->node : state_->tracked->nodes);
}

const fs::path& SlurmProcess::directory() const {
    return state_->directory;
}

task<void> SlurmProcess::terminate() {
    return state_->cluster->tell_to_stop(state_->tracked, false);
}

task<void> SlurmProcess::kill() {
    return state_->cluster->tell_to_stop(state_->tracked, true);
}

void SlurmProcess::send_signal(int number) {
    state_->cluster->spool().request_signal(state_->tracked->run, number);
}

}  // namespace coromd::queue
