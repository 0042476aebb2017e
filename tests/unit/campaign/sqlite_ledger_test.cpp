// SPDX-License-Identifier: LGPL-3.0-or-later
#include "sqlite_ledger.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <map>

#include "coromd/runtime/gather.hpp"
#include "fixtures.hpp"

// What every ledger does is in tests/contract/ledger; here is what only a durable one can do.
namespace coromd::campaign {
namespace {

namespace fs = std::filesystem;
using queue::Claim;
using queue::JobState;
using testing::HasSubstr;

class SqliteLedgerTest : public CampaignFolder {
protected:
    Claim claim(Campaign& campaign, const std::string& key) {
        return context.run(campaign.ledger().claim(key, "specification"));
    }
    int begin(Campaign& campaign, const std::string& key) {
        return context.run(campaign.ledger().begin_attempt(key));
    }
    void end(Campaign& campaign, const std::string& key, int attempt, JobState state) {
        context.run(campaign.ledger().ended(result_of(key, attempt, state)));
    }
};

TEST_F(SqliteLedgerTest, RemembersAfterTheEnd) {
    {
        const auto campaign = open();
        for (const std::string key : {"done", "left", "failed"}) {
            claim(*campaign, key);
            begin(*campaign, key);
        }
        end(*campaign, "done", 1, JobState::finished);
        end(*campaign, "failed", 1, JobState::failed);
        context.run(campaign->ledger().submitted("left", 1, "pid 7 since 8"));
        claim(*campaign, "never begun");
    }
    const auto campaign = open();
    const Claim done = claim(*campaign, "done");
    EXPECT_EQ(done.state, JobState::finished);
    ASSERT_TRUE(done.result);
    EXPECT_EQ(done.result->attempt, 1);
    const Claim left = claim(*campaign, "left");
    EXPECT_EQ(left.state, JobState::started);
    EXPECT_EQ(left.submission, "pid 7 since 8");
    EXPECT_FALSE(left.result);
    EXPECT_EQ(claim(*campaign, "failed").state, JobState::failed);
    EXPECT_EQ(begin(*campaign, "failed"), 2);
    EXPECT_EQ(claim(*campaign, "never begun").state, JobState::unknown);
}

TEST_F(SqliteLedgerTest, ASpecificationIsForGood) {
    {
        const auto campaign = open();
        claim(*campaign, "job");
        begin(*campaign, "job");
    }
    const Error error = error_of([&] { context.run(open()->ledger().claim("job", "another")); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error.what(), HasSubstr("- specification"));
    EXPECT_THAT(error.what(), HasSubstr("+ another"));
}

TEST_F(SqliteLedgerTest, OnlyTheLastAttemptEndsAndOnlyOnce) {
    const auto campaign = open();
    claim(*campaign, "job");
    begin(*campaign, "job");
    EXPECT_EQ(begin(*campaign, "job"), 2);
    for (const int wrong : {0, 1, 3}) {
        EXPECT_EQ(error_of([&] { end(*campaign, "job", wrong, JobState::failed); }).kind(),
                  ErrorKind::conflict);
        EXPECT_EQ(error_of([&] { context.run(campaign->ledger().submitted("job", wrong, "x")); }).kind(),
                  ErrorKind::conflict);
    }
    end(*campaign, "job", 2, JobState::failed);
    EXPECT_EQ(error_of([&] { end(*campaign, "job", 2, JobState::finished); }).kind(), ErrorKind::conflict);
    EXPECT_EQ(read_jobs(place).at(0).state, JobState::failed);
}

TEST_F(SqliteLedgerTest, AnEndIsAnEnd) {
    const auto campaign = open();
    claim(*campaign, "job");
    begin(*campaign, "job");
    for (const JobState state : {JobState::unknown, JobState::started})
        EXPECT_EQ(error_of([&] { end(*campaign, "job", 1, state); }).kind(), ErrorKind::usage);
}

TEST_F(SqliteLedgerTest, NothingIsBegunWithoutAClaim) {
    const auto campaign = open();
    EXPECT_EQ(error_of([&] { begin(*campaign, "job"); }).kind(), ErrorKind::usage);
}

TEST_F(SqliteLedgerTest, TokensAreUnique) {
    const auto campaign = open();
    claim(*campaign, "job");
    for (int i = 0; i < 100; ++i) begin(*campaign, "job");
    SQLite::Database reader(database().string());
    EXPECT_EQ(
        reader
            .execAndGet("SELECT count(DISTINCT data) FROM events WHERE kind = 'begun' AND length(data) = 32")
            .getInt(),
        100);
}

TEST_F(SqliteLedgerTest, WhatWasSaidSurvivesSigkill) {
    // The child says what has returned and goes on at once, so that the kill hits it anywhere.
    constexpr int kKeys = 1000;
    int next = 0;
    std::map<std::string, JobState> said;
    for (const int lines : {1, 2, 17, 60, 151}) {
        ChildProcess child([&](int pipe) {
            const auto campaign = open();
            for (int i = next; i < next + kKeys; ++i) {
                const std::string key = "job" + std::to_string(i);
                claim(*campaign, key);
                const int attempt = begin(*campaign, key);
                ChildProcess::say(pipe, "started " + key);
                end(*campaign, key, attempt, JobState::finished);
                ChildProcess::say(pipe, "finished " + key);
            }
        });
        for (int i = 0; i < lines; ++i) {
            const std::string line = child.line();
            const auto blank = line.find(' ');
            ASSERT_NE(blank, std::string::npos) << line;
            said[line.substr(blank + 1)] = queue::job_state(line.substr(0, blank));
        }
        child.kill();
        next += kKeys;

        std::map<std::string, JobState> known;
        for (const JobRow& job : read_jobs(place)) known[job.key] = job.state;
        for (const auto& [key, state] : said) {
            ASSERT_TRUE(known.contains(key)) << key;
            if (state == JobState::finished) {
                EXPECT_EQ(known[key], state) << key;
            }
        }
    }
    const auto campaign = open();
    for (const auto& [key, state] : said) {
        if (state != JobState::finished) continue;
        EXPECT_EQ(claim(*campaign, key).state, JobState::finished);
        EXPECT_EQ(error_of([&] { begin(*campaign, key); }).kind(), ErrorKind::conflict);
    }
}

TEST_F(SqliteLedgerTest, TenThousandJobs) {
    constexpr int kJobs = 10'000;
    const auto campaign = open();
    queue::JobLedger& ledger = campaign->ledger();
    auto run_job = [&](int index) -> runtime::task<void> {
        const std::string key = "walkers/" + std::to_string(index) + "/md.part0001";
        const std::string specification(500, 's');
        const Claim claim = co_await ledger.claim(key, specification);
        if (claim.state == JobState::finished) co_return;
        const int attempt = co_await ledger.begin_attempt(key);
        co_await ledger.submitted(key, attempt, "pid 1234 since 5678");
        co_await ledger.ended(result_of(key, attempt, JobState::finished));
    };
    std::vector<runtime::task<void>> jobs;
    for (int i = 0; i < kJobs; ++i) jobs.push_back(run_job(i));
    const auto transactions = [&] {
        return SQLite::Database::getHeaderInfo(database().string()).fileChangeCounter;
    };
    const auto before = transactions();
    const auto start = std::chrono::steady_clock::now();
    context.run(runtime::gather(std::move(jobs)));
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    RecordProperty("jobs_per_second", static_cast<int>(kJobs / elapsed.count()));

    EXPECT_LT(transactions() - before, 100u);  // of 30,000 changes
    const std::vector<JobRow> rows = read_jobs(place);
    ASSERT_EQ(rows.size(), static_cast<std::size_t>(kJobs));
    for (const JobRow& row : rows) EXPECT_EQ(row.state, JobState::finished);
}

}  // namespace
}  // namespace coromd::campaign
