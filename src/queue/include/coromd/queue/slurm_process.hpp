// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coromd/core/settings.hpp"
#include "coromd/queue/queue.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::queue {

/// A program that runs as a job of SLURM's, to be used like a subprocess, by who wants nothing of
/// ledgers and accepted files. Made by SlurmCluster::submit(), which it must not outlive.
///
/// Destroying it neither stops the job nor forgets it.
class SlurmProcess {
public:
    SlurmProcess(SlurmProcess&&) noexcept;
    SlurmProcess& operator=(SlurmProcess&&) noexcept;
    ~SlurmProcess();

    /// Waits for its end and returns returncode(). Throws Error(system) where the program could not be
    /// started, Error(job) where nobody knows how it ended.
    /// Cancellation: throws Cancelled; the job is not touched.
    runtime::task<int> wait();
    /// Waits for its end; the last 16 KiB of what it wrote. Throws and is cancelled as wait().
    struct Output {
        std::string standard_output;
        std::string standard_error;
    };
    runtime::task<Output> communicate();
    /// The exit code, or minus the signal that ended it; empty while it runs, and before wait() or
    /// update() has seen the end.
    std::optional<int> returncode() const;
    /// All that is known of its end; null before that was seen.
    const JobExit* exit() const;

    /// Asks SLURM how it stands.
    /// Cancellation: throws Cancelled.
    runtime::task<void> update();
    /// SLURM's last word: "PENDING", "RUNNING"; "" before the first one.
    std::string state() const;
    /// Why it waits, in SLURM's words; "" where it does not.
    std::string reason() const;
    /// "12", or "12_3" where it went in together with others.
    std::string jobid() const;
    /// Where it runs or ran; empty before.
    std::vector<std::string> nodes() const;
    /// Where it runs: its files stay there, and its streams are job.out and job.err.
    const std::filesystem::path& directory() const;

    /// Asks it to stop, by the job's rule; after its grace it is killed.
    /// Cancellation: throws Cancelled; whether it was asked is open.
    runtime::task<void> terminate();
    /// scancel: SIGTERM from SLURM, and SIGKILL soon afterwards.
    /// Cancellation: as for terminate().
    runtime::task<void> kill();
    /// Sends a signal to the program itself within some seconds, once it runs.
    void send_signal(int number);

private:
    friend class SlurmCluster;
    struct State;
    explicit SlurmProcess(std::shared_ptr<State> state);

    std::shared_ptr<State> state_;
};

/// A SLURM cluster for SlurmProcess. Belongs to the loop thread.
class SlurmCluster {
public:
    /// `settings`: as of a queue of kind "slurm". Throws Error(usage), also where `site` has no agent.
    SlurmCluster(runtime::Context& context, Site site, SettingsReader& settings);
    ~SlurmCluster();
    SlurmCluster(const SlurmCluster&) = delete;
    SlurmCluster& operator=(const SlurmCluster&) = delete;

    /// Submits the job; returns when SLURM has accepted it. It runs in a new folder
    /// `<leaf>.attempt<N>` of its directory. Judge and outputs of the job are not used.
    /// Throws Error(system) where SLURM refuses it.
    /// Cancellation: the submission is taken back, throws Cancelled.
    runtime::task<SlurmProcess> submit(Job job);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace coromd::queue
