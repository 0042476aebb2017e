// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The program is killed, interrupted and started twice; nothing is lost and nothing is run twice.
#include <csignal>
#include <filesystem>
#include <map>
#include <string>

#include <gmock/gmock.h>

#include "coromd/trajectory/trajectory.hpp"
#include "program.hpp"

namespace coromd::functional {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Resume : public CampaignTest {
protected:
    Resume() {
        environment_["FAKE_GMX_MS_PER_FRAME"] = "20";
        write_campaign("\"1 s\"", "\"100 ms\"");
    }

    void expect_complete() const {
        for (const char* walker : {"000", "001", "002", "003"}) {
            const fs::path file = folder_ / "turn.campaign/walkers" / walker / "until.xtc";
            const trajectory::Trajectory until(file, folder_ / "start.gro");
            EXPECT_THAT(until.n_frames(), testing::AnyOf(16, 27)) << file;
            for (std::int64_t i = 0; i < until.n_frames(); ++i) EXPECT_EQ(until.step(i), 10 * i) << file;
        }
    }

    /// How often each part of MD was begun ("start "), or came to its end ("end ").
    std::map<std::string, int> parts(const char* what) const {
        std::map<std::string, int> count;
        for (const std::string& line : commands(what)) {
            // What a grompp left cannot be proven from its files alone: it may be done again.
            if (line.find("mdrun") == std::string::npos) continue;
            const auto attempt = line.rfind(".attempt");
            ++count[line.substr(line.find('/'), attempt - line.find('/'))];
        }
        return count;
    }
};

TEST_F(Resume, FindsEverythingDoneTheSecondTime) {
    const Ended first = coromd({"run", "campaign.toml"});
    ASSERT_EQ(first.exit_code, 0) << first.err;
    const std::string commands_of_first = read("commands.log");
    const Ended second = coromd({"run", "campaign.toml"});
    EXPECT_EQ(second.exit_code, 0) << second.err;
    EXPECT_EQ(second.out, first.out);
    EXPECT_EQ(read("commands.log"), commands_of_first);
}

class KilledAt : public Resume, public testing::WithParamInterface<const char*> {};

TEST_P(KilledAt, GoesOnWhereItWas) {
    const pid_t pid = start({"run", "campaign.toml"});
    await("commands.log", GetParam());
    ::kill(pid, SIGKILL);
    ASSERT_EQ(wait(pid).exit_code, 128 + SIGKILL);

    const Ended ended = coromd({"run", "campaign.toml"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    expect_complete();
    // MD outlives us, and is gone on with.
    for (const auto& [part, count] : parts("start ")) EXPECT_EQ(count, 1) << part << " was begun twice";
    for (const auto& [part, count] : parts("end ")) EXPECT_EQ(count, 1) << part << " was done twice";
}
INSTANTIATE_TEST_SUITE_P(Moments, KilledAt,
                         testing::Values("md.part0001", "md.part0002", "walkers/003/md.part0001",
                                         "md.part0003"),
                         [](const auto& info) { return "Moment" + std::to_string(info.index); });

TEST_F(Resume, StopsGracefullyOnControlC) {
    const pid_t pid = start({"run", "campaign.toml"});
    await("commands.log", "md.part0002");
    ::kill(pid, SIGINT);
    const Ended stopped = wait(pid);
    EXPECT_EQ(stopped.exit_code, 130) << stopped.err;
    EXPECT_THAT(stopped.err, HasSubstr("to go on"));
    EXPECT_EQ(commands("start").size(), commands("end ").size()) << "something was left running or killed";

    EXPECT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    expect_complete();
}

TEST_F(Resume, KeepsASecondOneOut) {
    const pid_t pid = start({"run", "campaign.toml"});
    await("commands.log", "md.part0001");
    // The second one has streams of its own names, and leaves those of the first alone.
    const std::string out = read("stdout");
    const Ended second = coromd({"run", "campaign.toml"});
    EXPECT_EQ(second.exit_code, 2) << second.err;
    EXPECT_THAT(second.err, HasSubstr(std::to_string(pid)));
    EXPECT_EQ(wait(pid).exit_code, 0);
    expect_complete();
}

TEST_F(Resume, RefusesAnotherProblemAndTellsTheDifference) {
    ASSERT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    const std::string before = read("commands.log");

    write_campaign("turn > 20*deg", "turn > 30*deg");
    const Ended states = coromd({"run", "campaign.toml"});
    EXPECT_NE(states.exit_code, 0);
    EXPECT_THAT(states.err, HasSubstr("30*deg"));

    write_campaign();
    write("md.mdp", "dt = 0.004\nnstxout-compressed = 10\n");
    const Ended mdp = coromd({"run", "campaign.toml"});
    EXPECT_NE(mdp.exit_code, 0);
    EXPECT_THAT(mdp.err, HasSubstr("gromacs.mdp"));
    EXPECT_EQ(read("commands.log"), before) << "something was run all the same";
}

TEST_F(Resume, TakesOtherLimitsAndMoreWalkers) {
    ASSERT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    const auto before = commands("mdrun").size();
    write_campaign("count = 4\ntemperature = 300\nmax_steps = 1000\nslice = \"1 s\"",
                   "count = 5\ntemperature = 300\nmax_steps = 2000\nslice = \"2 s\"");
    EXPECT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    EXPECT_EQ(commands("mdrun").size(), before + 2) << "one mdrun, which starts and ends";
}

TEST_F(Resume, WorksInADirectoryThatWasMoved) {
    const pid_t pid = start({"run", "campaign.toml"});
    await("commands.log", "md.part0002");
    ::kill(pid, SIGINT);
    ASSERT_EQ(wait(pid).exit_code, 130);
    fs::rename(folder_ / "turn.campaign", folder_ / "elsewhere");
    ASSERT_EQ(coromd({"run", "campaign.toml", "-d", "elsewhere"}).exit_code, 0);
    // MD outlives us, and is gone on with.
    for (const auto& [part, count] : parts("start ")) EXPECT_EQ(count, 1) << part << " was begun twice";
    for (const auto& [part, count] : parts("end ")) EXPECT_EQ(count, 1) << part << " was done twice";
}

}  // namespace
}  // namespace coromd::functional
