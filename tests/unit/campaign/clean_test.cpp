// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/campaign/clean.hpp"

#include <gmock/gmock.h>

#include "coromd/campaign/check.hpp"
#include "made_campaign.hpp"

namespace coromd::campaign {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CleanTest : public MadeCampaign {
protected:
    CleanTest() {
        walker("walkers/000", 2, true);
        walker("walkers/001", 1, false);
    }
    CleanPlan plan(std::set<std::string> rules = {}) const {
        if (rules.empty())
            for (const CleanRule& rule : clean_rules()) rules.emplace(rule.name);
        return plan_clean(place, rules);
    }
    std::vector<std::string> paths(std::set<std::string> rules = {}) const {
        std::vector<std::string> paths;
        for (const Removal& removal : plan(std::move(rules)).removals) paths.push_back(removal.path);
        return paths;
    }
};

TEST_F(CleanTest, TakesWhatAFinishedWalkerDoesNotNeed) {
    EXPECT_THAT(paths({"parts"}), ElementsAre("walkers/000/md.part0001.xtc", "walkers/000/md.part0002.xtc"));
    EXPECT_THAT(paths({"logs"}), ElementsAre("walkers/000/md.part0001.log", "walkers/000/md.part0002.log"));
    const CleanPlan all = plan();
    EXPECT_EQ(all.removals.size(), 8u);
    EXPECT_EQ(all.finished, 1);
    EXPECT_EQ(all.unfinished, 1);
    EXPECT_EQ(all.removals.front().bytes, fs::file_size(place / all.removals.front().path));
    EXPECT_TRUE(is_there("walkers/000/md.part0001.xtc")) << "a plan changes nothing";
}

TEST_F(CleanTest, KeepsPartsThatAreNotPutTogether) {
    fs::remove(place / "walkers/000/until.xtc");
    EXPECT_THAT(paths({"parts"}), IsEmpty());
    write("walkers/000/until.xtc", "");
    EXPECT_THAT(paths({"parts"}), IsEmpty());
}

TEST_F(CleanTest, KeepsWhatAnUnfinishedWalkerBeganWith) {
    product({"walkers/001/start",
             "start",
             {{"walkers/000/md.part0001.xtc", 3, {}}},
             {"walkers/001/start.trr"},
             {}});
    context.run(campaign->flush());
    EXPECT_THAT(paths({"parts"}), ElementsAre("walkers/000/md.part0002.xtc"));
}

TEST_F(CleanTest, NeverLeavesTheCampaign) {
    write("../precious.xtc", "precious");
    write("../elsewhere/md.part0009.xtc", "precious");
    fs::create_directory_symlink(folder / "elsewhere", place / "walkers/000/link");
    fs::create_symlink(folder / "precious.xtc", place / "walkers/000/linked.xtc");
    const std::vector<std::string> files{"../precious.xtc", "walkers/000/link/md.part0009.xtc",
                                         "walkers/000/linked.xtc", "walkers/../../precious.xtc"};
    Product md{"walkers/000/md.part0009", "md", {}, {}, {}};
    Product until{"walkers/000/until2", "trajectory", {}, {"walkers/000/until.xtc"}, {}};
    for (const std::string& file : files) {
        md.files.push_back(file);
        until.sources.push_back({file});
    }
    product(md);
    product(until);
    context.run(campaign->flush());
    EXPECT_EQ(paths({"parts"}).size(), 2u);
}

TEST_F(CleanTest, TakesBackupsAndWhatAttemptsLeft) {
    write("walkers/000/#md.log.1#", "old");
    write("walkers/001/#md.log.1#", "old");
    write("walkers/001/md.part0001.attempt1/md.part0001.xtc", "half");  // accepted, not moved yet
    write("walkers/000/md.part0001.attempt1/core", "rest");             // accepted, moved
    write("walkers/001/grompp.attempt7-2/job.out", "failed");
    write("walkers/001/md.part0002.attempt1/md.part0002.xtc", "it runs");
    write("walkers/001/thesis.attempt/x", "mine");
    EXPECT_THAT(paths({"backups"}), ElementsAre("walkers/000/#md.log.1#"));
    const CleanPlan attempts = plan({"attempts"});
    ASSERT_EQ(attempts.removals.size(), 2u);
    EXPECT_EQ(attempts.removals[0].path, "walkers/000/md.part0001.attempt1");
    EXPECT_EQ(attempts.removals[1].path, "walkers/001/grompp.attempt7-2");
    EXPECT_EQ(attempts.removals[1].inodes, 2);
    EXPECT_EQ(attempts.removals[1].bytes, 6u);
}

TEST_F(CleanTest, AnotherNameOfAFileFreesNothing) {
    fs::create_hard_link(place / "walkers/000/md.part0001.xtc", folder / "copy.xtc");
    const CleanPlan parts = plan({"parts"});
    EXPECT_EQ(parts.removals[0].bytes, 0u);
    EXPECT_EQ(parts.removals[0].inodes, 0);
}

TEST_F(CleanTest, RemovesAndRemembers) {
    const CleanPlan planned = plan({"parts", "checkpoints"});
    EXPECT_THAT(context.run(carry_out(*campaign, planned)), IsEmpty());
    EXPECT_FALSE(is_there("walkers/000/md.part0001.xtc"));
    EXPECT_FALSE(is_there("walkers/000/md.part0002.cpt"));
    EXPECT_TRUE(is_there("walkers/000/md.part0001.log"));
    EXPECT_TRUE(is_there("walkers/001/md.part0001.xtc"));
    EXPECT_THAT(paths({"parts", "checkpoints"}), IsEmpty());

    const Snapshot snapshot(place);
    EXPECT_THAT(snapshot.notes().back().text, AllOf(HasSubstr("2 parts"), HasSubstr("2 checkpoints")));
    const Provenance history = provenance_of(snapshot, "walkers/000/until.xtc");
    for (const FileRecord& file : history.steps[1].files) {
        const std::string extension = file.path.extension();
        EXPECT_EQ(file.removed, extension == ".xtc" || extension == ".cpt") << file.path;
    }
    const FileCheck check = check_files(made_files(snapshot), place, true);
    EXPECT_THAT(check.problems, IsEmpty());
    EXPECT_EQ(check.removed, 4);
}

TEST_F(CleanTest, RefusesARuleThatIsNone) {
    EXPECT_EQ(error_of([&] { plan({"everything"}); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace coromd::campaign
