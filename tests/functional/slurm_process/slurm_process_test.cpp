// SPDX-License-Identifier: LGPL-3.0-or-later
//
// SlurmProcess with the stand-in of SLURM.
#include "coromd/queue/slurm_process.hpp"

#include <csignal>
#include <cstdlib>

#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/timer.hpp"
#include "coromd/runtime/watch.hpp"
#include "unit/queue/fixtures.hpp"

namespace coromd::queue {
namespace {

using namespace test;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class SlurmProcessTest : public testing::Test {
protected:
    SlurmProcessTest() {
        shell("setup", "--nodes 2 --cores-per-node 4 --kill-wait 200ms");
        Setting::Table table;
        table["commands"] = Setting((temporary_.path() / "cluster" / "bin").string(), Origin{});
        const Setting setting(std::move(table), Origin{});
        SettingsReader settings(setting, "queues.test");
        cluster_.emplace(context_, Site{temporary_.path() / "spool", COROMD_PROGRAM}, settings);
        settings.finish();
    }
    ~SlurmProcessTest() override {
        cluster_.reset();
        shell("stop", "");
    }
    void shell(const std::string& command, const std::string& arguments) const {
        const std::string line = std::string(COROMD_FAKE_SLURM) + " " + command + " " +
                                 (temporary_.path() / "cluster").string() + " " + arguments + " >/dev/null";
        ASSERT_EQ(std::system(line.c_str()), 0) << line;
    }
    Job script(const std::string& text, const std::string& name = "job") const {
        Job job(name, {"/bin/sh", "-c", text});
        job.in_directory(temporary_.path() / "work").grace(10s);
        return job;
    }
    /// fn(process) for a process that was submitted.
    template <typename Fn>
    void with_process(Job job, Fn fn) {
        auto body = [&]() -> task<void> {
            SlurmProcess process = co_await cluster_->submit(job);
            co_await fn(process);
        };
        context_.run(body());
    }

    TemporaryDirectory temporary_;
    runtime::Context context_{2};
    std::optional<SlurmCluster> cluster_;
};

TEST_F(SlurmProcessTest, RunsAProgramLikeASubprocess) {
    Job job = script("cat; echo complained >&2; exit 3");
    job.input("text");
    with_process(job, [&](SlurmProcess& process) -> task<void> {
        EXPECT_FALSE(process.jobid().empty());
        EXPECT_EQ(process.returncode(), std::nullopt);
        const SlurmProcess::Output output = co_await process.communicate();
        EXPECT_EQ(output.standard_output, "text");
        EXPECT_EQ(output.standard_error, "complained\n");
        EXPECT_EQ(process.returncode(), 3);
        EXPECT_EQ(co_await process.wait(), 3) << "again";
        EXPECT_THAT(process.nodes(), ElementsAre("n1"));
    });
}

TEST_F(SlurmProcessTest, TellsHowItStands) {
    with_process(script("echo > ready; while :; do sleep 0.01; done"),
                 [&](SlurmProcess& process) -> task<void> {
                     co_await runtime::wait_until_grown(process.directory() / "ready", 0, 2ms);
                     co_await process.update();
                     EXPECT_EQ(process.state(), "RUNNING");
                     EXPECT_EQ(process.reason(), "");
                     EXPECT_THAT(process.nodes(), ElementsAre("n1"));
                     co_await process.kill();
                     EXPECT_NE(co_await process.wait(), 0);
                 });
}

TEST_F(SlurmProcessTest, IsTerminatedByItsRule) {
    const Job job = script("trap 'exit 7' INT; echo > ready; while :; do sleep 0.01; done")
                        .stops_by({SIGINT, "", "", ""});
    with_process(job, [&](SlurmProcess& process) -> task<void> {
        co_await runtime::wait_until_grown(process.directory() / "ready", 0, 2ms);
        co_await process.terminate();
        EXPECT_EQ(co_await process.wait(), 7);
        EXPECT_TRUE(process.exit()->stopped);
    });
}

TEST_F(SlurmProcessTest, GetsSignals) {
    with_process(script("trap 'exit 9' USR2; echo > ready; while :; do sleep 0.01; done"),
                 [&](SlurmProcess& process) -> task<void> {
                     co_await runtime::wait_until_grown(process.directory() / "ready", 0, 2ms);
                     process.send_signal(SIGUSR2);
                     EXPECT_EQ(co_await process.wait(), 9);
                     EXPECT_FALSE(process.exit()->stopped);
                 });
}

TEST_F(SlurmProcessTest, ManyOfOneNameDoNotMeet) {
    auto body = [&]() -> task<void> {
        std::vector<task<SlurmProcess>> submissions;
        for (int i = 0; i < 20; ++i) submissions.push_back(cluster_->submit(script("pwd")));
        std::vector<SlurmProcess> processes = co_await runtime::gather(std::move(submissions));
        std::set<std::string> places;
        for (SlurmProcess& process : processes) {
            const SlurmProcess::Output output = co_await process.communicate();
            places.insert(output.standard_output);
        }
        EXPECT_EQ(places.size(), 20u);
    };
    context_.run(body());
}

TEST_F(SlurmProcessTest, DependenciesAreSlurms) {
    auto body = [&]() -> task<void> {
        SlurmProcess first =
            co_await cluster_->submit(script("echo > ready; while [ ! -e go ]; do sleep 0.01; done"));
        Job next = script("cat ../job.attempt1/done", "next");
        SlurmProcess second =
            co_await cluster_->submit(next.scheduler_option("dependency", "afterany:" + first.jobid()));
        co_await runtime::wait_until_grown(first.directory() / "ready", 0, 2ms);
        co_await second.update();
        EXPECT_EQ(second.state(), "PENDING");
        EXPECT_EQ(second.reason(), "Dependency");
        write_file(first.directory() / "done", "said");
        write_file(first.directory() / "go");
        const SlurmProcess::Output output = co_await second.communicate();
        EXPECT_EQ(output.standard_output, "said");
    };
    context_.run(body());
}

TEST_F(SlurmProcessTest, WhatSlurmRefusesIsAnError) {
    auto body = [&]() -> task<void> {
        SlurmProcess process =
            co_await cluster_->submit(script("true").scheduler_option("partition", "nowhere"));
    };
    try {
        context_.run(body());
        ADD_FAILURE() << "it was accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("invalid partition"));
    }
}

TEST_F(SlurmProcessTest, AProgramThatIsNotThereIsNamed) {
    Job job("job", {"no-such-program"});
    job.in_directory(temporary_.path() / "work");
    with_process(job, [&](SlurmProcess& process) -> task<void> {
        std::string message;
        try {
            co_await process.wait();
        } catch (const Error& error) {
            message = error.what();
        }
        EXPECT_THAT(message, HasSubstr("no-such-program"));
    });
}

}  // namespace
}  // namespace coromd::queue
