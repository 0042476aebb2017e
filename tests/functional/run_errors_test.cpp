// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Whatever is wrong with a campaign is told with its place, with exit code 2, before anything is run
// or created.
#include <array>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "program.hpp"

namespace coromd::functional {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Mistake {
    const char* name;
    std::string what;
    std::string by;
    std::vector<std::string> message;  ///< what the error must say
};

class RunErrors : public CampaignTest, public testing::WithParamInterface<Mistake> {
protected:
    void expect_refused(const std::vector<std::string>& message) const {
        const Ended ended = coromd({"run", "campaign.toml"});
        EXPECT_EQ(ended.exit_code, 2) << ended.err;
        EXPECT_EQ(ended.out, "");
        EXPECT_THAT(ended.err, testing::StartsWith("error: "));
        for (const std::string& piece : message) EXPECT_THAT(ended.err, HasSubstr(piece));
        EXPECT_FALSE(fs::exists(folder_ / "turn.campaign")) << "something was created";
        EXPECT_EQ(read("commands.log"), "") << "something was run";
    }
};

TEST_P(RunErrors, AreToldWithTheirPlace) {
    write_campaign(GetParam().what, GetParam().by);
    expect_refused(GetParam().message);
}

const std::array kMistakes{
    Mistake{"UnknownKey", "max_steps = 1000", "max_step = 1000", {"campaign.toml:25", "max_steps"}},
    Mistake{"UnknownTable", "[queues.local]", "[que.local]", {"campaign.toml:12", "que"}},
    Mistake{"UnknownKeyOfAQueue", "cores = 2", "core = 2", {"campaign.toml:13", "cores"}},
    Mistake{"WrongType", "count = 4", "count = \"four\"", {"campaign.toml:23", "walkers.count", "integer"}},
    Mistake{"NoSuchFile", "start.gro", "missing.gro", {"campaign.toml:9", "missing.gro"}},
    Mistake{"EmptySelection", "index 0", "name XX", {"campaign.toml:16", "name XX"}},
    Mistake{"AtomOutOfRange", "index 0", "index 77", {"campaign.toml:16", "77"}},
    Mistake{"UnknownVariable", "turn > 20", "torn > 20", {"campaign.toml:19", "torn", "turn"}},
    Mistake{"ChainedComparison", "turn > 20*deg", "0 < turn < 20*deg", {"campaign.toml:19", "column", "^"}},
    Mistake{"NoStates", "[states]", "[other]", {"states"}},
    Mistake{"UnknownKind", "\"committor\"", "\"comitor\"", {"campaign.toml:3", "committor"}},
    Mistake{"UnknownEngine", "\"gromacs\"", "\"amber\"", {"campaign.toml:7", "gromacs"}},
    Mistake{"UnknownQueue", "mdp = \"md.mdp\"", "mdp = \"md.mdp\"\nqueue = \"slurm\"", {"slurm", "local"}},
    Mistake{"StepsOffTheGrid", "max_steps = 1000", "max_steps = 1003", {"1003", "10"}},
    Mistake{
        "NegativeTemperature", "temperature = 300", "temperature = -1", {"campaign.toml:24", "temperature"}},
    Mistake{"NotToml", "[walkers]", "[walkers", {"campaign.toml:22"}},
    Mistake{"DuplicateKey", "count = 4", "count = 4\ncount = 5", {"campaign.toml:24"}},
    Mistake{"NoDuration", "\"1 s\"", "\"soon\"", {"campaign.toml:26", "slice"}},
};
void PrintTo(const Mistake& mistake, std::ostream* out) {
    *out << mistake.name;
}

INSTANTIATE_TEST_SUITE_P(Files, RunErrors, testing::ValuesIn(kMistakes),
                         [](const auto& info) { return std::string(info.param.name); });

class RunRefuses : public RunErrors {};

TEST_F(RunRefuses, AnMdpThatDrawsVelocities) {
    write("md.mdp", "dt = 0.002\nnstxout-compressed = 10\ngen-vel = yes\n");
    expect_refused({"md.mdp:3", "gen-vel"});
}

TEST_F(RunRefuses, AnMdpWithTwoValues) {
    write("md.mdp", "dt = 0.002\nnstxout-compressed = 10\ndt = 0.001\n");
    expect_refused({"md.mdp", "dt"});
}

TEST_F(RunRefuses, AnMdpWithoutTrajectory) {
    write("md.mdp", "dt = 0.002\n");
    expect_refused({"md.mdp", "nstxout-compressed"});
}

TEST_F(RunRefuses, ATruncatedStructure) {
    write("start.gro", read("start.gro").substr(0, 90));
    expect_refused({"start.gro"});
}

TEST_F(RunRefuses, AMissingGmx) {
    write_campaign("mdp = \"md.mdp\"", "mdp = \"md.mdp\"\ngmx = [\"no-such-gmx\"]");
    expect_refused({"no-such-gmx", "GROMACS"});
}

TEST_F(RunRefuses, AMissingFile) {
    const Ended ended = coromd({"run", "nothing.toml"});
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.err, HasSubstr("nothing.toml"));
}

TEST_F(RunRefuses, UnknownOptions) {
    EXPECT_EQ(coromd({"run", "campaign.toml", "--frsh"}).exit_code, 2);
    EXPECT_EQ(coromd({"rum"}).exit_code, 2);
    EXPECT_EQ(coromd({}).exit_code, 2);
}

TEST_F(RunRefuses, AFreshCampaignInADirectoryThatIsNotEmpty) {
    write("turn.campaign/notes.txt", "mine");
    const Ended ended = coromd({"run", "campaign.toml", "--fresh"});
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.err, HasSubstr("turn.campaign"));
    EXPECT_EQ(read("turn.campaign/notes.txt"), "mine");
    EXPECT_EQ(read("commands.log"), "");
}

}  // namespace
}  // namespace coromd::functional
