// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/campaign/campaign.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "fixtures.hpp"

namespace coromd::campaign {
namespace {

namespace fs = std::filesystem;
using queue::JobState;
using testing::HasSubstr;

class CampaignTest : public CampaignFolder {
protected:
    void write(const fs::path& file, const std::string& text = "text") { std::ofstream(file) << text; }

    Error refusal(OpenMode mode = OpenMode::resume_or_create) {
        return error_of([&] { open(mode); });
    }
};

TEST_F(CampaignTest, CreatesItsDirectoryForTheOwnerOnly) {
    place = folder / "some" / "where";
    const auto campaign = open();
    EXPECT_EQ(campaign->directory(), place);
    EXPECT_EQ(fs::status(place).permissions(), fs::perms::owner_all);
    EXPECT_TRUE(fs::exists(database()));
    EXPECT_EQ(campaign->log_path(), place / "coromd.log");
}

TEST_F(CampaignTest, LeavesNothingButItsFiles) {
    open();
    for (const auto& entry : fs::directory_iterator(place))
        EXPECT_THAT(entry.path().filename().string(), testing::StartsWith("campaign.sqlite"));
}

TEST_F(CampaignTest, FreshTakesANewOrAnEmptyDirectory) {
    open(OpenMode::fresh);
    place = folder / "empty";
    fs::create_directory(place);
    open(OpenMode::fresh);
}

TEST_F(CampaignTest, FreshRefusesACampaign) {
    open();
    const Error error = refusal(OpenMode::fresh);
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr(place.string()));
    EXPECT_THAT(error.what(), HasSubstr("resume what is there"));
}

TEST_F(CampaignTest, RefusesADirectoryThatHoldsSomethingElse) {
    fs::create_directory(place);
    write(place / "thesis.tex");
    for (const OpenMode mode : {OpenMode::resume_or_create, OpenMode::fresh}) {
        const Error error = refusal(mode);
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.what(), HasSubstr("not empty"));
    }
    EXPECT_FALSE(fs::exists(database()));
    EXPECT_FALSE(fs::exists(place / "lease.json"));
}

TEST_F(CampaignTest, RefusesAFileInItsPlace) {
    write(place);
    EXPECT_THAT(refusal().what(), HasSubstr("not a directory"));
}

TEST_F(CampaignTest, TheLogMayComeFirst) {
    fs::create_directory(place);
    write(place / "coromd.log");
    open(OpenMode::fresh);
    EXPECT_EQ(fs::status(place).permissions(), fs::perms::owner_all);
}

TEST_F(CampaignTest, WhatACrashWhileCreatingLeftIsNoCampaign) {
    fs::create_directory(place);
    write(place / ".campaign.sqlite.0123.tmp");
    open(OpenMode::fresh);
}

TEST_F(CampaignTest, TheSeedIsForGood) {
    open();
    const Error error = error_of([&] { Campaign::open(context, place, OpenMode::resume_or_create, 43); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error.what(), HasSubstr("42"));
    EXPECT_THAT(error.what(), HasSubstr("43"));
    open();  // the refused one keeps no lease
}

TEST_F(CampaignTest, ASeedMayHaveAllItsBits) {
    constexpr auto kLargest = ~std::uint64_t{0};
    Campaign::open(context, place, OpenMode::fresh, kLargest);
    EXPECT_EQ(Campaign::open(context, place, OpenMode::resume_or_create, kLargest)->seed(), kLargest);
}

TEST_F(CampaignTest, RandomStreamsAreThoseOfTheSeed) {
    const auto campaign = open();
    RandomStream expected(kSeed, "walkers/003");
    RandomStream stream = campaign->random("walkers/003");
    EXPECT_EQ(stream.next64(), expected.next64());
}

TEST_F(CampaignTest, RemembersItsInputs) {
    context.run(open()->record_inputs({{"campaign.toml", "walkers = 3\ntime = 5\n"}}));
    const auto campaign = open();
    context.run(campaign->record_inputs({{"campaign.toml", "walkers = 3\ntime = 5\n"}}));
    context.run(campaign->record_inputs({{"md.mdp", "dt = 0.002\n"}}));

    const Error error = error_of([&] {
        context.run(campaign->record_inputs({{"campaign.toml", "walkers = 4\ntime = 5\n"}}));
    });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error.what(), HasSubstr("'campaign.toml' has changed"));
    EXPECT_THAT(error.what(), HasSubstr("- walkers = 3"));
    EXPECT_THAT(error.what(), HasSubstr("+ walkers = 4"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("time")));
}

TEST_F(CampaignTest, MovesAsAWhole) {
    {
        const auto campaign = open();
        context.run(campaign->record_inputs({{"campaign.toml", "text"}}));
        context.run(campaign->ledger().claim("job", "specification"));
        context.run(campaign->ledger().begin_attempt("job"));
    }
    const fs::path elsewhere = folder / "elsewhere";
    fs::rename(place, elsewhere);
    std::ifstream file(elsewhere / "campaign.sqlite", std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    EXPECT_EQ(bytes.find(folder.string()), std::string::npos);

    place = elsewhere;
    const auto campaign = open();
    EXPECT_EQ(context.run(campaign->ledger().claim("job", "specification")).state, JobState::started);
}

TEST_F(CampaignTest, ARelativePlaceIsMadeAbsolute) {
    const fs::path before = fs::current_path();
    fs::current_path(folder);
    const auto campaign = Campaign::open(context, "here/", OpenMode::fresh, kSeed);
    fs::current_path(before);
    EXPECT_TRUE(fs::equivalent(campaign->directory(), folder / "here"));
    EXPECT_TRUE(campaign->directory().is_absolute());
}

TEST_F(CampaignTest, JobsCanBeReadWhileItRuns) {
    const auto campaign = open();
    queue::JobLedger& ledger = campaign->ledger();
    auto work = [&]() -> runtime::task<void> {
        for (const std::string key : {"a/done", "b/runs", "c/waits"}) {
            co_await ledger.claim(key, "specification");
            if (key != "c/waits") co_await ledger.begin_attempt(key);
        }
        co_await ledger.ended(result_of("a/done", 1, JobState::failed, "the node went down"));
        co_await ledger.begin_attempt("a/done");
        co_await ledger.ended(result_of("a/done", 2, JobState::finished, "all steps done"));
        co_await ledger.submitted("b/runs", 1, "pid 7");
    };
    context.run(work());

    const std::vector<JobRow> jobs = read_jobs(place);
    ASSERT_EQ(jobs.size(), 2u);
    EXPECT_EQ(jobs[0].key, "a/done");
    EXPECT_EQ(jobs[0].state, JobState::finished);
    EXPECT_EQ(jobs[0].attempts, 2);
    EXPECT_EQ(jobs[0].reason, "all steps done");
    EXPECT_EQ(jobs[0].submission, "");
    EXPECT_EQ(jobs[1].key, "b/runs");
    EXPECT_EQ(jobs[1].state, JobState::started);
    EXPECT_EQ(jobs[1].submission, "pid 7");
}

TEST_F(CampaignTest, JobsOfNoCampaign) {
    fs::create_directory(place);
    const Error error = error_of([&] { read_jobs(place); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("not a campaign directory"));
    EXPECT_TRUE(fs::is_empty(place));
}

}  // namespace
}  // namespace coromd::campaign
