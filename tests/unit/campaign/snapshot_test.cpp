// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/campaign/snapshot.hpp"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "coromd/campaign/memo.hpp"
#include "coromd/core/file.hpp"
#include "coromd/runtime/timeout.hpp"
#include "fixtures.hpp"

namespace coromd::campaign {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using queue::JobState;
using runtime::task;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SnapshotTest : public CampaignFolder {
protected:
    void run_jobs(Campaign& campaign) {
        queue::JobLedger& ledger = campaign.ledger();
        auto work = [&]() -> task<void> {
            for (const std::string key : {"a", "b", "c"}) {
                co_await ledger.claim(key, R"({"command": ["gmx"]})");
                co_await ledger.begin_attempt(key);
            }
            co_await ledger.submitted("a", 1, "agent 1");
            co_await ledger.ended(result_of("a", 1, JobState::failed, "the node went down"));
            co_await ledger.begin_attempt("a");
            co_await ledger.ended(result_of("a", 2, JobState::finished, "done"));
            co_await ledger.submitted("b", 1, "slurm 7");
            co_await ledger.ended(result_of("c", 1, JobState::failed, "bad input"));
        };
        context.run(work());
    }
};

TEST_F(SnapshotTest, TellsJobsAndAttemptsWhileTheCampaignRuns) {
    const auto campaign = open();
    run_jobs(*campaign);
    const Snapshot snapshot(place);
    EXPECT_EQ(snapshot.seed(), kSeed);
    const auto counts = snapshot.job_counts();
    EXPECT_EQ(counts.at(JobState::finished), 1);
    EXPECT_EQ(counts.at(JobState::failed), 1);
    EXPECT_EQ(counts.at(JobState::started), 1);
    ASSERT_THAT(snapshot.jobs_in(JobState::failed, 10), SizeIs(1));
    EXPECT_EQ(snapshot.jobs_in(JobState::failed, 10)[0].reason, "bad input");
    EXPECT_THAT(snapshot.jobs_in(JobState::failed, 0), IsEmpty());
    EXPECT_EQ(snapshot.result("a")->attempt, 2);
    EXPECT_FALSE(snapshot.result("b"));
    EXPECT_FALSE(snapshot.result("no such job"));
    EXPECT_THAT(snapshot.specification("a").value(), HasSubstr("gmx"));

    const std::vector<AttemptRow> attempts = snapshot.attempts();
    ASSERT_THAT(attempts, SizeIs(4));
    EXPECT_EQ(attempts[0].key, "a");
    EXPECT_EQ(attempts[0].submission, "agent 1");
    EXPECT_EQ(attempts[0].result->reason, "the node went down");
    EXPECT_FALSE(attempts[1].result);
    EXPECT_EQ(attempts[3].number, 2);
    EXPECT_THAT(snapshot.problems(), IsEmpty());
}

TEST_F(SnapshotTest, ACopyLetsTheOwnerWrite) {
    const auto campaign = open();
    const Snapshot copy(place, SnapshotKind::copy);
    run_jobs(*campaign);
    EXPECT_THAT(copy.jobs(), IsEmpty());
    EXPECT_THAT(copy.problems(), IsEmpty());
    EXPECT_THAT(Snapshot(place, SnapshotKind::copy).jobs(), SizeIs(3));
}

TEST_F(SnapshotTest, ACopySpeaksOfTheOriginal) {
    run_jobs(*open());
    tamper("UPDATE jobs SET attempts = 'many' WHERE key = 'a'");
    const Snapshot copy(place, SnapshotKind::copy);
    EXPECT_THAT(error_of([&] { copy.jobs(); }).what(), HasSubstr(database().string()));
}

TEST_F(SnapshotTest, TellsWhatRecordersWereTold) {
    {
        const auto campaign = open();
        Recorder& recorder = campaign->recorder();
        recorder.progress({"walkers/000", "running", 1.0, 10.0, 1});
        recorder.progress({"walkers/000", "reached A", 2.5, 0.0, 2});
        recorder.note("system", "masses were guessed");
        recorder.product({"walkers/000/until",
                          "trajectory",
                          {{place / "walkers/000/md.part0001.xtc"}, {"/elsewhere/top.gro", 3, "abc"}},
                          {place / "walkers/000/until.xtc"},
                          {{"last_step", "500"}}});
        auto stop = [&]() -> task<void> {
            co_await runtime::with_timeout(std::chrono::milliseconds(1), campaign->keep());
        };
        context.run(stop());
    }
    const Snapshot snapshot(place);
    ASSERT_THAT(snapshot.walkers(), SizeIs(1));
    EXPECT_EQ(snapshot.walkers()[0].progress.phase, "reached A");
    EXPECT_EQ(snapshot.walkers()[0].progress.time_ps, 2.5);
    EXPECT_EQ(snapshot.notes().at(0).text, "masses were guessed");
    const std::optional<Product> product = snapshot.product_of("walkers/000/until.xtc");
    ASSERT_TRUE(product);
    EXPECT_EQ(product->key, "walkers/000/until");
    EXPECT_EQ(product->sources[0].file, "walkers/000/md.part0001.xtc");
    EXPECT_EQ(product->sources[1].file, "/elsewhere/top.gro");
    EXPECT_EQ(product->sources[1].frame, 3);
    EXPECT_EQ(product->details.at("last_step"), "500");
    EXPECT_FALSE(snapshot.product_of("walkers/001/until.xtc"));
    EXPECT_EQ(snapshot.product("walkers/000/until")->files, product->files);
}

TEST_F(SnapshotTest, TellsWhoOwnedTheCampaign) {
    open();
    {
        const auto campaign = open();
        const auto owner = owner_of(place);
        ASSERT_TRUE(owner);
        EXPECT_EQ(owner->pid, ::getpid());
        EXPECT_EQ(owner->life, Owner::Life::runs);
        EXPECT_FALSE(Snapshot(place).sessions().back().ended_ms);
    }
    EXPECT_FALSE(owner_of(place));
    const std::vector<SessionRow> sessions = Snapshot(place).sessions();
    ASSERT_THAT(sessions, SizeIs(2));
    for (const SessionRow& session : sessions) EXPECT_TRUE(session.ended_ms);
}

TEST_F(SnapshotTest, ADeadOwnerIsTold) {
    ChildProcess child([&](int pipe) {
        const auto campaign = open();
        ChildProcess::say(pipe, "open");
        ::pause();
    });
    ASSERT_EQ(child.line(), "open");
    child.kill();
    EXPECT_EQ(owner_of(place)->life, Owner::Life::dead);
}

TEST_F(SnapshotTest, ExportsEverythingAsJsonLines) {
    {
        const auto campaign = open();
        run_jobs(*campaign);
        context.run(campaign->record_inputs({{"states.A", "x > 1"}}));
        auto decide = [] { return 17; };
        context.run(campaign->memo("choice", decide));
    }
    std::map<std::string, int> records;
    Snapshot(place).export_to([&](const std::string& line) {
        const json object = json::parse(line);
        ++records[object.at("record")];
        if (object.at("record") == "memo") {
            EXPECT_EQ(object.at("value"), 17);
        }
    });
    EXPECT_EQ(records["campaign"], 1);
    EXPECT_EQ(records["session"], 1);
    EXPECT_EQ(records["input"], 1);
    EXPECT_EQ(records["job"], 3);
    EXPECT_EQ(records["event"], 9);
    EXPECT_EQ(records["memo"], 1);
}

TEST_F(SnapshotTest, FindsWhatDoesNotAddUp) {
    {
        const auto campaign = open();
        run_jobs(*campaign);
    }
    const auto problems_after = [&](const std::string& sql) {
        fs::copy_file(database(), folder / "copy", fs::copy_options::overwrite_existing);
        tamper(sql);
        const std::vector<std::string> problems = Snapshot(place).problems();
        fs::copy_file(folder / "copy", database(), fs::copy_options::overwrite_existing);
        return problems;
    };
    EXPECT_THAT(problems_after("UPDATE jobs SET attempts = 3 WHERE key = 'a'"),
                ElementsAre(HasSubstr("'a' is not what its events add up to")));
    EXPECT_THAT(problems_after("DELETE FROM events WHERE kind = 'begun' AND job = 2"), SizeIs(2));
    EXPECT_THAT(problems_after("DELETE FROM jobs WHERE key = 'b'"), SizeIs(2));
    EXPECT_THAT(problems_after("INSERT INTO product_files VALUES ('x', 'nobody')"),
                ElementsAre(HasSubstr("what made 'x' is not recorded")));
    EXPECT_THAT(Snapshot(place).problems(), IsEmpty());
}

TEST_F(SnapshotTest, VacuumWantsTheCampaignForItself) {
    {
        const auto campaign = open();
        run_jobs(*campaign);
        EXPECT_EQ(error_of([&] { vacuum(place); }).kind(), ErrorKind::conflict);
    }
    tamper("CREATE TABLE large AS SELECT hex(randomblob(1000000)) AS x; DROP TABLE large");
    const auto [before, after] = vacuum(place);
    EXPECT_GT(before, after + 1'000'000);
    EXPECT_THAT(Snapshot(place).problems(), IsEmpty());
    EXPECT_EQ(context.run(open()->ledger().claim("a", R"({"command": ["gmx"]})")).state, JobState::finished);
}

class CopyTest : public CampaignFolder {
protected:
    JobState state_of_job() {
        const auto campaign = open();
        return context.run(campaign->ledger().claim("job", "specification")).state;
    }
    void begin_job() {
        const auto campaign = open();
        context.run(campaign->ledger().claim("job", "specification"));
        context.run(campaign->ledger().begin_attempt("job"));
        context.run(campaign->ledger().submitted("job", 1, "agent 4711 1"));
    }
};

TEST_F(CopyTest, LeavesTheOriginalsJobsAlone) {
    begin_job();
    fs::copy(place, folder / "copy", fs::copy_options::recursive);
    const fs::path original = std::exchange(place, folder / "copy");
    EXPECT_EQ(state_of_job(), JobState::interrupted);
    EXPECT_NE(open()->spool().filename(), "spool");
    EXPECT_EQ(state_of_job(), JobState::interrupted) << "it is no copy of itself";
    place = original;
    EXPECT_EQ(state_of_job(), JobState::started);
    EXPECT_EQ(open()->spool().filename(), "spool");
}

TEST_F(CopyTest, WhatWasMovedOrPutBackIsNoCopy) {
    begin_job();
    fs::rename(place, folder / "elsewhere");
    place = folder / "elsewhere";
    EXPECT_EQ(state_of_job(), JobState::started);
    // As from a backup.
    fs::copy_file(database(), folder / "backup");
    fs::remove(database());
    fs::copy_file(folder / "backup", database());
    EXPECT_EQ(state_of_job(), JobState::started);
}

class MigrationTest : public CampaignFolder {
protected:
    void make_version_1() {
        fs::create_directory(place);
        std::ifstream in(COROMD_SCHEMA_1);
        std::stringstream schema;
        schema << in.rdbuf();
        SQLite::Database database(this->database().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        database.exec(schema.str());
        database.exec(
            "PRAGMA user_version = 1; PRAGMA application_id = 0x636F4D44;"
            "INSERT INTO campaign VALUES (1, '42', 3, 1000);"
            "INSERT INTO inputs VALUES ('committor', 'temperature = 300', 1001)");
        const auto add = [&](const std::string& key, int number, const std::string& submission,
                             JobState state, std::int64_t began) {
            database.exec("INSERT OR IGNORE INTO specifications VALUES ('" + key + "', 'spec', 1002)");
            SQLite::Statement row(database, "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
            row.bind(1, key);
            row.bind(2, number);
            row.bind(3, "token" + key + std::to_string(number));
            row.bind(4, submission);
            row.bind(5, std::string(to_string(state)));
            row.bind(6, began);
            if (state != JobState::started) {
                row.bind(7, began + 10);
                row.bind(8, result_of(key, number, state, "reason").to_json());
            }
            row.exec();
        };
        add("a", 1, "agent 1", JobState::failed, 1100);
        add("b", 1, "", JobState::started, 1105);
        add("a", 2, "agent 2", JobState::finished, 1200);
        add("b", 2, "slurm 7", JobState::started, 1050);  // the clock went backwards
    }
};

TEST_F(MigrationTest, FromVersion1KeepsWhatHappened) {
    make_version_1();
    EXPECT_THAT(error_of([&] { Snapshot{place}; }).what(), HasSubstr("when it is run next"));
    {
        const auto campaign = open();
        const queue::Claim done = context.run(campaign->ledger().claim("a", "spec"));
        EXPECT_EQ(done.state, JobState::finished);
        EXPECT_EQ(done.attempts, 2);
        EXPECT_EQ(done.result->reason, "reason");
        const queue::Claim runs = context.run(campaign->ledger().claim("b", "spec"));
        EXPECT_EQ(runs.state, JobState::started);
        EXPECT_EQ(runs.submission, "slurm 7");
        EXPECT_EQ(context.run(campaign->ledger().begin_attempt("b")), 3);
    }
    const Snapshot snapshot(place);
    EXPECT_EQ(snapshot.created_ms(), 1000);
    EXPECT_EQ(snapshot.sessions().back().epoch, 4);
    EXPECT_THAT(snapshot.problems(), IsEmpty());
    EXPECT_THAT(snapshot.attempts(), SizeIs(5));
}

TEST_F(MigrationTest, WhatDoesNotAddUpIsDamage) {
    make_version_1();
    tamper("UPDATE attempts SET number = 4 WHERE key = 'b' AND number = 2");
    const Error error = error_of([&] { open(); });
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr("cannot follow attempt 1"));
    tamper("UPDATE attempts SET number = 2 WHERE key = 'b' AND number = 4");
    EXPECT_NO_THROW(open()) << "the failed try has changed nothing";
}

TEST_F(CampaignFolder, AChangedInputIsGoneOnWithWhereThatIsWanted) {
    {
        const auto campaign = open();
        context.run(campaign->record_inputs({{"mdp", "dt = 1\n"}, {"states.A", "x > 1"}}));
        context.run(campaign->ledger().claim("done", "dt = 1"));
        context.run(campaign->ledger().begin_attempt("done"));
        context.run(campaign->ledger().ended(result_of("done", 1, JobState::finished)));
        context.run(campaign->ledger().claim("failed", "dt = 1"));
        context.run(campaign->ledger().begin_attempt("failed"));
        context.run(campaign->ledger().ended(result_of("failed", 1, JobState::failed)));
    }
    const std::map<std::string, std::string> changed{{"mdp", "dt = 2\n"}, {"states.A", "x > 1"}};
    EXPECT_EQ(error_of([&] { context.run(open()->record_inputs(changed)); }).kind(), ErrorKind::conflict);
    {
        const auto campaign =
            Campaign::open(context, place, OpenMode::resume_or_create, kSeed, OnChange::go_on);
        context.run(campaign->record_inputs(changed));
        EXPECT_EQ(context.run(campaign->ledger().claim("done", "dt = 2")).state, JobState::finished);
        context.run(campaign->ledger().claim("failed", "dt = 2"));
        context.run(campaign->ledger().begin_attempt("failed"));
    }
    {
        const Snapshot snapshot(place);
        EXPECT_EQ(snapshot.specification("done"), "dt = 1");
        EXPECT_EQ(snapshot.specification("failed"), "dt = 2");
        ASSERT_THAT(snapshot.inputs(), SizeIs(3));
        EXPECT_EQ(snapshot.inputs()[1].version, 2);
        EXPECT_THAT(snapshot.problems(), IsEmpty());
    }
    const auto campaign = open();
    EXPECT_NO_THROW(context.run(campaign->record_inputs(changed)));
    EXPECT_EQ(context.run(campaign->ledger().claim("done", "dt = 2")).state, JobState::finished);
    campaign->ledger().release("done");
    EXPECT_THROW(context.run(campaign->ledger().claim("done", "dt = 3")), Error);
}

}  // namespace
}  // namespace coromd::campaign
