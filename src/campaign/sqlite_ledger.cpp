// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What happens to a job is appended to the journal, and the job's row is what its events add up to
// (journal.hpp), both in one transaction.
#include "sqlite_ledger.hpp"

#include <optional>
#include <utility>

#include "coromd/core/error.hpp"
#include "database.hpp"
#include "jobs.hpp"

namespace coromd::campaign {

using queue::Claim;
using queue::JobResult;
using queue::JobState;

namespace {

Claim claim_of(Connection& database, const JobRecord& job) {
    Claim claim;
    claim.state = job.state;
    claim.attempts = job.attempts;
    claim.submission = job.submission;
    claim.result = read_result(database, job);
    return claim;
}

/// Whether a job that is finished was gone on with by a program that asked for it like this.
bool was_accepted(Connection& database, const StoredJob& job, const std::string& specification) {
    if (job.record.state != JobState::finished) return false;
    return database
        .prepared("SELECT 1 FROM events WHERE job = ? AND kind = 'changed' AND data = ?", job.id,
                  specification)
        ->executeStep();
}

Claim read_claim(Connection& database, const std::string& key, const std::string& specification,
                 OnChange on_change) {
    std::optional<StoredJob> job = read_job(database, key);
    if (!job) return {};
    if (job->record.specification != specification && !was_accepted(database, *job, specification)) {
        if (on_change == OnChange::refuse)
            fail(ErrorKind::conflict, "the job '{}' is known with another specification:\n{}", key,
                 queue::specification_difference(job->record.specification, specification));
        job =
            append_event(database, *job, {JobEvent::Kind::changed, job->record.attempts, {}, specification});
    }
    return claim_of(database, job->record);
}

int begin(Connection& database, const std::string& key, const std::string& specification) {
    StoredJob job = read_job(database, key).value_or(StoredJob{});
    if (job.id == 0) {
        job.record.key = key;
        job.record.specification = specification;
    }
    const int number = job.record.attempts + 1;
    append_event(database, std::move(job), {JobEvent::Kind::begun, number, {}, random_token()});
    return number;
}

/// Appends what happens to an attempt that must run.
void append(Connection& database, const std::string& key, JobEvent event) {
    StoredJob job = read_job(database, key).value_or(StoredJob{});
    job.record.key = key;
    append_event(database, std::move(job), std::move(event));
}

}  // namespace

runtime::task<Claim> SqliteLedger::claim(std::string key, std::string specification) {
    // Before the first wait, so that of two who ask at once only one goes on.
    if (!taken_.emplace(key, specification).second)
        fail(ErrorKind::conflict, "the key '{}' is used by two jobs of this program", key);
    Claim claim;
    Store::Change read = [&](Connection& database) {
        claim = read_claim(database, key, specification, on_change_);
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
    Store::Change insert = [&](Connection& database) { number = begin(database, key, specification); };
    co_await store_.write(insert);
    taken = taken_.find(key);
    if (taken != taken_.end()) taken->second.clear();
    co_return number;
}

runtime::task<void> SqliteLedger::submitted(std::string key, int attempt, std::string submission) {
    const JobEvent event{JobEvent::Kind::submitted, attempt, {}, std::move(submission)};
    Store::Change change = [&](Connection& database) { append(database, key, event); };
    co_await store_.write(change);
}

runtime::task<void> SqliteLedger::ended(JobResult result) {
    const JobEvent event{JobEvent::Kind::ended, result.attempt, result.state, result.to_json()};
    Store::Change change = [&](Connection& database) { append(database, result.key, event); };
    co_await store_.write(change);
}

void SqliteLedger::release(const std::string& key) noexcept {
    taken_.erase(key);
}

}  // namespace coromd::campaign
