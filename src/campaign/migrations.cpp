// SPDX-License-Identifier: LGPL-3.0-or-later
//
//   1 -> 2   attempts, rows that were changed twice, become the journal and the jobs that it adds up to
//
// One step for each version, each from the one before. They run in the transaction that takes the
// campaign over: a crash leaves the old version.
#include "migrations.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "database.hpp"
#include "jobs.hpp"
#include "schema.hpp"

namespace coromd::campaign {

namespace {

struct OldEvent {
    std::string key;
    JobEvent event;
};

std::vector<OldEvent> events_of_version_1(Connection& database) {
    std::vector<OldEvent> events;
    SQLite::Statement row(database,
                          "SELECT key, number, token, submission, state, began_ms, ended_ms, result "
                          "FROM old_attempts ORDER BY key, number");
    while (row.executeStep()) {
        const std::string key = text_of(database, row.getColumn(0));
        const auto number = static_cast<int>(integer_of(database, row.getColumn(1), 1, 1 << 30));
        const std::int64_t began = integer_of(database, row.getColumn(5));
        const auto add = [&](JobEvent::Kind kind, queue::JobState end, std::string data, std::int64_t at) {
            events.push_back({key, {kind, number, end, std::move(data), 0, at}});
        };
        add(JobEvent::Kind::begun, {}, text_of(database, row.getColumn(2)), began);
        if (const std::string words = text_of(database, row.getColumn(3)); !words.empty())
            add(JobEvent::Kind::submitted, {}, words, began);
        if (row.isColumnNull(7)) continue;
        add(JobEvent::Kind::ended, queue::job_state(text_of(database, row.getColumn(4))),
            text_of(database, row.getColumn(7)), integer_of(database, row.getColumn(6)));
    }
    // Stable: what happened to a job stays in its order. So does a clock that went backwards.
    std::map<std::string, std::int64_t> latest;
    for (OldEvent& old : events) {
        std::int64_t& time = latest[old.key];
        time = std::max(time, old.event.at_ms);
        old.event.at_ms = time;
    }
    std::ranges::stable_sort(events, {}, [](const OldEvent& old) { return old.event.at_ms; });
    return events;
}

void from_1_to_2(Connection& database, const std::string& place) {
    database.exec("DROP VIEW jobs");
    for (const char* table : {"campaign", "inputs", "specifications", "attempts"})
        database.exec(fmt::format("ALTER TABLE {0} RENAME TO old_{0}", table));
    database.exec(kSchema);
    prepare(database, "INSERT INTO campaign SELECT id, seed, epoch, created_ms, ?, 'spool' FROM old_campaign",
            place)
        .exec();
    // The inputs had other names then: what the next start says is taken as what there was. The jobs'
    // specifications still tell of a change.
    for (OldEvent& old : events_of_version_1(database)) {
        StoredJob job = read_job(database, old.key).value_or(StoredJob{});
        if (job.id == 0) {
            job.record.key = old.key;
            auto row =
                prepare(database, "SELECT specification FROM old_specifications WHERE key = ?", old.key);
            if (!row.executeStep()) fail(ErrorKind::input, "the job '{}' has no specification", old.key);
            job.record.specification = text_of(database, row.getColumn(0));
        }
        append_event(database, std::move(job), std::move(old.event));
    }
    for (const char* table : {"campaign", "inputs", "attempts", "specifications"})
        database.exec(fmt::format("DROP TABLE old_{}", table));
}

}  // namespace

void migrate(Connection& database, const std::string& place) {
    const int version = database.execAndGet("PRAGMA user_version").getInt();
    try {
        if (version < 2) from_1_to_2(database, place);
    } catch (const Error& error) {
        fail_damaged(database.file(), error.message());
    }
    database.exec(fmt::format("PRAGMA user_version = {}", kSchemaVersion));
}

}  // namespace coromd::campaign
