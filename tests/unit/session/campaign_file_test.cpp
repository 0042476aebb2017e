// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/session/campaign_file.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include "fixtures.hpp"

namespace coromd::session {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kCampaign = R"([campaign]
kind = "committor"

[engine]
kind = "gromacs"
topology = "topol.top"
structure = "start.gro"
mdp = "md.mdp"
gmx = ["./gmx"]

[variables]
z = 'distance("index 0", "index 1")'
d = "2*z"

[states]
near = "d < 0.5"
far = "d > 3"

[walkers]
count = 2
temperature = 300
max_steps = 100
)";

class CampaignFileTest : public FolderTest {
protected:
    CampaignFileTest() {
        write("topol.top", "[ system ]\n");
        write("md.mdp", "dt = 0.002\nnstxout-compressed = 10\n");
        write("start.gro",
              "two\n    2\n    1ALA      C    1   1.000   1.000   1.000\n"
              "    1ALA      C    2   2.000   1.000   1.000\n   9.00000   9.00000   9.00000\n");
        write("gmx", "#!/bin/sh\n");
        ::chmod(at("gmx").c_str(), 0700);
    }

    /// The campaign with `what` replaced; gmx is named by its whole path.
    std::filesystem::path campaign(const std::string& what = "kind", const std::string& by = "kind") const {
        std::string text = kCampaign;
        text.replace(text.find("./gmx"), 5, at("gmx").string());
        const auto place = text.find(what);
        EXPECT_NE(place, std::string::npos) << what;
        return write("campaign.toml", text.replace(place, what.size(), by));
    }

    CampaignFile::Parts build(const CampaignFile& file) const {
        session_ = std::make_unique<Session>(SessionOptions(at("c")).settings(file.settings()).rehearsal());
        return file.build(*session_);
    }

    /// What() of the error that the campaign has after the replacement.
    std::string error(const std::string& what, const std::string& by) const {
        const auto path = campaign(what, by);
        return error_of([&] { build(CampaignFile(path)); }).what();
    }

    mutable std::unique_ptr<Session> session_;  // what the parts were made with
};

TEST_F(CampaignFileTest, HasDefaultsForNamePlaceAndSeed) {
    const CampaignFile file(campaign());
    EXPECT_EQ(file.name(), "campaign");
    EXPECT_EQ(file.kind(), "committor");
    EXPECT_EQ(file.seed(), 1u);
    EXPECT_EQ(file.directory(), at("campaign.campaign"));
}

TEST_F(CampaignFileTest, TakesNamePlaceAndSeed) {
    const CampaignFile file(campaign("kind", "name = 'Müller'\nseed = 9223372036854775807\nkind"));
    EXPECT_EQ(file.seed(), 9223372036854775807u);
    EXPECT_EQ(file.directory(), at("Müller.campaign"));
    EXPECT_EQ(CampaignFile(campaign("kind", "directory = 'runs/a'\nkind")).directory(), at("runs/a"));
}

TEST_F(CampaignFileTest, RefusesNamesThatAreNoneForFiles) {
    for (const std::string name : {"''", "'a/b'", "\"a\\nb\"", "\"a\\u001b[31m\""}) {
        const auto path = campaign("kind", "name = " + name + "\nkind");
        EXPECT_THAT(error_of([&] { CampaignFile file(path); }).message(), HasSubstr("campaign.toml:2:1"))
            << name;
    }
    const auto path = campaign("kind", "name = '" + std::string(201, 'x') + "'\nkind");
    EXPECT_EQ(error_of([&] { CampaignFile file(path); }).kind(), ErrorKind::usage);
}

TEST_F(CampaignFileTest, MakesTheDefinitionsInTheOrderOfTheFile) {
    const CampaignFile::Parts parts = build(CampaignFile(campaign()));
    std::vector<std::string> names;
    for (const functions::Definition& definition : parts.definitions.all()) names.push_back(definition.name);
    EXPECT_THAT(names, ElementsAre("z", "d", "near", "far"));
    EXPECT_EQ(parts.system->nstout(), 10);
    EXPECT_THAT(parts.method->plan(), HasSubstr("2 walkers"));
}

TEST_F(CampaignFileTest, PointsAtWhatIsWrong) {
    EXPECT_THAT(error("committor", "comitor"), AllOf(HasSubstr("campaign.toml:2:1"), HasSubstr("committor")));
    EXPECT_THAT(error("gromacs", "amber"), AllOf(HasSubstr("campaign.toml:5:1"), HasSubstr("gromacs")));
    EXPECT_THAT(error("start.gro", "none.gro"), AllOf(HasSubstr("campaign.toml:7:1"), HasSubstr("none.gro")));
    EXPECT_THAT(error("index 1", "index 7"), HasSubstr("campaign.toml:12:1"));
    EXPECT_THAT(error("d < 0.5", "d <"), AllOf(HasSubstr("campaign.toml:16:1"), HasSubstr("^")));
    EXPECT_THAT(error("count", "cuont"), AllOf(HasSubstr("campaign.toml:"), HasSubstr("count")));
}

TEST_F(CampaignFileTest, AnUnknownTableIsToldBeforeWhatItsNameLeavesMissing) {
    EXPECT_THAT(error("[walkers]", "[walker]"), AllOf(HasSubstr("campaign.toml:19:2"), HasSubstr("walkers")));
    EXPECT_THAT(error("[states]", "[stats]"), AllOf(HasSubstr("campaign.toml:15:2"), HasSubstr("states")));
}

TEST_F(CampaignFileTest, NamesTheTableWhereAnErrorHasNoLineOfItsOwn) {
    EXPECT_THAT(error(at("gmx").string(), "no-such-gmx"),
                AllOf(StartsWith(at("campaign.toml").string() + ":"), HasSubstr("no-such-gmx")));
    EXPECT_THAT(error("mdp", "queue = 'q'\nmdp"),
                AllOf(StartsWith(at("campaign.toml").string() + ":"), HasSubstr("'q'")));
    EXPECT_THAT(error("max_steps = 100", "max_steps = 101"),
                AllOf(StartsWith(at("campaign.toml").string() + ":"), HasSubstr("101")));
    write("md.mdp", "dt = 0.002\nnstxout-compressed = 10\ngen-vel = yes\n");
    EXPECT_THAT(error("kind", "kind"), HasSubstr("md.mdp:3"));
}

}  // namespace
}  // namespace coromd::session
