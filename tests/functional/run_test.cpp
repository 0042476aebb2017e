// SPDX-License-Identifier: LGPL-3.0-or-later
#include <filesystem>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "coromd/trajectory/trajectory.hpp"
#include "program.hpp"

namespace coromd::functional {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class Run : public CampaignTest {};

TEST_F(Run, EndsWithATableATrajectoryPerWalkerAndTheCommittor) {
    const Ended ended = coromd({"run", "campaign.toml"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    for (const char* piece : {"walkers/000", "walkers/003", "committor", "left", "right"})
        EXPECT_THAT(ended.out, HasSubstr(piece));
    for (const char* walker : {"000", "001", "002", "003"}) {
        const fs::path file = folder_ / "turn.campaign/walkers" / walker / "until.xtc";
        const trajectory::Trajectory until(file, folder_ / "start.gro");
        // From 5.7 degrees, one degree per frame: above 20 after 15 frames, below -20 after 26.
        EXPECT_THAT(until.n_frames(), testing::AnyOf(16, 27)) << file;
        for (std::int64_t i = 0; i < until.n_frames(); ++i) EXPECT_EQ(until.step(i), 10 * i);
    }
    EXPECT_THAT(read("turn.campaign/coromd.log"), HasSubstr("walkers/002"));
}

TEST_F(Run, PrintsJsonAloneOnStandardOutput) {
    const Ended ended = coromd({"run", "campaign.toml", "--json", "--quiet"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    const json result = json::parse(ended.out);
    ASSERT_EQ(result.at("walkers").size(), 4u);
    EXPECT_EQ(result.at("failed"), 0);
    const json& committor = result.at("committor");
    EXPECT_EQ(
        committor.at("left").at("successes").get<int>() + committor.at("right").at("successes").get<int>(),
        4);
}

TEST_F(Run, GivesUpAtExactlyTheMaximumOfSteps) {
    write_campaign("max_steps = 1000", "max_steps = 100");
    const Ended ended = coromd({"run", "campaign.toml", "--json"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    const json result = json::parse(ended.out);
    for (const json& walker : result.at("walkers")) {
        EXPECT_TRUE(walker.at("states").empty());
        EXPECT_EQ(walker.at("steps"), 100);
    }
}

TEST_F(Run, SaysWhatItWouldDoAndDoesNothing) {
    const Ended ended = coromd({"run", "campaign.toml", "--dry-run"});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    for (const char* piece : {"turn", "4 walkers", "300 K", "left", "turn > 20*deg", "turn.campaign"})
        EXPECT_THAT(ended.out, HasSubstr(piece));
    EXPECT_FALSE(fs::exists(folder_ / "turn.campaign"));
    EXPECT_EQ(read("commands.log"), "");
}

TEST_F(Run, LetsTheOthersGoOnWhenAWalkerFails) {
    environment_["FAKE_GMX_MISBEHAVE"] = "mdrun walkers/001 fail;mdrun walkers/002 silent";
    const Ended ended = coromd({"run", "campaign.toml"});
    EXPECT_EQ(ended.exit_code, 1);
    for (const char* piece :
         {"walkers/001", "The stand-in was told to fail", "mdrun -s", "md.part0001.attempt1"})
        EXPECT_THAT(ended.out + ended.err, HasSubstr(piece));
    EXPECT_TRUE(fs::exists(folder_ / "turn.campaign/walkers/000/until.xtc"));
    EXPECT_FALSE(fs::exists(folder_ / "turn.campaign/walkers/001/until.xtc"));
    EXPECT_FALSE(fs::exists(folder_ / "turn.campaign/walkers/002/until.xtc"));

    // The failed ones, and only those, are tried again.
    environment_.erase("FAKE_GMX_MISBEHAVE");
    EXPECT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    environment_["FAKE_GMX_MISBEHAVE"] = "";
    EXPECT_EQ(commands("start").size() - commands("grompp").size() / 2, 4u + 2u)
        << "mdruns that were started";
}

TEST_F(Run, RunsNoMoreAtATimeThanThereAreCores) {
    write_campaign("count = 4", "count = 8");
    environment_["FAKE_GMX_MS_PER_FRAME"] = "5";
    ASSERT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    int running = 0;
    int most = 0;
    for (const std::string& line : commands("mdrun")) {
        running += line.starts_with("start") ? 1 : -1;
        most = std::max(most, running);
    }
    EXPECT_EQ(most, 2);
}

}  // namespace
}  // namespace coromd::functional
