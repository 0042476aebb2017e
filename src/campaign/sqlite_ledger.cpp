// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The attempts of a job, as rows; the job's own state is that of its last row (view "jobs"):
//
//   (none) -- begin --> started -- ended --> finished: for good
//                          |             --> failed, interrupted, cancelled -- begin --> next row
//                          +-- begin --> next row
//
// The last arrow is an attempt that was left behind: its row stays "started", for nothing is known
// of its end. Only the last attempt of a job can be submitted or end, and only once.
#include "sqlite_ledger.hpp"

#include <filesystem>
#include <limits>
#include <utility>
#include <vector>

#include "coromd/campaign/campaign.hpp"
#include "coromd/core/clock.hpp"
#include "coromd/core/error.hpp"
#include "database.hpp"

namespace coromd::campaign {

using queue::Claim;
using queue::JobResult;
using queue::JobState;

namespace {

constexpr auto kMaxAttempts = std::numeric_limits<int>::max() - 1;

/// What a row of the view "jobs" says; its columns are key, state, attempts, submission, result.
Claim claim_of(const SQLite::Database& database, const SQLite::Statement& row) {
    const std::string key = text_of(database, row.getColumn(0));
    const std::string state = text_of(database, row.getColumn(1));
    const std::string result = row.isColumnNull(4) ? std::string() : text_of(database, row.getColumn(4));
    Claim claim;
    claim.attempts = static_cast<int>(integer_of(database, row.getColumn(2), 1, kMaxAttempts));
    try {
        claim.state = queue::job_state(state);
        if (!result.empty()) claim.result = JobResult::from_json(result);
    } catch (const Error& error) {
        fail_damaged(database.getFilename(), fmt::format("job '{}': {}", key, error.message()));
    }
    if (claim.state == JobState::started)
        claim.submission = text_of(database, row.getColumn(3));
    else if (!claim.result || claim.result->state != claim.state || claim.result->key != key)
        fail_damaged(database.getFilename(),
                     fmt::format("job '{}': its result is missing or another job's", key));
    return claim;
}

Claim read_claim(SQLite::Database& database, const std::string& key, const std::string& specification) {
    auto row = prepare(
        database, "SELECT key, state, attempts, submission, result, specification FROM jobs WHERE key = ?",
        key);
    if (!row.executeStep()) return {};
    const std::string recorded = text_of(database, row.getColumn(5));
    if (recorded != specification)
        fail(ErrorKind::conflict, "the job '{}' is known with another specification:\n{}", key,
             queue::specification_difference(recorded, specification));
    return claim_of(database, row);
}

int insert_attempt(SQLite::Database& database, const std::string& key, const std::string& specification) {
    int number = 1;
    auto last = prepare(database,
                        "SELECT number, state FROM attempts WHERE key = ? ORDER BY number DESC LIMIT 1", key);
    if (last.executeStep()) {
        number = static_cast<int>(integer_of(database, last.getColumn(0), 1, kMaxAttempts)) + 1;
        if (text_of(database, last.getColumn(1)) == to_string(JobState::finished))
            fail(ErrorKind::conflict, "the job '{}' is finished and cannot be begun again", key);
    } else {
        prepare(database, "INSERT INTO specifications VALUES (?, ?, ?)", key, specification, now_ms()).exec();
    }
    prepare(database,
            "INSERT INTO attempts (key, number, token, state, began_ms) VALUES (?, ?, ?, 'started', ?)", key,
            number, random_token(), now_ms())
        .exec();
    return number;
}

/// What an UPDATE of the attempt that runs must have changed.
void expect_one(int changed, const std::string& key, int attempt) {
    if (changed != 1)
        fail(ErrorKind::conflict, "attempt {} of the job '{}' does not run: it has ended, or was never begun",
             attempt, key);
}

}  // namespace

runtime::task<Claim> SqliteLedger::claim(std::string key, std::string specification) {
    // Before the first wait, so that of two who ask at once only one goes on.
    if (!taken_.emplace(key, specification).second)
        fail(ErrorKind::conflict, "the key '{}' is used by two jobs of this program", key);
    Claim claim;
    Store::Change read = [&](SQLite::Database& database) {
        claim = read_claim(database, key, specification);
    };
    try {
        co_await store_.write(read);
    } catch (...) {
        release(key);
        throw;
    }
    co_return claim;
}

runtime::task<int> SqliteLedger::begin_attempt(std::string key) {
    auto taken = taken_.find(key);
    if (taken == taken_.end()) fail(ErrorKind::usage, "the job '{}' was begun without a claim", key);
    const std::string specification = taken->second;
    int number = 0;
    Store::Change insert = [&](SQLite::Database& database) {
        number = insert_attempt(database, key, specification);
    };
    co_await store_.write(insert);
    taken = taken_.find(key);
    if (taken != taken_.end()) taken->second.clear();
    co_return number;
}

runtime::task<void> SqliteLedger::submitted(std::string key, int attempt, std::string submission) {
    Store::Change update = [&](SQLite::Database& database) {
        auto statement =
            prepare(database,
                    "UPDATE attempts SET submission = ?1 WHERE key = ?2 AND number = ?3 AND "
                    "state = 'started' AND number = (SELECT max(number) FROM attempts WHERE key = ?2)",
                    submission, key, attempt);
        expect_one(statement.exec(), key, attempt);
    };
    co_await store_.write(update);
}

runtime::task<void> SqliteLedger::ended(JobResult result) {
    if (result.state == JobState::unknown || result.state == JobState::started)
        fail(ErrorKind::usage, "an attempt of '{}' cannot end as '{}'", result.key, to_string(result.state));
    const std::string document = result.to_json();
    Store::Change update = [&](SQLite::Database& database) {
        auto statement =
            prepare(database,
                    "UPDATE attempts SET state = ?1, ended_ms = ?2, result = ?3 WHERE key = ?4 AND "
                    "number = ?5 AND state = 'started' AND "
                    "number = (SELECT max(number) FROM attempts WHERE key = ?4)",
                    std::string(to_string(result.state)), now_ms(), document, result.key, result.attempt);
        expect_one(statement.exec(), result.key, result.attempt);
    };
    co_await store_.write(update);
}

void SqliteLedger::release(const std::string& key) noexcept {
    taken_.erase(key);
}

std::vector<JobRow> read_jobs(const std::filesystem::path& directory) {
    if (!has_database(directory))
        fail(ErrorKind::usage, "'{}' is not a campaign directory: it has no {}", directory.string(),
             kDatabaseName);
    // Not opened read-only: where a program was killed while it wrote, the next reader rolls back
    // what is half-written. Where this user may not write, SQLite opens it for reading all the same.
    SQLite::Database database = open_database(directory);
    return translated(database.getFilename(), [&] {
        database.exec("PRAGMA query_only = ON");
        std::vector<JobRow> jobs;
        SQLite::Statement row(database,
                              "SELECT key, state, attempts, submission, result FROM jobs ORDER BY key");
        while (row.executeStep()) {
            const Claim claim = claim_of(database, row);
            jobs.push_back({text_of(database, row.getColumn(0)), claim.state, claim.attempts,
                            claim.submission, claim.result ? claim.result->reason : std::string()});
        }
        return jobs;
    });
}

}  // namespace coromd::campaign
