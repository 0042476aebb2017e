// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "coromd/queue/job.hpp"
#include "database.hpp"
#include "journal.hpp"

// Jobs and their journal in the database.
namespace coromd::campaign {

struct StoredJob {
    std::int64_t id = 0;
    JobRecord record;
};

/// Throws Error(input) where the row is damaged.
std::optional<StoredJob> read_job(Connection& database, const std::string& key);
/// The columns of `jobs` in the order of kJobColumns.
inline constexpr const char* kJobColumns =
    "id, key, specification, state, attempts, submission, result_seq, began_ms, ended_ms";
StoredJob job_of(const Connection& database, SQLite::Statement& row);

/// The result of the last attempt that ended. Throws Error(input) where the journal has none.
std::optional<queue::JobResult> read_result(Connection& database, const JobRecord& job);

/// Appends an event to the journal and brings the job up to date. `job` may be new (id 0). `event.seq`
/// and, where it is 0, `event.at_ms` are filled in.
/// Throws Error(conflict) for an event that cannot follow; then nothing was changed.
StoredJob append_event(Connection& database, StoredJob job, JobEvent event);

}  // namespace coromd::campaign
