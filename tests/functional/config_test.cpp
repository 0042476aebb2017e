// SPDX-License-Identifier: LGPL-3.0-or-later
#include <string>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "program.hpp"

namespace coromd::functional {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Config : public CampaignTest {
protected:
    Config() {
        write("site/coromd/config.toml",
              "[queues.local]\ncores = 32\n[engine]\ngmx = [\"gmx_site\"]\ncores = 3\n");
        write("user/coromd/config.toml", "[engine]\ngmx = [\"gmx_user\"]\n");
    }
};

TEST_F(Config, TheLastOfSiteUserAndCampaignWins) {
    const Ended ended = coromd({"config", "show", "campaign.toml", "--json"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    const json settings = json::parse(ended.out);
    const auto origin = [&](const std::string& name) {
        return settings.at(name).at("file").get<std::string>();
    };
    EXPECT_EQ(settings.at("queues.local.cores").at("value"), 2);
    EXPECT_THAT(origin("queues.local.cores"), HasSubstr("campaign.toml"));
    EXPECT_EQ(settings.at("engine.gmx").at("value"), json::array({"gmx_user"}));
    EXPECT_THAT(origin("engine.gmx"), HasSubstr("user/coromd/config.toml"));
    EXPECT_EQ(settings.at("engine.cores").at("value"), 3);
    EXPECT_THAT(origin("engine.cores"), HasSubstr("site/coromd/config.toml"));
    EXPECT_EQ(settings.at("engine.cores").at("line"), 5);
}

TEST_F(Config, TellsEachSettingWithItsPlace) {
    const Ended ended = coromd({"config", "show"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("queues.local.cores = 32"));
    EXPECT_THAT(ended.out, HasSubstr("site/coromd/config.toml:2"));
}

TEST_F(Config, AMistakeInAUsersFileIsToldWithItsPlace) {
    write("user/coromd/config.toml", "[engine\n");
    const Ended ended = coromd({"run", "campaign.toml"});
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.err, HasSubstr("user/coromd/config.toml:1"));
}

TEST_F(Config, HelpAndVersionAreForEveryCommand) {
    EXPECT_THAT(coromd({"--version"}).out, HasSubstr("coromd 0."));
    for (const std::vector<std::string>& words : {std::vector<std::string>{"--help"},
                                                  {"run", "--help"},
                                                  {"config", "--help"},
                                                  {"config", "show", "--help"}}) {
        const Ended ended = coromd(words);
        EXPECT_EQ(ended.exit_code, 0);
        EXPECT_THAT(ended.out, HasSubstr(words.size() == 2 && words[0] == "config" ? "show" : "xample"));
    }
}

}  // namespace
}  // namespace coromd::functional
