// SPDX-License-Identifier: LGPL-3.0-or-later
#include "store.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "coromd/runtime/event.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/race.hpp"
#include "database.hpp"
#include "fixtures.hpp"

namespace coromd::campaign {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class StoreTest : public CampaignFolder {
protected:
    void SetUp() override {
        CampaignFolder::SetUp();
        fs::create_directory(place);
        ASSERT_TRUE(create_database(place, kSeed));
        store = open_store();
        tamper("CREATE TABLE numbers (number INTEGER UNIQUE)");
    }

    std::unique_ptr<Store> open_store() {
        return std::make_unique<Store>(context, place, kSeed, [] {});
    }
    /// How many transactions have changed the file: SQLite counts them in it.
    unsigned long transactions() const {
        return SQLite::Database::getHeaderInfo(database().string()).fileChangeCounter;
    }
    int count(const std::string& condition = "1") const {
        SQLite::Database reader(database().string());
        return reader.execAndGet("SELECT count(*) FROM numbers WHERE " + condition).getInt();
    }
    static runtime::task<void> insert(Store& store, int number) {
        Store::Change change = [&](SQLite::Database& database) {
            prepare(database, "INSERT INTO numbers VALUES (?)", number).exec();
            if (number < 0) fail(ErrorKind::conflict, "{} is negative", number);
        };
        co_await store.write(change);
    }
    std::vector<runtime::task<void>> inserts(int from, int to) {
        std::vector<runtime::task<void>> tasks;
        for (int i = from; i < to; ++i) tasks.push_back(insert(*store, i));
        return tasks;
    }

    std::unique_ptr<Store> store;
};

TEST_F(StoreTest, AChangeIsDurableWhenItReturns) {
    context.run(insert(*store, 1));
    EXPECT_EQ(count(), 1);
}

TEST_F(StoreTest, WhatDurabilityRestsOn) {
    // No test can cut the power; these are the settings under which SQLite promises to survive that.
    std::string settings;
    Store::Change look = [&](SQLite::Database& database) {
        for (const char* pragma : {"PRAGMA journal_mode", "PRAGMA synchronous", "PRAGMA mmap_size"})
            settings += database.execAndGet(pragma).getString() + " ";
    };
    context.run(store->write(look));
    EXPECT_EQ(settings, "persist 2 0 ");
}

TEST_F(StoreTest, ManyWhoWaitShareATransaction) {
    const unsigned long before = transactions();
    context.run(runtime::gather(inserts(0, 1000)));
    EXPECT_EQ(count(), 1000);
    // The first goes alone or with some; the others have gathered when it is done.
    EXPECT_LE(transactions() - before, 3u);
}

TEST_F(StoreTest, ReadingWritesNothing) {
    const unsigned long before = transactions();
    Store::Change look = [](SQLite::Database& database) {
        database.execAndGet("SELECT count(*) FROM numbers");
    };
    context.run(store->write(look));
    EXPECT_EQ(transactions(), before);
}

TEST_F(StoreTest, OneThatFailsIsUndoneAlone) {
    auto outcomes = context.run(runtime::gather_outcomes(inserts(-1, 100)));
    EXPECT_EQ(outcomes[0].error_text(), "-1 is negative");
    for (std::size_t i = 1; i < outcomes.size(); ++i)
        EXPECT_TRUE(outcomes[i].ok()) << outcomes[i].error_text();
    EXPECT_EQ(count(), 100);
    EXPECT_EQ(count("number < 0"), 0);
}

TEST_F(StoreTest, WhatSqliteObjectsToUndoesTheWholeGroup) {
    context.run(insert(*store, 7));
    auto run = [&]() -> runtime::task<std::vector<Outcome<void>>> {
        std::vector<runtime::task<void>> tasks = inserts(5, 10);  // 7 is there already
        co_return co_await runtime::gather_outcomes(std::move(tasks));
    };
    const auto outcomes = context.run(run());
    const auto failed =
        std::ranges::count_if(outcomes, [](const Outcome<void>& outcome) { return !outcome.ok(); });
    EXPECT_EQ(count(), 1 + 5 - failed);
    EXPECT_FALSE(outcomes[2].ok());
    context.run(insert(*store, 100));  // the store goes on
}

TEST_F(StoreTest, ACancelledAwaiterIsServedAllTheSame) {
    runtime::Event begun;
    runtime::Event never;
    auto body = [&]() -> runtime::task<void> {
        begun.set();
        co_await insert(*store, 1);  // cancelled meanwhile
        co_await insert(*store, 2);  // cancelled before
        co_await never.wait();
    };
    std::vector<runtime::task<void>> racers;
    racers.push_back(body());
    racers.push_back(begun.wait());
    EXPECT_EQ(context.run(runtime::race(std::move(racers))).index, 1u);
    EXPECT_EQ(count(), 2);
}

TEST_F(StoreTest, AnOwnerThatWasTakenOverWritesNoMore) {
    const auto successor = open_store();
    const Error error = error_of([&] { context.run(insert(*store, 1)); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error.what(), HasSubstr("taken over"));
    EXPECT_EQ(count(), 0);
    context.run(insert(*successor, 1));
    EXPECT_EQ(count(), 1);
}

TEST_F(StoreTest, AProcessThatWasTakenOverWritesNoMore) {
    store.reset();
    std::array<int, 2> gate{};
    ASSERT_EQ(::pipe(gate.data()), 0);
    ChildProcess first([&](int pipe) {
        const auto own = open_store();
        context.run(insert(*own, 1));
        ChildProcess::say(pipe, "wrote");
        char go = 0;
        [[maybe_unused]] const ssize_t n = ::read(gate[0], &go, 1);
        try {
            context.run(insert(*own, 2));
            ChildProcess::say(pipe, "wrote");
        } catch (const Error& error) {
            ChildProcess::say(pipe, std::string(to_string(error.kind())));
        }
    });
    ASSERT_EQ(first.line(), "wrote");
    store = open_store();
    ASSERT_EQ(::write(gate[1], "g", 1), 1);
    EXPECT_EQ(first.line(), "conflict");
    first.wait();
    EXPECT_EQ(count(), 1);
    ::close(gate[0]);
    ::close(gate[1]);
}

TEST_F(StoreTest, ARefusedOwnerChangesNothing) {
    EXPECT_THROW(Store(context, place, kSeed, [] { fail(ErrorKind::conflict, "in use"); }), Error);
    context.run(insert(*store, 1));
}

TEST_F(StoreTest, ARefusedWriteIsASystemErrorAndLosesNothing) {
    store.reset();
    ChildProcess child([&](int pipe) {
        // No file may grow: what a full disk does, without one.
        ::signal(SIGXFSZ, SIG_IGN);
        const auto own = open_store();
        const auto keep = static_cast<rlim_t>(fs::file_size(database()));
        rlimit limit{};
        ::getrlimit(RLIMIT_FSIZE, &limit);
        const rlimit small{keep, limit.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &small);
        std::string kind = "written";
        Store::Change large = [](SQLite::Database& database) {
            database.exec("CREATE TABLE large AS SELECT hex(randomblob(1000000))");
        };
        try {
            context.run(own->write(large));
        } catch (const Error& error) {
            kind = to_string(error.kind());
        }
        ChildProcess::say(pipe, kind);
        ::setrlimit(RLIMIT_FSIZE, &limit);
        context.run(insert(*own, 1));
        ChildProcess::say(pipe, "goes on");
    });
    EXPECT_EQ(child.line(), "system");
    EXPECT_EQ(child.line(), "goes on");
    child.wait();
    EXPECT_EQ(count(), 1);
    open_store();
}

TEST_F(StoreTest, AFullDiskIsASystemError) {
    Store::Change fill = [](SQLite::Database& database) {
        database.exec("PRAGMA max_page_count = 1");  // as low as it goes: what is there
        database.exec("CREATE TABLE large AS SELECT hex(randomblob(1000000))");
    };
    const Error error = error_of([&] { context.run(store->write(fill)); });
    EXPECT_EQ(error.kind(), ErrorKind::system);
    EXPECT_THAT(error.what(), HasSubstr("the disk is full"));
}

TEST_F(StoreTest, ATransactionThatWasCutShortIsRolledBackByTheNextReader) {
    store.reset();
    ChildProcess writer([&](int pipe) {
        SQLite::Database own(database().string(), SQLite::OPEN_READWRITE);
        // A cache this small spills: half of the transaction is in the file when the process dies.
        own.exec(
            "PRAGMA journal_mode = PERSIST; PRAGMA cache_size = 1; BEGIN IMMEDIATE;"
            "UPDATE campaign SET seed = '1';"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
            "INSERT INTO numbers SELECT i FROM n");
        ChildProcess::say(pipe, "half way");
        ::pause();
    });
    ASSERT_EQ(writer.line(), "half way");
    writer.kill();
    EXPECT_GT(fs::file_size(database()), 100'000u);
    EXPECT_TRUE(read_jobs(place).empty());
    EXPECT_EQ(count(), 0);
    open_store();
}

}  // namespace
}  // namespace coromd::campaign
