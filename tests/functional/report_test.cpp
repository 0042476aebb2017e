// SPDX-License-Identifier: LGPL-3.0-or-later
#include <csignal>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>

#include "made_campaign/made_campaign.hpp"
#include "program.hpp"

namespace coromd::functional {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class Report : public CampaignTest {};

TEST_F(Report, IsWrittenIntoTheDirectoryAndSaysWhere) {
    environment_["FAKE_GMX_MISBEHAVE"] = "mdrun walkers/001 fail";
    ASSERT_EQ(coromd({"run", "campaign.toml"}).exit_code, 1);
    const Ended ended = coromd({"report", "turn.campaign"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(ended.out, (folder_ / "turn.campaign/report.html").string() + "\n");
    EXPECT_EQ(ended.err, "");
    const std::string page = read("turn.campaign/report.html");
    EXPECT_THAT(page, HasSubstr("<h1>turn</h1>"));
    EXPECT_THAT(page, HasSubstr("ended, with jobs that failed"));
    EXPECT_THAT(page, HasSubstr("<svg"));
    EXPECT_THAT(page, HasSubstr("walkers/001/md.part0001, attempt 1"));
    EXPECT_THAT(page, HasSubstr("The stand-in was told to fail"));
    // The campaign goes on with a report in its directory.
    environment_.erase("FAKE_GMX_MISBEHAVE");
    EXPECT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    EXPECT_EQ(coromd({"report", "turn.campaign"}).exit_code, 0);
    EXPECT_THAT(read("turn.campaign/report.html"), HasSubstr("class=\"state\">ended<"));
}

TEST_F(Report, IsWrittenWhereItIsWanted) {
    tests::MadeCampaign made;
    made.walkers = 3;
    made.write(folder_ / "made.campaign");
    const Ended ended = coromd({"report", "made.campaign", "-o", "pages of mine.html"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_FALSE(fs::exists(folder_ / "made.campaign/report.html"));
    const std::string page = read("pages of mine.html");
    EXPECT_THAT(page, HasSubstr("href=\"made.campaign/walkers/000/until.trr\""));
    EXPECT_THAT(page, HasSubstr("aria-label=\"Density of phi and psi\""));
    const Ended without = coromd({"report", "made.campaign", "--limit-seconds", "0"});
    ASSERT_EQ(without.exit_code, 0) << without.err;
    EXPECT_THAT(read("made.campaign/report.html"), HasSubstr("3 of 3 trajectories are left out"));
    EXPECT_THAT(read("made.campaign/report.html"), HasSubstr("href=\"walkers/000/until.trr\""));
}

TEST_F(Report, WorksWhileTheCampaignRuns) {
    environment_["FAKE_GMX_MISBEHAVE"] = "mdrun walkers hang";
    const pid_t pid = start({"run", "campaign.toml"});
    await("commands.log", "mdrun");
    const Ended ended = coromd({"report", "turn.campaign"});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_THAT(read("turn.campaign/report.html"), HasSubstr("running: process " + std::to_string(pid)));
    ::kill(pid, SIGKILL);
    wait(pid);
    EXPECT_EQ(coromd({"report", "turn.campaign"}).exit_code, 0);
    EXPECT_THAT(read("turn.campaign/report.html"), HasSubstr("its program was killed"));
}

TEST_F(Report, SaysWhatIsWrong) {
    const Ended nothing = coromd({"report", "nowhere"});
    EXPECT_EQ(nothing.exit_code, 2);
    EXPECT_THAT(nothing.err, HasSubstr("not a campaign directory"));
    tests::MadeCampaign().write(folder_ / "made.campaign");
    const Ended directory = coromd({"report", "made.campaign", "-o", "."});
    EXPECT_EQ(directory.exit_code, 2);
    EXPECT_THAT(directory.err, HasSubstr("name a file"));
    const Ended missing = coromd({"report", "made.campaign", "-o", "no/such/folder.html"});
    EXPECT_EQ(missing.exit_code, 1);
    EXPECT_THAT(missing.err, HasSubstr("no/such"));
    EXPECT_EQ(coromd({"report", "made.campaign", "--limit-seconds", "-1"}).exit_code, 2);
    EXPECT_EQ(coromd({"report"}).exit_code, 2);
    write("made.campaign/campaign.sqlite", "this is no database");
    const Ended damaged = coromd({"report", "made.campaign"});
    EXPECT_EQ(damaged.exit_code, 1);
    EXPECT_THAT(damaged.err, HasSubstr("campaign.sqlite"));
    EXPECT_THAT(damaged.err, Not(HasSubstr("terminate")));
}

TEST_F(Report, HasHelpWithExamples) {
    const Ended help = coromd({"report", "--help"});
    EXPECT_EQ(help.exit_code, 0);
    for (const char* piece : {"Examples:", "--output", "--limit-seconds", "values.sqlite"})
        EXPECT_THAT(help.out, HasSubstr(piece));
}

}  // namespace
}  // namespace coromd::functional
