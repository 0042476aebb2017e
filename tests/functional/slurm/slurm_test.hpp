// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/queue/queue.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/timer.hpp"
#include "unit/queue/fixtures.hpp"

namespace coromd::functional {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using queue::FailureClass;
using queue::Job;
using queue::JobExit;
using queue::JobResult;
using queue::JobState;
using queue::Verdict;
using queue::test::Event;
using runtime::task;

/// A ledger in memory that keeps what was recorded, and first does what a test wants it to do.
class TappedLedger final : public queue::JobLedger {
public:
    /// Called with what is about to be recorded as an attempt's place; may throw.
    std::function<task<void>(std::string words)> when_submitted = [](std::string) -> task<void> {
        co_return;
    };
    /// Called when the end of an attempt is about to be recorded.
    std::function<task<void>()> when_ended = []() -> task<void> { co_return; };
    std::vector<std::string> places;
    std::vector<JobResult> ends;

    task<queue::Claim> claim(std::string key, std::string specification) override {
        return ledger_->claim(std::move(key), std::move(specification));
    }
    task<int> begin_attempt(std::string key) override { return ledger_->begin_attempt(std::move(key)); }
    task<void> submitted(std::string key, int attempt, std::string words) override;
    task<void> ended(JobResult result) override;
    void release(const std::string& key) noexcept override { ledger_->release(key); }

    /// Makes it that of a program that begins after another one has begun the job's first attempt
    /// and recorded `words`.
    task<void> inherit(Job job, std::string words);

private:
    std::unique_ptr<queue::JobLedger> ledger_ = queue::memory_ledger();
};

/// A test with a cluster of its own that is none, and a queue of kind "slurm" on it.
class SlurmTest : public testing::Test {
protected:
    SlurmTest();
    ~SlurmTest() override;

    /// Makes the cluster anew: two nodes of eight cores, unless `options` say otherwise.
    void setup(const std::string& options = "") const;
    void faults(const std::string& assignments) const;
    /// A setting of the queue; tables and lists are given as a Setting's value.
    void set(const std::string& name, Setting::Value value) {
        settings_[name] = Setting(std::move(value), Origin{"test.toml", 1, 1});
    }
    std::unique_ptr<queue::Queue> make_queue(queue::JobLedger& ledger);
    /// The queue of this test, made at the first call.
    queue::Queue& queue();

    /// A job that says in `runs` that it runs, once each time.
    Job script(const std::string& text, const std::string& key = "job") const;
    /// The same; says in `<key>.ready` that it is about to wait for the file `go`.
    Job waiting(const std::string& key = "job", const std::string& first = "") const;
    JobResult run(Job job);
    task<std::vector<JobResult>> all(std::vector<Job> jobs);
    std::vector<JobResult> run_all(std::vector<Job> jobs);
    /// Runs the jobs with `meanwhile` beside them.
    template <typename Meanwhile>
    std::vector<JobResult> run_with(std::vector<Job> jobs, Meanwhile meanwhile) {
        auto body = [&]() -> task<std::vector<JobResult>> {
            std::vector<JobResult> results;
            auto main = [&]() -> task<void> { results = co_await all(std::move(jobs)); };
            co_await runtime::gather(main(), meanwhile());
            co_return results;
        };
        return context_.run(body());
    }
    /// Runs the jobs until `meanwhile` has ended, then cancels them; how each ended.
    template <typename Meanwhile>
    std::vector<std::string> cancel_after(std::vector<Job> jobs, Meanwhile meanwhile) {
        std::vector<std::string> how(jobs.size());
        auto body = [&]() -> task<void> {
            Event stop;
            auto main = [&]() -> task<void> {
                std::vector<task<void>> children;
                for (std::size_t i = 0; i < jobs.size(); ++i)
                    children.push_back(observe(stop, jobs[i], how[i]));
                co_await runtime::gather(std::move(children));
            };
            auto watch = [&]() -> task<void> {
                co_await meanwhile();
                stop.set();
            };
            co_await runtime::gather(main(), watch());
        };
        context_.run(body());
        return how;
    }

    /// Waits until it is true; fails the test after a minute.
    task<void> until(std::function<bool()> condition);
    task<void> until_ready(std::string key = "job");
    /// Waits until the command was called `more` times more.
    task<void> until_called(std::string command, std::size_t more = 1);

    fs::path file(const std::string& name) const { return folder_.path() / name; }
    std::string read(const std::string& name) const;
    /// How often a job with this key ran; of any key where none is given.
    std::size_t runs(const std::string& key = "") const;
    /// The calls of a command, with its arguments.
    std::vector<std::string> calls(const std::string& command) const;
    /// A command of the cluster's; its output.
    std::string slurm(const std::string& line) const;
    /// The id of SLURM's of the jobs in the cluster, "12" or "12_3".
    std::string only_id() const { return slurm("squeue -h -r -o %i"); }

    queue::test::TemporaryDirectory folder_;
    runtime::Context context_{2};
    TappedLedger ledger_;
    queue::Retries retries_;

private:
    task<void> observe(Event& stop, Job job, std::string& how);

    Setting::Table settings_;
    std::unique_ptr<queue::Queue> queue_;
};

}  // namespace coromd::functional
