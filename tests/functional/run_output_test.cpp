// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Where the output goes: terminals, pipes that nobody reads, full disks, closed streams; and which
// files and folders are taken.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.hpp"

namespace coromd::functional {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Output : public CampaignTest {};

TEST_F(Output, ProgressInAPipeIsALinePerEnd) {
    environment_["FAKE_GMX_MS_PER_FRAME"] = "5";
    write_campaign("\"1 s\"", "\"20 ms\"");
    const Ended ended = coromd({"run", "campaign.toml"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_THAT(ended.err, Not(HasSubstr("\x1b")));
    std::size_t ends = 0;
    for (auto at = ended.err.find("reached "); at != std::string::npos;
         at = ended.err.find("reached ", at + 1))
        ++ends;
    EXPECT_EQ(ends, 4u);
    EXPECT_THAT(ended.err, Not(HasSubstr("between parts")));
}

TEST_F(Output, ALogIsShownInPlaceOfTheProgress) {
    const Ended verbose = coromd({"run", "campaign.toml", "-v"});
    EXPECT_THAT(verbose.err, AllOf(HasSubstr("] session begins"), HasSubstr("] walkers/003")));
    EXPECT_THAT(verbose.err, Not(HasSubstr("\nwalkers/003")));
    EXPECT_EQ(coromd({"run", "campaign.toml", "--quiet"}).err, "");
}

TEST_F(Output, ATerminalIsKeptUpToDateWithinItsWidth) {
    environment_["FAKE_GMX_MS_PER_FRAME"] = "20";
    environment_["TERM"] = "xterm";
    winsize size{};
    size.ws_row = 6;
    size.ws_col = 40;
    int master = -1;
    const pid_t pid = ::forkpty(&master, nullptr, nullptr, &size);
    ASSERT_GE(pid, 0);
    if (pid == 0) {
        for (const auto& [name, value] : environment_) ::setenv(name.c_str(), value.c_str(), 1);
        if (::chdir(folder_.c_str()) == 0) ::execl(COROMD_PROGRAM, "coromd", "run", "campaign.toml", nullptr);
        ::_exit(127);
    }
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(master, buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(n));
    ::close(master);
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);

    EXPECT_THAT(text, HasSubstr("\x1b[J"));
    // A line of the block that is longer than the terminal is wide would be wrapped, and the cursor
    // would not find back. Ends and the table are no part of the block.
    std::size_t blocks = 0;
    for (auto at = text.find("\x1b[J"); at != std::string::npos; at = text.find("\x1b[J", at + 1)) {
        const auto line = text.substr(at + 3, text.find('\r', at) - at - 3);
        if (line.find("running") == std::string::npos) continue;
        EXPECT_LT(line.size(), 40u) << line;
        ++blocks;
    }
    EXPECT_GT(blocks, 0u);
}

TEST_F(Output, AResultThatCannotBeWrittenIsAnError) {
    for (const char* where : {">/dev/full", ">&-"}) {
        const Ended ended = shell(std::string("\"$COROMD\" run campaign.toml --json ") + where);
        EXPECT_EQ(ended.exit_code, 1) << where;
        EXPECT_THAT(ended.err, HasSubstr("standard output")) << where;
    }
    EXPECT_EQ(json::parse(coromd({"run", "campaign.toml", "--json"}).out).at("failed"), 0) << "it was lost";
}

TEST_F(Output, ProgressThatNobodyReadsDisturbsNothing) {
    for (const char* where : {"2>/dev/full", "2>&-", "<&- 2>&-"}) {
        const std::string folder = "campaign" + std::to_string(std::string_view(where).size());
        const Ended ended = shell("\"$COROMD\" run campaign.toml --json -d '" + folder + "' " + where);
        EXPECT_EQ(ended.exit_code, 0) << where;
        EXPECT_EQ(json::parse(ended.out).at("failed"), 0) << where;
        // Had the database got the number of a closed stream, it would hold lines of progress.
        EXPECT_THAT(read(folder + "/campaign.sqlite"), testing::StartsWith("SQLite format 3"));
        EXPECT_THAT(read(folder + "/campaign.sqlite"), Not(HasSubstr("0 running")));
    }
    // The reader of the pipe is gone before the first line.
    const Ended piped =
        shell("{ \"$COROMD\" run campaign.toml --json 2>&1 1>&3; echo $? >code; } 3>json | true");
    EXPECT_EQ(piped.exit_code, 0);
    for (int i = 0; i < 2000 && read("code").empty(); ++i) ::usleep(10'000);
    EXPECT_EQ(read("code"), "0\n");
    EXPECT_EQ(json::parse(read("json")).at("failed"), 0);
}

TEST_F(Output, ADryRunSaysWhatIsThereOfAnEarlierRun) {
    EXPECT_THAT(coromd({"run", "campaign.toml", "-n"}).out,
                AllOf(HasSubstr("cores = 2"), HasSubstr("none: a new campaign")));
    ASSERT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    EXPECT_THAT(coromd({"run", "campaign.toml", "-n"}).out, HasSubstr("9 finished"));
    const json plan = json::parse(coromd({"run", "campaign.toml", "-n", "--json"}).out);
    EXPECT_EQ(plan.at("earlier_jobs").at("finished"), 9);
    EXPECT_EQ(plan.at("queues").at("local").at("cores"), 2);
    EXPECT_EQ(plan.at("settings").at("states").at("left"), "turn > 20*deg");
    EXPECT_EQ(coromd({"run", "campaign.toml", "-n", "--fresh"}).exit_code, 2);
    write("other/notes.txt", "mine");
    EXPECT_EQ(coromd({"run", "campaign.toml", "-n", "-d", "other"}).exit_code, 2);
}

TEST_F(Output, FilesOfOtherSystemsAndFoldersOfAnyNameAreTaken) {
    std::string text = campaign_text();
    for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2))
        text.replace(at, 1, "\r\n");
    write("Ordner mit Ümlaut/分子 (1).toml", "\xef\xbb\xbf" + text);
    for (const char* name : {"start.gro", "topol.top", "md.mdp"})
        write(std::string("Ordner mit Ümlaut/") + name, read(name));
    const Ended ended = coromd({"run", "Ordner mit Ümlaut/分子 (1).toml", "--json"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(json::parse(ended.out).at("failed"), 0);
    EXPECT_TRUE(fs::exists(folder_ / "Ordner mit Ümlaut/turn.campaign/walkers/003/until.xtc"));
}

TEST_F(Output, AChangeOfWhatTheResultDependsOnIsToldWithTheWayOut) {
    ASSERT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    const auto refused = [&](const std::string& piece) {
        const Ended ended = coromd({"run", "campaign.toml"});
        EXPECT_EQ(ended.exit_code, 2) << ended.err;
        EXPECT_THAT(ended.err, AllOf(HasSubstr(piece), HasSubstr("another"), HasSubstr("directory")));
    };
    write_campaign("temperature = 300", "temperature = 310");
    refused("310");
    write_campaign("seed = 7", "seed = 8");
    refused("seed 7");
    write_campaign();
    write("md.mdp", read("md.mdp") + "; a comment changes nothing\n");
    EXPECT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    write("md.mdp", read("md.mdp") + "ld-seed = 3\n");
    refused("gromacs.mdp");
    write("md.mdp", "integrator = md\ndt = 0.002\nnstxout-compressed = 10\ngen-vel = no\n");
    write("topol.top", "[ system ]\nsix atoms\n");
    refused("gromacs.topology");
}

}  // namespace
}  // namespace coromd::functional
