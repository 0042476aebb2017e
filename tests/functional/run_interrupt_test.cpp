// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Ctrl-C, once and twice, and what a campaign comes to that was interrupted again and again.
#include <csignal>
#include <string>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "program.hpp"

namespace coromd::functional {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// What of a result depends on nothing but the seed.
json outcome_of(const Ended& ended) {
    json result = json::parse(ended.out, nullptr, false);
    EXPECT_FALSE(result.is_discarded()) << ended.out << ended.err;
    if (result.is_discarded()) return {};
    for (json& walker : result["walkers"])
        for (const char* key : {"parts", "wall_seconds", "trajectory"}) walker.erase(key);
    return result;
}

class Interrupt : public CampaignTest {
protected:
    Interrupt() {
        environment_["FAKE_GMX_MS_PER_FRAME"] = "10";
        write_campaign("\"1 s\"", "\"50 ms\"");
    }
};

TEST_F(Interrupt, AgainAndAgainGivesTheResultOfACampaignThatWasLeftAlone) {
    const json wanted = outcome_of(coromd({"run", "campaign.toml", "--json", "-d", "alone"}));
    for (const char* moment : {"walkers/000/grompp", "md.part0001", "md.part0003", "md.part0005"}) {
        const pid_t pid = start({"run", "campaign.toml", "-d", "other"});
        await("commands.log", std::string("other/") + (moment[0] == 'w' ? moment : std::string("walkers/")));
        await("commands.log", moment);
        ::kill(pid, SIGINT);
        EXPECT_THAT(wait(pid).exit_code, testing::AnyOf(130, 0));
    }
    EXPECT_EQ(outcome_of(coromd({"run", "campaign.toml", "--json", "-d", "other"})), wanted);
}

// Many coroutines are cancelled at once, in every state that a walker can be in.
TEST_F(Interrupt, StopsManyWalkersWhateverTheyAreDoing) {
    write_campaign("count = 4", "count = 100");
    for (const char* moment :
         {"walkers/000/grompp", "walkers/010/grompp", "md.part0001", "walkers/020/md.part0001"}) {
        const pid_t pid = start({"run", "campaign.toml"});
        await("commands.log", moment);
        ::kill(pid, SIGINT);
        const Ended stopped = wait(pid);
        EXPECT_EQ(stopped.exit_code, 130) << moment << "\n" << stopped.err;
        EXPECT_THAT(stopped.err, HasSubstr("start the same again to go on"));
    }
}

TEST_F(Interrupt, TheSecondOneLeavesAtOnce) {
    environment_["FAKE_GMX_MISBEHAVE"] = "mdrun walkers hang";
    const pid_t pid = start({"run", "campaign.toml"});
    await("commands.log", "mdrun");
    ::kill(pid, SIGINT);
    await("stderr", "Stopping");
    ::kill(pid, SIGINT);
    const Ended ended = wait(pid);
    EXPECT_EQ(ended.exit_code, 130);
    EXPECT_THAT(ended.err, HasSubstr("Left at once"));
}

}  // namespace
}  // namespace coromd::functional
