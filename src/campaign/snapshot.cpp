// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Reading what another program may be writing: one transaction, so that all answers are of one moment. The
// file is not opened read-only: where a program was killed while it wrote, the next reader rolls back what
// is half-written. Where this user may not write, SQLite opens it for reading all the same.
#include "coromd/campaign/snapshot.hpp"

#include <algorithm>
#include <utility>

#include <SQLiteCpp/Backup.h>
#include <sqlite3.h>
#include <nlohmann/json.hpp>

#include "coromd/core/error.hpp"
#include "database.hpp"
#include "jobs.hpp"
#include "lease.hpp"
#include "products.hpp"

namespace coromd::campaign {

namespace fs = std::filesystem;
using nlohmann::json;
using queue::JobResult;
using queue::JobState;

struct Snapshot::Impl {
    Impl(const fs::path& place, SnapshotKind kind)
        : directory(place),
          database(kind == SnapshotKind::copy ? copy(open(place)) : Connection(open(place))) {
        translated(database.file(), [&] { database.exec("PRAGMA query_only = ON; BEGIN"); });
    }

    static SQLite::Database open(const fs::path& place) {
        if (!has_database(place))
            fail(ErrorKind::usage, "'{}' is not a campaign directory: it has no {}", place.string(),
                 kDatabaseName);
        SQLite::Database database = open_database(place);
        const int version = database.execAndGet("PRAGMA user_version").getInt();
        if (version < kSchemaVersion)
            fail(ErrorKind::usage,
                 "the campaign in '{}' was written by an earlier version of coromd: it is brought up to date "
                 "when it is run next",
                 place.string());
        return database;
    }

    /// A private copy in a temporary file that has no name. It is read with one look at the original.
    static Connection copy(SQLite::Database original) {
        const std::string& file = original.getFilename();
        return translated(file, [&] {
            SQLite::Database copied("", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
            if (SQLite::Backup(copied, original).executeStep(-1) != SQLITE_DONE)
                throw SQLite::Exception("it is locked", SQLITE_BUSY);
            return Connection(std::move(copied), file);
        });
    }

    /// Calls `row` with each row of a query.
    template <typename Fn, typename... Args>
    void each(const std::string& sql, Fn&& row, const Args&... args) {
        translated(database.file(), [&] {
            SQLite::Statement statement = prepare(database, sql.c_str(), args...);
            while (statement.executeStep()) row(statement);
        });
    }
    std::string text(SQLite::Statement& row, int column) const {
        return text_of(database, row.getColumn(column));
    }
    std::int64_t integer(SQLite::Statement& row, int column) const {
        return integer_of(database, row.getColumn(column), std::numeric_limits<std::int64_t>::min());
    }
    std::optional<std::int64_t> optional_integer(SQLite::Statement& row, int column) const {
        if (row.isColumnNull(column)) return std::nullopt;
        return integer(row, column);
    }
    std::vector<JobRow> jobs(const std::string& rest, const std::string& state = {}) {
        std::vector<JobRow> rows;
        const auto add = [&](SQLite::Statement& row) {
            const JobRecord job = job_of(database, row).record;
            const std::optional<JobResult> result = read_result(database, job);
            rows.push_back({job.key, job.state, job.attempts, job.submission, result ? result->reason : "",
                            job.began_ms, job.ended_ms});
        };
        const std::string sql = fmt::format("SELECT {} FROM jobs {}", kJobColumns, rest);
        if (state.empty())
            each(sql, add);
        else
            each(sql, add, state);
        return rows;
    }
    Product product_in(SQLite::Statement& row) const {
        try {
            return product_from_json(text(row, 0), text(row, 1), text(row, 2));
        } catch (const Error& error) {
            fail_damaged(database.file(), error.message());
        }
    }

    fs::path directory;
    Connection database;
};

namespace {

fs::path full_path(const fs::path& directory) {
    std::error_code error;
    fs::path place = fs::absolute(directory, error).lexically_normal();
    if (error) fail(ErrorKind::system, "'{}': {}", directory.string(), error.message());
    return place;
}

std::string line_of(const json& object) {
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

template <typename T>
json or_null(const std::optional<T>& value) {
    return value ? json(*value) : json(nullptr);
}

}  // namespace

Snapshot::Snapshot(const fs::path& directory, SnapshotKind kind)
    : impl_(std::make_unique<Impl>(full_path(directory), kind)) {}
Snapshot::~Snapshot() = default;
Snapshot::Snapshot(Snapshot&&) noexcept = default;
Snapshot& Snapshot::operator=(Snapshot&&) noexcept = default;

const fs::path& Snapshot::directory() const noexcept {
    return impl_->directory;
}

std::uint64_t Snapshot::seed() const {
    std::uint64_t seed = 0;
    impl_->each("SELECT seed FROM campaign", [&](auto& row) { seed = std::stoull(impl_->text(row, 0)); });
    return seed;
}

std::int64_t Snapshot::created_ms() const {
    std::int64_t at = 0;
    impl_->each("SELECT created_ms FROM campaign", [&](auto& row) { at = impl_->integer(row, 0); });
    return at;
}

std::vector<JobRow> Snapshot::jobs() const {
    return impl_->jobs("ORDER BY key");
}

std::map<JobState, std::int64_t> Snapshot::job_counts() const {
    std::map<JobState, std::int64_t> counts;
    impl_->each("SELECT state, count(*) FROM jobs GROUP BY state",
                [&](auto& row) { counts[queue::job_state(impl_->text(row, 0))] = impl_->integer(row, 1); });
    return counts;
}

std::vector<JobRow> Snapshot::jobs_in(JobState state, std::int64_t limit) const {
    return impl_->jobs(fmt::format("WHERE state = ? ORDER BY key LIMIT {}", limit),
                       std::string(to_string(state)));
}

std::optional<std::string> Snapshot::specification(const std::string& key) const {
    std::optional<std::string> found;
    impl_->each(
        "SELECT specification FROM jobs WHERE key = ?", [&](auto& row) { found = impl_->text(row, 0); }, key);
    return found;
}

std::optional<JobResult> Snapshot::result(const std::string& key) const {
    return translated(impl_->database.file(), [&]() -> std::optional<JobResult> {
        const std::optional<StoredJob> job = read_job(impl_->database, key);
        if (!job || job->record.state != JobState::finished) return std::nullopt;
        return read_result(impl_->database, job->record);
    });
}

std::vector<AttemptRow> Snapshot::attempts() const {
    std::vector<AttemptRow> attempts;
    std::map<std::pair<std::int64_t, int>, std::size_t> known;
    impl_->each(
        "SELECT events.kind, events.job, events.attempt, events.at_ms, events.data, jobs.key "
        "FROM events JOIN jobs ON jobs.id = events.job ORDER BY seq",
        [&](auto& row) {
            JobEvent event;
            event.set_kind(impl_->text(row, 0));
            const std::pair id(impl_->integer(row, 1), static_cast<int>(impl_->integer(row, 2)));
            if (event.kind == JobEvent::Kind::begun) {
                known[id] = attempts.size();
                attempts.push_back({impl_->text(row, 5), id.second, impl_->integer(row, 3), {}, {}});
                return;
            }
            const auto at = known.find(id);
            if (at == known.end()) return;
            AttemptRow& attempt = attempts[at->second];
            if (event.kind == JobEvent::Kind::submitted) attempt.submission = impl_->text(row, 4);
            if (event.kind == JobEvent::Kind::ended)
                attempt.result = JobResult::from_json(impl_->text(row, 4));
        });
    return attempts;
}

std::vector<WalkerRow> Snapshot::walkers() const {
    std::vector<WalkerRow> walkers;
    impl_->each(
        "SELECT name, phase, time_ps, ns_per_day, part, changed_ms FROM walkers ORDER BY name",
        [&](auto& row) {
            walkers.push_back({{impl_->text(row, 0), impl_->text(row, 1), row.getColumn(2).getDouble(),
                                row.getColumn(3).getDouble(), static_cast<int>(impl_->integer(row, 4))},
                               impl_->integer(row, 5)});
        });
    return walkers;
}

std::vector<SessionRow> Snapshot::sessions() const {
    std::vector<SessionRow> sessions;
    impl_->each("SELECT epoch, host, pid, version, began_ms, ended_ms FROM sessions ORDER BY epoch",
                [&](auto& row) {
                    sessions.push_back({impl_->integer(row, 0), impl_->text(row, 1), impl_->integer(row, 2),
                                        impl_->text(row, 3), impl_->integer(row, 4),
                                        impl_->optional_integer(row, 5)});
                });
    return sessions;
}

std::vector<InputRow> Snapshot::inputs() const {
    std::vector<InputRow> inputs;
    impl_->each("SELECT name, version, content, recorded_ms FROM inputs ORDER BY name, version",
                [&](auto& row) {
                    inputs.push_back({impl_->text(row, 0), static_cast<int>(impl_->integer(row, 1)),
                                      impl_->text(row, 2), impl_->integer(row, 3)});
                });
    return inputs;
}

std::vector<NoteRow> Snapshot::notes() const {
    std::vector<NoteRow> notes;
    impl_->each("SELECT at_ms, subject, text FROM notes ORDER BY seq", [&](auto& row) {
        notes.push_back({impl_->integer(row, 0), impl_->text(row, 1), impl_->text(row, 2)});
    });
    return notes;
}

std::map<std::string, std::string> Snapshot::memos() const {
    std::map<std::string, std::string> memos;
    impl_->each("SELECT key, value FROM memos", [&](auto& row) {
        const json value = json::from_cbor(row.getColumn(1).getString(), true, false);
        if (value.is_discarded())
            fail_damaged(impl_->database.file(),
                         fmt::format("the memo '{}' makes no sense", impl_->text(row, 0)));
        memos[impl_->text(row, 0)] = line_of(value);
    });
    return memos;
}

std::vector<Product> Snapshot::products() const {
    std::vector<Product> products;
    impl_->each("SELECT key, kind, document FROM products ORDER BY key",
                [&](auto& row) { products.push_back(impl_->product_in(row)); });
    return products;
}

std::optional<Product> Snapshot::product(const std::string& key) const {
    std::optional<Product> found;
    impl_->each(
        "SELECT key, kind, document FROM products WHERE key = ?",
        [&](auto& row) { found = impl_->product_in(row); }, key);
    return found;
}

std::optional<Product> Snapshot::product_of(const fs::path& file) const {
    std::optional<Product> found;
    impl_->each(
        "SELECT key, kind, document FROM products JOIN product_files ON product = key WHERE path = ?",
        [&](auto& row) { found = impl_->product_in(row); }, file.string());
    return found;
}

void Snapshot::export_to(const std::function<void(const std::string& line)>& line) const {
    line(line_of({{"record", "campaign"}, {"seed", seed()}, {"created_ms", created_ms()}}));
    for (const SessionRow& s : sessions())
        line(line_of({{"record", "session"},
                      {"epoch", s.epoch},
                      {"host", s.host},
                      {"pid", s.pid},
                      {"version", s.version},
                      {"began_ms", s.began_ms},
                      {"ended_ms", or_null(s.ended_ms)}}));
    for (const InputRow& i : inputs())
        line(line_of({{"record", "input"},
                      {"name", i.name},
                      {"version", i.version},
                      {"content", i.content},
                      {"recorded_ms", i.recorded_ms}}));
    impl_->each("SELECT key, specification FROM jobs ORDER BY id", [&](auto& row) {
        line(line_of({{"record", "job"},
                      {"key", impl_->text(row, 0)},
                      {"specification", json::parse(impl_->text(row, 1), nullptr, false)}}));
    });
    impl_->each(
        "SELECT seq, events.at_ms, jobs.key, attempt, kind, data FROM events "
        "JOIN jobs ON jobs.id = events.job ORDER BY seq",
        [&](auto& row) {
            JobEvent event;
            event.set_kind(impl_->text(row, 4));
            const std::string data = impl_->text(row, 5);
            const bool is_json = event.kind == JobEvent::Kind::ended || event.kind == JobEvent::Kind::changed;
            line(line_of({{"record", "event"},
                          {"seq", impl_->integer(row, 0)},
                          {"at_ms", impl_->integer(row, 1)},
                          {"job", impl_->text(row, 2)},
                          {"attempt", impl_->integer(row, 3)},
                          {"kind", impl_->text(row, 4)},
                          {"data", is_json ? json::parse(data, nullptr, false) : json(data)}}));
        });
    for (const auto& [key, value] : memos())
        line(line_of({{"record", "memo"}, {"key", key}, {"value", json::parse(value)}}));
    for (const Product& p : products()) {
        json object = json::parse(product_to_json(p, {}));
        object["record"] = "product";
        object["key"] = p.key;
        object["kind"] = p.kind;
        line(line_of(object));
    }
    for (const WalkerRow& w : walkers())
        line(line_of({{"record", "walker"},
                      {"name", w.progress.subject},
                      {"phase", w.progress.phase},
                      {"time_ps", w.progress.time_ps},
                      {"ns_per_day", w.progress.ns_per_day},
                      {"part", w.progress.part},
                      {"changed_ms", w.changed_ms}}));
    for (const NoteRow& n : notes())
        line(line_of({{"record", "note"}, {"at_ms", n.at_ms}, {"subject", n.subject}, {"text", n.text}}));
}

std::vector<std::string> Snapshot::problems() const {
    std::vector<std::string> problems;
    impl_->each("PRAGMA integrity_check", [&](auto& row) {
        if (const std::string verdict = impl_->text(row, 0); verdict != "ok") problems.push_back(verdict);
    });
    // The journal must add up to what the table of jobs says.
    std::map<std::int64_t, StoredJob> stored;
    impl_->each(fmt::format("SELECT {} FROM jobs", kJobColumns), [&](auto& row) {
        StoredJob job = job_of(impl_->database, row);
        stored.emplace(job.id, std::move(job));
    });
    std::map<std::int64_t, JobRecord> folded;
    impl_->each("SELECT seq, at_ms, job, attempt, kind, data FROM events ORDER BY seq", [&](auto& row) {
        const std::int64_t id = impl_->integer(row, 2);
        const auto job = stored.find(id);
        if (job == stored.end()) {
            problems.push_back(fmt::format("event {} is of a job that is not there", impl_->integer(row, 0)));
            return;
        }
        JobRecord& record = folded[id];
        JobEvent event;
        try {
            event.set_kind(impl_->text(row, 4));
            event.seq = impl_->integer(row, 0);
            event.at_ms = impl_->integer(row, 1);
            event.attempt = static_cast<int>(impl_->integer(row, 3));
            event.data = impl_->text(row, 5);
            record.key = job->second.record.key;
            if (event.kind == JobEvent::Kind::ended) JobResult::from_json(event.data);
            // The first specification is in no event; a change leaves the last one in both.
            if (event.kind != JobEvent::Kind::changed && record.specification.empty())
                record.specification = job->second.record.specification;
            record = fold(std::move(record), event);
        } catch (const Error& error) {
            problems.push_back(fmt::format("event {}: {}", impl_->integer(row, 0), error.message()));
        }
    });
    for (const auto& [id, job] : stored) {
        const auto at = folded.find(id);
        if (at == folded.end() || !(at->second == job.record))
            problems.push_back(fmt::format("the job '{}' is not what its events add up to", job.record.key));
    }
    impl_->each("SELECT path FROM product_files LEFT JOIN products ON product = key WHERE key IS NULL",
                [&](auto& row) {
                    problems.push_back(fmt::format("what made '{}' is not recorded", impl_->text(row, 0)));
                });
    return problems;
}

std::vector<JobRow> read_jobs(const fs::path& directory) {
    return Snapshot(directory).jobs();
}

std::pair<std::uint64_t, std::uint64_t> vacuum(const fs::path& directory) {
    Snapshot{directory};  // it must be one
    if (const auto owner = owner_of(directory); owner && owner->may_run())
        fail(ErrorKind::conflict, "the campaign in '{}' is in use by process {} on host {}: wait for its end",
             directory.string(), owner->pid, owner->host);
    const fs::path file = directory / kDatabaseName;
    const std::uint64_t before = fs::file_size(file);
    SQLite::Database database = open_database(directory);
    translated(file, [&] { database.exec("VACUUM"); });
    return {before, fs::file_size(file)};
}

}  // namespace coromd::campaign
