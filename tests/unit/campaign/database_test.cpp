// SPDX-License-Identifier: LGPL-3.0-or-later
#include "database.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "coromd/runtime/gather.hpp"
#include "fixtures.hpp"

namespace coromd::campaign {
namespace {

namespace fs = std::filesystem;
using queue::JobState;
using testing::HasSubstr;

/// A campaign with 200 jobs of which every second has finished.
class DatabaseTest : public CampaignFolder {
protected:
    void SetUp() override {
        CampaignFolder::SetUp();
        const auto campaign = open();
        std::vector<runtime::task<void>> jobs;
        for (int i = 0; i < 200; ++i) jobs.push_back(do_job(campaign->ledger(), i));
        context.run(runtime::gather(std::move(jobs)));
    }

    static runtime::task<void> do_job(queue::JobLedger& ledger, int index) {
        const std::string key = "job" + std::to_string(index);
        co_await ledger.claim(key, "specification");
        co_await ledger.begin_attempt(key);
        if (index % 2 == 0) co_await ledger.ended(result_of(key, 1, JobState::finished));
    }

    /// Every way of reading ends well or with an Error(input) that names the file.
    void expect_damage_is_told() {
        for (const auto& action : std::vector<std::function<void()>>{
                 [&] { read_jobs(place); },
                 [&] {
                     const auto campaign = open();
                     for (int i = 0; i < 200; i += 20)
                         context.run(campaign->ledger().claim("job" + std::to_string(i), "specification"));
                 }}) {
            try {
                action();
            } catch (const Error& error) {
                told_ += error.kind() == ErrorKind::input;
                EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
                EXPECT_THAT(error.what(), HasSubstr(database().string()));
            }
        }
    }

    void expect_damaged(const std::string& detail) { expect_damaged(detail, detail); }
    void expect_damaged(const std::string& when_read, const std::string& when_opened) {
        const Error reading = error_of([&] { read_jobs(place); });
        EXPECT_THAT(reading.what(), HasSubstr(when_read));
        const Error opening = error_of([&] {
            const auto campaign = open();
            context.run(campaign->ledger().claim("job0", "specification"));
        });
        EXPECT_THAT(opening.what(), HasSubstr(when_opened));
        for (const Error& error : {reading, opening}) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_THAT(error.what(), HasSubstr(database().string()));
        }
        EXPECT_FALSE(fs::exists(place / "lease.json"));
    }

    int told_ = 0;
};

TEST_F(DatabaseTest, IsCreatedOnce) {
    const auto size = fs::file_size(database());
    EXPECT_FALSE(create_database(place, 7));
    EXPECT_EQ(fs::file_size(database()), size);
    open();
}

TEST_F(DatabaseTest, GarbageIsRefused) {
    std::ofstream(database()) << std::string(8192, 'x');
    expect_damaged("not a database");
}

TEST_F(DatabaseTest, AnEmptyFileIsNotTakenForNew) {
    fs::resize_file(database(), 0);
    expect_damaged("it is empty");
}

TEST_F(DatabaseTest, TruncationAnywhereIsTold) {
    const auto size = fs::file_size(database());
    const std::string whole = read_text_file(database());
    for (auto length = size - 1; length > 0; length = length * 9 / 10) {
        std::ofstream(database(), std::ios::binary) << whole.substr(0, length);
        expect_damage_is_told();
    }
    EXPECT_GT(told_, 50);
}

TEST_F(DatabaseTest, FlippedBytesAnywhereNeverCrash) {
    const std::string whole = read_text_file(database());
    RandomStream random(1, "flips");
    for (int round = 0; round < 60; ++round) {
        std::string bytes = whole;
        // The structure is at the start of each page; elsewhere it is mostly text.
        const std::size_t page = random() % (bytes.size() / 4096) * 4096;
        for (int i = 0; i < 4; ++i) bytes[page + random() % 512] = static_cast<char>(random());
        std::ofstream(database(), std::ios::binary) << bytes;
        expect_damage_is_told();
    }
    EXPECT_GT(told_, 10);
}

TEST_F(DatabaseTest, ALaterVersionIsRefused) {
    tamper("PRAGMA user_version = 3");
    expect_damaged("later version of coromd (schema 3; this program knows 2)");
}

TEST_F(DatabaseTest, AForeignDatabaseIsRefused) {
    tamper("PRAGMA application_id = 1");
    expect_damaged("not the database of a campaign");
}

TEST_F(DatabaseTest, AMissingTableIsTold) {
    tamper("DROP TABLE jobs");
    expect_damaged("no such table: jobs");
}

TEST_F(DatabaseTest, AMissingRowIsTold) {
    tamper("DELETE FROM campaign");
    const Error error = error_of([&] { open(); });
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr(database().string()));
}

class WrongContentTest : public DatabaseTest,
                         public testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(WrongContentTest, IsTold) {
    const auto [change, detail] = GetParam();
    tamper(std::string("PRAGMA ignore_check_constraints = ON; UPDATE ") + change);
    expect_damaged(detail, "");  // opening it may find it first, by a constraint
}

INSTANTIATE_TEST_SUITE_P(
    Columns, WrongContentTest,
    testing::Values(
        std::pair("jobs SET state = 'happy'", "unknown job state 'happy'"),
        std::pair("jobs SET state = x'00ff'", "'state' holds no text"),
        std::pair("jobs SET state = 'failed'", "its result is another one's"),
        std::pair("jobs SET result_seq = NULL", "it has ended and has no result"),
        std::pair("jobs SET result_seq = 9999", "its result is missing"),
        std::pair("events SET data = '{' WHERE kind = 'finished'", "a job's recorded result cannot be read"),
        std::pair("events SET data = replace(data, 'job0', 'job1')", "its result is another one's"),
        std::pair("events SET data = replace(data, '\"version\":1', '\"version\":9')", "version 9"),
        std::pair("jobs SET attempts = 4294967297", "'attempts' holds no number")));

TEST_F(DatabaseTest, AnotherJournalModeIsUndone) {
    tamper("PRAGMA journal_mode = WAL");
    const auto campaign = open();
    EXPECT_EQ(SQLite::Database(database().string()).execAndGet("PRAGMA journal_mode").getString(), "delete");
}

}  // namespace
}  // namespace coromd::campaign
