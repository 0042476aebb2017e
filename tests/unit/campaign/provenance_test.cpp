// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/campaign/provenance.hpp"

#include <gmock/gmock.h>

#include "made_campaign.hpp"

namespace coromd::campaign {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class ProvenanceTest : public MadeCampaign {
protected:
    ProvenanceTest() { walker("walkers/003", 3, true); }

    static std::vector<std::string> keys(const Provenance& provenance) {
        std::vector<std::string> keys;
        for (const ProvenanceStep& step : provenance.steps) keys.push_back(step.product.key);
        return keys;
    }
    Provenance history(const std::string& subject, std::optional<std::int64_t> step = std::nullopt) const {
        return provenance_of(Snapshot(place), subject, step);
    }
};

TEST_F(ProvenanceTest, LeadsFromATrajectoryToItsInputs) {
    const Provenance found = history("walkers/003/until.xtc");
    EXPECT_THAT(keys(found),
                ElementsAre("walkers/003/until", "walkers/003/md.part0001", "walkers/003/md.part0002",
                            "walkers/003/md.part0003", "walkers/003/grompp", "walkers/003/start"));
    ASSERT_EQ(found.inputs.size(), 2u);
    EXPECT_EQ(found.inputs[0].path, (folder / "topol.top").string());
    EXPECT_EQ(found.inputs[1].path, (folder / "start.gro").string());

    const ProvenanceStep& second = found.steps[2];
    ASSERT_EQ(second.from.size(), 2u);
    EXPECT_EQ(second.from[0].step, 4u);
    EXPECT_EQ(second.from[1].step, 1u);
    ASSERT_TRUE(second.result);
    EXPECT_EQ(second.result->exit.node, "node01");
    EXPECT_THAT(second.specification, HasSubstr("mdrun"));
    EXPECT_FALSE(second.coromd_version.empty());
    EXPECT_EQ(second.files.size(), 4u);
    EXPECT_EQ(found.steps[5].from[0].source.frame, 0);
}

TEST_F(ProvenanceTest, OfAStepLeavesOutPartsWithoutIt) {
    EXPECT_THAT(keys(history("walkers/003/until.xtc", 150)),
                ElementsAre("walkers/003/until", "walkers/003/md.part0002", "walkers/003/grompp",
                            "walkers/003/md.part0001", "walkers/003/start"));
}

TEST_F(ProvenanceTest, TakesKeysAndAbsolutePaths) {
    EXPECT_EQ(keys(history("walkers/003/md.part0002")).front(), "walkers/003/md.part0002");
    EXPECT_EQ(keys(history(place / "walkers/003/md.tpr")).front(), "walkers/003/grompp");
    job("helper/energies", {"energies.xvg"});
    const Provenance of_job = history("helper/energies");
    EXPECT_EQ(of_job.steps.front().product.kind, "job");
    EXPECT_TRUE(of_job.steps.front().result);
}

TEST_F(ProvenanceTest, TellsWhereNothingIsRecorded) {
    const Error error = error_of([&] { history("walkers/004/until.xtc"); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("walkers/004/until.xtc"));
}

TEST_F(ProvenanceTest, ACircleEnds) {
    product({"egg", "x", {{"chicken.xtc"}}, {"egg.xtc"}, {}});
    product({"chicken", "x", {{"egg.xtc"}}, {"chicken.xtc"}, {}});
    context.run(campaign->flush());
    EXPECT_THAT(keys(history("egg")), ElementsAre("egg", "chicken"));
}

TEST_F(ProvenanceTest, LooksAtFiles) {
    write("file", "content");
    FileRecord file{"file", fingerprint_file(place / "file").hex(), 7, false};
    EXPECT_EQ(look_at(file, place, true), OnDisk::unchanged);
    EXPECT_EQ(look_at(file, place, false), OnDisk::present);
    write("file", "CONTENT");
    EXPECT_EQ(look_at(file, place, true), OnDisk::changed);
    write("file", "longer content");
    EXPECT_EQ(look_at(file, place, false), OnDisk::changed);
    fs::remove(place / "file");
    EXPECT_EQ(look_at(file, place, true), OnDisk::missing);
    file.removed = true;
    EXPECT_EQ(look_at(file, place, true), OnDisk::removed);
}

TEST_F(ProvenanceTest, FindsTheCampaignAbove) {
    EXPECT_EQ(find_campaign(place / "walkers/003/gone.xtc"), place);
    EXPECT_EQ(find_campaign(place), place);
    EXPECT_EQ(find_campaign(folder / "elsewhere"), std::nullopt);
}

}  // namespace
}  // namespace coromd::campaign
