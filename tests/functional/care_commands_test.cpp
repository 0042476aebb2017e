// SPDX-License-Identifier: LGPL-3.0-or-later
//
// coromd provenance, clean and campaign, on a campaign that the stand-in of gmx has made.
#include <csignal>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "program.hpp"

namespace coromd::functional {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CareCommands : public CampaignTest {
protected:
    CareCommands() {
        environment_["FAKE_GMX_MS_PER_FRAME"] = "10";
        write_campaign("\"1 s\"", "\"100 ms\"");
    }
    void run() const {
        const Ended ended = coromd({"run", "campaign.toml"});
        ASSERT_EQ(ended.exit_code, 0) << ended.err;
    }
    json parsed(const std::vector<std::string>& arguments) const {
        const Ended ended = coromd(arguments);
        EXPECT_EQ(ended.exit_code, 0) << ended.err;
        return json::parse(ended.out, nullptr, false);
    }
    const std::string until_ = "turn.campaign/walkers/001/until.xtc";
};

TEST_F(CareCommands, ProvenanceLeadsBackToTheInputs) {
    run();
    const Ended text = coromd({"provenance", until_});
    EXPECT_EQ(text.exit_code, 0) << text.err;
    EXPECT_THAT(text.out, AllOf(HasSubstr("walkers/001/md.part0001"), HasSubstr("gmx -quiet mdrun"),
                                HasSubstr("walkers/001/grompp"), HasSubstr("drawn from"),
                                HasSubstr("topol.top"), HasSubstr("(unchanged)"), Not(HasSubstr("CHANGED"))));
    const json history = parsed({"provenance", until_, "--json"});
    EXPECT_EQ(history.at("steps")[0].at("key"), "walkers/001/until");
    for (const json& input : history.at("inputs")) {
        const std::string file = fs::path(input.at("file").get<std::string>()).filename();
        const bool known = input.contains("fingerprint");
        EXPECT_EQ(input.at("on_disk"), known ? "unchanged" : "present") << file;
    }

    write("topol.top", "[ system ]\nsix atoms\n");
    EXPECT_THAT(coromd({"provenance", until_}).out, HasSubstr("CHANGED since"));
    fs::remove(folder_ / "topol.top");
    EXPECT_THAT(coromd({"provenance", until_}).out, HasSubstr("GONE"));
}

TEST_F(CareCommands, ProvenanceOfAFrameLeavesOutLaterParts) {
    run();
    const json all = parsed({"provenance", until_, "--json"});
    ASSERT_GT(all.at("steps")[0].at("sources").size(), 1u) << "there is one part only";
    const json first = parsed({"provenance", until_, "--frame", "1", "--json"});
    EXPECT_EQ(first.at("frame").at("step"), 10);
    ASSERT_EQ(first.at("steps")[0].at("sources").size(), 1u);
    EXPECT_EQ(first.at("steps")[0].at("sources")[0].at("made_by"), "walkers/001/md.part0001");

    const Ended beyond = coromd({"provenance", until_, "--frame", "1000"});
    EXPECT_EQ(beyond.exit_code, 2);
    EXPECT_THAT(beyond.err, HasSubstr("no frame 1000"));
}

TEST_F(CareCommands, ProvenanceOfKeysAndAsAGraph) {
    run();
    EXPECT_THAT(coromd({"provenance", "walkers/001/md.part0001", "-d", "turn.campaign"}).out,
                HasSubstr("walkers/001/grompp"));
    const Ended dot = coromd({"provenance", until_, "--dot"});
    EXPECT_THAT(dot.out, AllOf(testing::StartsWith("digraph"), HasSubstr("s0"), HasSubstr("start.gro")));
    EXPECT_EQ(coromd({"provenance", "campaign.toml"}).exit_code, 2);
    EXPECT_EQ(coromd({"provenance", "turn.campaign/coromd.log"}).exit_code, 2);
    EXPECT_EQ(coromd({"provenance", "x", "-d", "."}).exit_code, 2);
    EXPECT_EQ(coromd({"provenance", until_, "--json", "--dot"}).exit_code, 2);
}

TEST_F(CareCommands, CleanOnlyCountsUntilItIsTold) {
    run();
    const Ended counted = coromd({"clean", "turn.campaign"});
    EXPECT_EQ(counted.exit_code, 0) << counted.err;
    EXPECT_THAT(counted.out,
                AllOf(HasSubstr("parts"), HasSubstr("4 walkers finished;"), HasSubstr("--delete")));
    EXPECT_TRUE(fs::exists(folder_ / "turn.campaign/walkers/001/md.part0001.xtc"));
    const Ended nobody = shell("\"$COROMD\" clean turn.campaign --delete < /dev/null");
    EXPECT_EQ(nobody.exit_code, 2);
    EXPECT_THAT(nobody.err, HasSubstr("--yes"));
    EXPECT_TRUE(fs::exists(folder_ / "turn.campaign/walkers/001/md.part0001.xtc"));
    EXPECT_EQ(coromd({"clean", "turn.campaign", "--rule", "everything"}).exit_code, 2);
    EXPECT_EQ(coromd({"clean", "."}).exit_code, 2);
}

TEST_F(CareCommands, AfterCleanNothingIsRunAnew) {
    const Ended first = coromd({"run", "campaign.toml", "--json"});
    ASSERT_EQ(first.exit_code, 0) << first.err;
    const std::string commands_of_first = read("commands.log");
    const json counted = parsed({"clean", "turn.campaign", "--json"});
    const Ended cleaned = coromd({"clean", "turn.campaign", "--delete", "--yes"});
    EXPECT_EQ(cleaned.exit_code, 0) << cleaned.err;
    EXPECT_GT(counted.at("removals").size(), 0u);
    for (const json& removal : counted.at("removals"))
        EXPECT_FALSE(fs::exists(folder_ / "turn.campaign" / removal.at("path").get<std::string>()))
            << removal;
    for (const auto& entry : fs::directory_iterator(folder_ / "turn.campaign/walkers/001"))
        EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("md.part0001.xtc")));

    EXPECT_THAT(coromd({"provenance", until_}).out, HasSubstr("removed by clean"));
    const Ended check = coromd({"campaign", "check", "turn.campaign", "--deep"});
    EXPECT_EQ(check.exit_code, 0) << check.out;
    EXPECT_THAT(check.out, HasSubstr("all is well"));

    const Ended second = coromd({"run", "campaign.toml", "--json"});
    EXPECT_EQ(second.exit_code, 0) << second.err;
    EXPECT_EQ(second.out, first.out);
    EXPECT_EQ(read("commands.log"), commands_of_first);
    EXPECT_EQ(parsed({"clean", "turn.campaign", "--json"}).at("removals").size(), 0u);
}

TEST_F(CareCommands, CleanKeepsWhatIsAskedFor) {
    run();
    ASSERT_EQ(coromd({"clean", "turn.campaign", "--keep", "logs", "--delete", "--yes"}).exit_code, 0);
    EXPECT_TRUE(fs::exists(folder_ / "turn.campaign/walkers/001/md.part0001.log"));
    EXPECT_FALSE(fs::exists(folder_ / "turn.campaign/walkers/001/md.part0001.xtc"));
}

TEST_F(CareCommands, WhileACampaignRuns) {
    environment_["FAKE_GMX_MS_PER_FRAME"] = "40";
    const pid_t pid = start({"run", "campaign.toml"});
    await("commands.log", "md.part0002");
    const auto beside = [&](const std::string& arguments) {
        return shell("\"$COROMD\" " + arguments + " > beside.out 2> beside.err").exit_code;
    };
    EXPECT_EQ(beside("clean turn.campaign"), 0) << read("beside.err");
    EXPECT_EQ(beside("clean turn.campaign --delete --yes"), 2);
    EXPECT_THAT(read("beside.err"), HasSubstr("process " + std::to_string(pid)));
    EXPECT_EQ(beside("campaign check turn.campaign --deep"), 0) << read("beside.out");
    EXPECT_EQ(beside("campaign export turn.campaign"), 0) << read("beside.err");
    EXPECT_EQ(beside("campaign vacuum turn.campaign"), 2);
    EXPECT_THAT(read("beside.err"), HasSubstr("process " + std::to_string(pid)));
    EXPECT_EQ(wait(pid).exit_code, 0);
}

TEST_F(CareCommands, CheckTellsWhatIsWrong) {
    run();
    EXPECT_EQ(parsed({"campaign", "check", "turn.campaign", "--json"}).at("problems").size(), 0u);
    fs::remove(folder_ / "turn.campaign/walkers/000/md.part0001.cpt");
    const fs::path log = folder_ / "turn.campaign/walkers/002/md.part0001.log";
    const auto size = fs::file_size(log);
    write("turn.campaign/walkers/002/md.part0001.log", std::string(size, 'x'));
    const Ended quick = coromd({"campaign", "check", "turn.campaign"});
    EXPECT_EQ(quick.exit_code, 1);
    EXPECT_THAT(quick.out, AllOf(HasSubstr("md.part0001.cpt"), HasSubstr("is gone"), HasSubstr("1 problem")));
    const Ended deep = coromd({"campaign", "check", "turn.campaign", "--deep"});
    EXPECT_EQ(deep.exit_code, 1);
    EXPECT_THAT(deep.out, AllOf(HasSubstr("another content"), HasSubstr("2 problems")));
    EXPECT_EQ(coromd({"campaign", "check", "."}).exit_code, 2);
    EXPECT_EQ(coromd({"campaign"}).exit_code, 2);
}

TEST_F(CareCommands, ExportIsJsonLines) {
    run();
    const Ended exported = coromd({"campaign", "export", "turn.campaign"});
    ASSERT_EQ(exported.exit_code, 0) << exported.err;
    std::set<std::string> records;
    std::istringstream lines(exported.out);
    for (std::string line; std::getline(lines, line);)
        records.insert(json::parse(line).at("record").get<std::string>());
    EXPECT_THAT(records, testing::IsSupersetOf(
                             {"campaign", "event", "input", "job", "memo", "product", "session", "walker"}));
    ASSERT_EQ(coromd({"campaign", "export", "turn.campaign", "-o", "all.jsonl"}).exit_code, 0);
    EXPECT_EQ(read("all.jsonl"), exported.out);
    EXPECT_EQ(coromd({"campaign", "export", "turn.campaign", "-o", "no/such/folder"}).exit_code, 2);
    EXPECT_NE(shell("\"$COROMD\" campaign export turn.campaign > /dev/full").exit_code, 0);
}

TEST_F(CareCommands, VacuumSaysWhatItGained) {
    run();
    EXPECT_THAT(coromd({"campaign", "vacuum", "turn.campaign"}).out,
                AllOf(HasSubstr("before"), HasSubstr("now")));
    EXPECT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
}

}  // namespace
}  // namespace coromd::functional
