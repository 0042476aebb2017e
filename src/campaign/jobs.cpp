// SPDX-License-Identifier: LGPL-3.0-or-later
#include "jobs.hpp"

#include <limits>
#include <utility>

#include "coromd/core/clock.hpp"
#include "coromd/core/error.hpp"
#include "database.hpp"

namespace coromd::campaign {

using queue::JobResult;
using queue::JobState;

namespace {

constexpr auto kMaxAttempts = std::numeric_limits<int>::max() - 1;

[[noreturn]] void fail_job(const Connection& database, const std::string& key, const std::string& what) {
    fail_damaged(database.file(), fmt::format("job '{}': {}", key, what));
}

template <typename T>
void bind_optional(SQLite::Statement& statement, int index, const std::optional<T>& value) {
    if (value)
        statement.bind(index, *value);
    else
        statement.bind(index);
}

/// One more than the largest; 1 where there is none.
std::int64_t next(Connection& database, const char* largest) {
    const auto row = database.prepared(largest);
    row->executeStep();
    return row->isColumnNull(0) ? 1 : integer_of(database, row->getColumn(0)) + 1;
}

}  // namespace

StoredJob job_of(const Connection& database, SQLite::Statement& row) {
    const auto optional_integer = [&](int column) -> std::optional<std::int64_t> {
        if (row.isColumnNull(column)) return std::nullopt;
        return integer_of(database, row.getColumn(column));
    };
    StoredJob job;
    job.id = integer_of(database, row.getColumn(0), 1);
    JobRecord& record = job.record;
    record.key = text_of(database, row.getColumn(1));
    record.specification = text_of(database, row.getColumn(2));
    const std::string state = text_of(database, row.getColumn(3));
    try {
        record.state = queue::job_state(state);
    } catch (const Error& error) {
        fail_job(database, record.key, error.message());
    }
    record.attempts = static_cast<int>(integer_of(database, row.getColumn(4), 1, kMaxAttempts));
    record.submission = text_of(database, row.getColumn(5));
    record.result_seq = optional_integer(6);
    record.began_ms = integer_of(database, row.getColumn(7));
    record.ended_ms = optional_integer(8);
    if (record.state != JobState::started && !record.result_seq)
        fail_job(database, record.key, "it has ended and has no result");
    return job;
}

std::optional<StoredJob> read_job(Connection& database, const std::string& key) {
    static const std::string kSelect = fmt::format("SELECT {} FROM jobs WHERE key = ?", kJobColumns);
    const auto row = database.prepared(kSelect.c_str(), key);
    if (!row->executeStep()) return std::nullopt;
    return job_of(database, *row);
}

std::optional<JobResult> read_result(Connection& database, const JobRecord& job) {
    if (!job.result_seq) return std::nullopt;
    const auto row = database.prepared("SELECT data FROM events WHERE seq = ?", *job.result_seq);
    if (!row->executeStep()) fail_job(database, job.key, "its result is missing");
    JobResult result;
    try {
        result = JobResult::from_json(text_of(database, row->getColumn(0)));
    } catch (const Error& error) {
        fail_job(database, job.key, error.message());
    }
    const bool ended = job.state != JobState::started;
    if (result.key != job.key || (ended && (result.state != job.state || result.attempt != job.attempts)))
        fail_job(database, job.key, "its result is another one's");
    return result;
}

StoredJob append_event(Connection& database, StoredJob job, JobEvent event) {
    if (event.at_ms == 0) event.at_ms = now_ms();
    const bool is_new = job.id == 0;
    if (is_new) job.id = next(database, "SELECT max(id) FROM jobs");
    event.seq = next(database, "SELECT max(seq) FROM events");
    job.record = fold(std::move(job.record), event);

    const JobRecord& r = job.record;
    const auto write = database.prepared(
        is_new ? "INSERT INTO jobs (state, attempts, submission, began_ms, id, key, specification, "
                 "result_seq, ended_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
               : "UPDATE jobs SET state = ?1, attempts = ?2, submission = ?3, began_ms = ?4, "
                 "specification = ?7, result_seq = ?8, ended_ms = ?9 WHERE id = ?5 AND key = ?6",
        std::string(to_string(r.state)), r.attempts, r.submission, r.began_ms, job.id, r.key,
        r.specification);
    bind_optional(*write, 8, r.result_seq);
    bind_optional(*write, 9, r.ended_ms);
    write->exec();
    database
        .prepared("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", event.seq, event.at_ms, job.id,
                  event.attempt, std::string(event.kind_name()), event.data)
        ->exec();
    return job;
}

}  // namespace coromd::campaign
