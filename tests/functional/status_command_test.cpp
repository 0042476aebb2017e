// SPDX-License-Identifier: LGPL-3.0-or-later
//
// coromd status, on campaigns that run, have ended and were killed, without a terminal.
#include <csignal>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "program.hpp"

namespace coromd::functional {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class StatusCommand : public CampaignTest {
protected:
    StatusCommand() {
        environment_["FAKE_GMX_MS_PER_FRAME"] = "20";
        write_campaign("\"1 s\"", "\"100 ms\"");
    }

    /// Its streams are files of its own: start() uses the others for a program that runs meanwhile.
    Ended beside(const std::string& arguments) const {
        const Ended ended = shell("\"$COROMD\" " + arguments + " > beside.out 2> beside.err");
        return {ended.exit_code, read("beside.out"), read("beside.err")};
    }
};

TEST_F(StatusCommand, OfACampaignThatHasEnded) {
    ASSERT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    const Ended text = coromd({"status", "turn.campaign"});
    EXPECT_EQ(text.exit_code, 0) << text.err;
    EXPECT_THAT(text.out,
                AllOf(HasSubstr("does not run: its last program ended"), HasSubstr("4: 4 ended, 0 to go"),
                      HasSubstr("all walkers have ended"), HasSubstr("walkers/003"), HasSubstr(" finished")));
    const json status = json::parse(coromd({"status", "turn.campaign", "--json"}).out);
    EXPECT_EQ(status.at("activity"), "ended");
    EXPECT_EQ(status.at("walkers").at("total"), 4);
    EXPECT_EQ(status.at("walker_list").size(), 4u);
    EXPECT_EQ(status.at("jobs").at("failed"), 0);
    EXPECT_EQ(status.at("time_left").at("seconds"), 0.0);
    EXPECT_GT(status.at("md").at("time_ps"), 0.0);
    EXPECT_TRUE(status.at("owner").is_null());
    // It has ended already: nothing is waited for.
    EXPECT_EQ(coromd({"status", "turn.campaign", "--watch"}).out, text.out);
}

TEST_F(StatusCommand, OfACampaignThatRunsAndIsKilled) {
    const pid_t pid = start({"run", "campaign.toml"});
    await("commands.log", "md.part0002");
    const Ended runs = beside("status turn.campaign");
    EXPECT_EQ(runs.exit_code, 0) << runs.err;
    EXPECT_THAT(runs.out, HasSubstr("runs: process " + std::to_string(pid)));
    ::kill(pid, SIGKILL);
    wait(pid);
    const json status = json::parse(beside("status turn.campaign --json").out);
    EXPECT_EQ(status.at("activity"), "killed");
    EXPECT_EQ(status.at("md").at("ns_per_day"), 0.0);
    EXPECT_THAT(beside("status turn.campaign").out,
                AllOf(HasSubstr("was killed"), HasSubstr("start it again to go on")));
    EXPECT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
}

TEST_F(StatusCommand, WatchEndsWithTheCampaign) {
    const pid_t pid = start({"run", "campaign.toml"});
    await("commands.log", "md.part0001");
    const Ended watched = beside("status turn.campaign --watch");
    EXPECT_EQ(watched.exit_code, 0) << watched.err;
    EXPECT_THAT(watched.out, AllOf(HasSubstr("runs: process"), HasSubstr("4: 4 ended, 0 to go")));
    EXPECT_THAT(watched.out, Not(HasSubstr("\x1b"))) << "there is no terminal";
    EXPECT_EQ(wait(pid).exit_code, 0);
}

TEST_F(StatusCommand, TellsWhatFailedAndWhy) {
    environment_["FAKE_GMX_MISBEHAVE"] = "mdrun walkers/002 fail";
    ASSERT_EQ(coromd({"run", "campaign.toml"}).exit_code, 1);
    const Ended text = coromd({"status", "turn.campaign"});
    EXPECT_THAT(text.out, AllOf(HasSubstr("1 failed"), HasSubstr("walkers/002/md.part0001")));
    const json status = json::parse(coromd({"status", "turn.campaign", "--json"}).out);
    ASSERT_EQ(status.at("failures").size(), 1u);
    EXPECT_EQ(status.at("failures")[0].at("jobs")[0], "walkers/002/md.part0001");
    EXPECT_NE(status.at("failures")[0].at("reason"), "");
}

TEST_F(StatusCommand, RefusesWhatIsNoCampaign) {
    for (const std::vector<std::string>& wrong : {std::vector<std::string>{"status", "."},
                                                  {"status", "nowhere"},
                                                  {"status"},
                                                  {"status", "a", "b"},
                                                  {"status", "campaign.toml"},
                                                  {"status", ".", "--json", "--watch"}}) {
        const Ended ended = coromd(wrong);
        EXPECT_EQ(ended.exit_code, 2) << testing::PrintToString(wrong);
        EXPECT_THAT(ended.err, HasSubstr("error: "));
        EXPECT_EQ(ended.out, "");
    }
    write("broken.campaign/campaign.sqlite", "this is no database");
    const Ended broken = coromd({"status", "broken.campaign"});
    EXPECT_NE(broken.exit_code, 0);
    EXPECT_THAT(broken.err, HasSubstr("broken.campaign"));
}

}  // namespace
}  // namespace coromd::functional
