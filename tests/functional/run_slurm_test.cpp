// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A campaign whose simulations are jobs of a cluster that is none, and works badly.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>

#include "program.hpp"

namespace coromd::functional {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RunSlurm : public CampaignTest {
protected:
    RunSlurm() {
        environment_["FAKE"] = COROMD_FAKE_SLURM;
        EXPECT_EQ(shell("\"$FAKE\" setup cluster --nodes 2 --cores-per-node 2 --minute 1s --kill-wait 200ms")
                      .exit_code,
                  0);
        write_campaign(
            "\n[queues.local]\ncores = 2\n",
            "queue = \"cluster\"\n\n[queues.cluster]\nkind = \"slurm\"\ncommands = \"cluster/bin\"\n"
            "poll = \"200 ms\"\nlost_after = \"5 s\"\n");
    }
    ~RunSlurm() override { shell("\"$FAKE\" stop cluster"); }

    void faults(const std::string& assignments) const {
        EXPECT_EQ(shell("\"$FAKE\" faults cluster " + assignments).exit_code, 0);
    }
    std::size_t mdruns() const {
        const std::vector<std::string> all = commands("start");
        return static_cast<std::size_t>(std::ranges::count_if(
            all, [](const std::string& line) { return line.find("mdrun") != std::string::npos; }));
    }
    void expect_all_walkers() const {
        for (const char* walker : {"000", "001", "002", "003"})
            EXPECT_TRUE(fs::exists(folder_ / "turn.campaign/walkers" / walker / "until.xtc")) << walker;
    }
};

TEST_F(RunSlurm, ACampaignRunsOnAClusterThatWorksBadly) {
    faults("lose_answer=1 controller_down.squeue=2 rubbish.sacct=always squeue_lag=1s");
    const Ended ended = coromd({"run", "campaign.toml"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    expect_all_walkers();
    EXPECT_EQ(mdruns(), 4u);
    EXPECT_THAT(read("cluster/calls.log"), HasSubstr(" sbatch "));
}

TEST_F(RunSlurm, WhatRunsWhenTheProgramIsKilledIsFoundAgain) {
    environment_["FAKE_GMX_MS_PER_FRAME"] = "20";
    const pid_t pid = start({"run", "campaign.toml"});
    await("commands.log", "mdrun");
    ::kill(pid, SIGKILL);
    EXPECT_EQ(wait(pid).exit_code, 128 + SIGKILL);
    const Ended ended = coromd({"run", "campaign.toml"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    expect_all_walkers();
    EXPECT_EQ(mdruns(), 4u);
}

TEST_F(RunSlurm, InterruptedItLeavesItsJobsRunningAndFindsThemAgain) {
    environment_["FAKE_GMX_MS_PER_FRAME"] = "20";
    const pid_t pid = start({"run", "campaign.toml"});
    await("commands.log", "mdrun");
    ::kill(pid, SIGINT);
    EXPECT_EQ(wait(pid).exit_code, 130);
    EXPECT_NE(shell("cluster/bin/squeue -h").out, "");
    const Ended ended = coromd({"run", "campaign.toml"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    expect_all_walkers();
    EXPECT_EQ(mdruns(), 4u);
}

TEST_F(RunSlurm, StoppedWithItsJobsItLeavesNothingBehindInTheQueueAndGoesOnLater) {
    environment_["FAKE_GMX_MS_PER_FRAME"] = "50";
    const pid_t pid = start({"run", "campaign.toml"});
    await("commands.log", "mdrun");
    EXPECT_EQ(coromd({"stop", "turn.campaign", "--jobs", "stop"}).exit_code, 0);
    EXPECT_EQ(wait(pid).exit_code, 130);
    EXPECT_EQ(shell("cluster/bin/squeue -h").out, "");
    environment_["FAKE_GMX_MS_PER_FRAME"] = "0";
    const Ended ended = coromd({"run", "campaign.toml"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    expect_all_walkers();
}

TEST_F(RunSlurm, WhatSlurmRefusesIsToldInItsWords) {
    faults("refuse_submit=always:QOSMaxWallDurationPerJobLimit");
    const Ended ended = coromd({"run", "campaign.toml"});
    EXPECT_EQ(ended.exit_code, 1);
    EXPECT_THAT(ended.err + ended.out, HasSubstr("QOSMaxWallDurationPerJobLimit"));
}

}  // namespace
}  // namespace coromd::functional
