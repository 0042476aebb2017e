// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A cache that may be lost: no journal file and no sync, so that a crash in the middle of a commit
// leaves damage. That is found and removed in one of three ways:
//
//   the file     opened, and of our version, or else removed and begun anew
//   SQLite       an answer that says "damaged" removes the file, once in the life of the object
//   a row        carries a hash of its key and values: one that does not fit counts as damage
//
// A file whose time stamps are younger than kSettled may yet change without changing them, so that
// its fingerprint is not remembered.
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <SQLiteCpp/VariadicBind.h>
#include <fmt/format.h>

#include "coromd/core/clock.hpp"
#include "coromd/core/error.hpp"
#include "coromd/functions/value_cache.hpp"

namespace coromd::functions {

namespace fs = std::filesystem;

namespace {

// Raised where a function's values change without its identity doing so.
constexpr int kVersion = 1;
constexpr int kApplicationId = 0x636F5643;  // "coVC"
constexpr int kBusyTimeoutMs = 5'000;
constexpr std::int64_t kSettledNs = 2'000'000'000;

constexpr const char* kSchema =
    "CREATE TABLE content (content TEXT NOT NULL, function TEXT NOT NULL, n_columns INTEGER NOT NULL,"
    "                      hash INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (content, function));"
    "CREATE TABLE files (device INTEGER NOT NULL, inode INTEGER NOT NULL, state TEXT NOT NULL,"
    "                    high INTEGER NOT NULL, low INTEGER NOT NULL, PRIMARY KEY (device, inode));";

/// A row that contradicts itself.
struct Damage {};

std::int64_t row_hash(const std::string& content, const std::string& function, std::string_view bytes) {
    return static_cast<std::int64_t>(hash64(function, hash64(content, hash64(bytes))));
}

std::string_view bytes_of(const std::vector<double>& data) {
    return {reinterpret_cast<const char*>(data.data()), data.size() * sizeof(double)};
}

Values values_of(std::string_view bytes, std::int64_t n_columns) {
    const std::size_t n = bytes.size() / sizeof(double);
    if (n_columns < 1 || bytes.size() % sizeof(double) != 0 || n % static_cast<std::size_t>(n_columns) != 0)
        throw Damage();
    std::vector<double> data(n);
    if (n > 0) std::memcpy(data.data(), bytes.data(), bytes.size());
    return {static_cast<std::int64_t>(n) / n_columns, n_columns, std::move(data)};
}

std::int64_t nanoseconds(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

class SqliteValueCache final : public ValueCache {
public:
    explicit SqliteValueCache(fs::path file) : file_(std::move(file)) {}

    std::optional<Values> find(const std::string& content, const std::string& function) override {
        std::optional<Values> found;
        use([&](SQLite::Database& database) {
            SQLite::Statement row(
                database, "SELECT n_columns, hash, data FROM content WHERE content = ? AND function = ?");
            SQLite::bind(row, content, function);
            if (!row.executeStep()) return;
            const SQLite::Column data = row.getColumn(2);
            const std::string_view bytes(static_cast<const char*>(data.getBlob()),
                                         static_cast<std::size_t>(data.getBytes()));
            if (row.getColumn(1).getInt64() != row_hash(content, function, bytes)) throw Damage();
            found = values_of(bytes, row.getColumn(0).getInt64());
        });
        return found;
    }

    void store(const std::string& content, const std::string& function, const Values& values) override {
        const std::string_view bytes = bytes_of(values.data());
        use([&](SQLite::Database& database) {
            SQLite::Statement row(database, "INSERT OR REPLACE INTO content VALUES (?, ?, ?, ?, ?)");
            SQLite::bind(row, content, function, values.n_columns(), row_hash(content, function, bytes));
            // No bytes are a blob, too; a null pointer is none.
            row.bind(5, bytes.empty() ? "" : bytes.data(), static_cast<int>(bytes.size()));
            row.exec();
        });
    }

    Fingerprint fingerprint(const fs::path& file) override {
        struct stat status {};
        if (::stat(file.c_str(), &status) != 0)
            fail_errno(errno, fmt::format("cannot stat '{}'", file.string()));
        const auto device = static_cast<std::int64_t>(status.st_dev);
        const auto inode = static_cast<std::int64_t>(status.st_ino);
        const std::string state =
            fmt::format("{} {} {}", status.st_size, nanoseconds(status.st_mtim), nanoseconds(status.st_ctim));
        std::optional<Fingerprint> known;
        use([&](SQLite::Database& database) {
            SQLite::Statement row(database,
                                  "SELECT high, low FROM files WHERE device = ? AND inode = ? AND state = ?");
            SQLite::bind(row, device, inode, state);
            if (row.executeStep())
                known = {static_cast<std::uint64_t>(row.getColumn(0).getInt64()),
                         static_cast<std::uint64_t>(row.getColumn(1).getInt64())};
        });
        if (known) return *known;
        const Fingerprint print = fingerprint_file(file);
        const std::int64_t changed = std::max(nanoseconds(status.st_mtim), nanoseconds(status.st_ctim));
        if (now_ms() * 1'000'000 - changed < kSettledNs) return print;
        use([&](SQLite::Database& database) {
            SQLite::Statement row(database, "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)");
            SQLite::bind(row, device, inode, state, static_cast<std::int64_t>(print.high),
                         static_cast<std::int64_t>(print.low));
            row.exec();
        });
        return print;
    }

private:
    /// Calls fn(database), where there is one. What goes wrong costs the cache, nobody else.
    template <typename Fn>
    void use(Fn&& fn) {
        const std::lock_guard lock(mutex_);
        // Twice: the first may find the damage that the second one does without.
        for (int i = 0; i < 2 && !given_up_; ++i) {
            try {
                if (!database_) open();
                fn(*database_);
                return;
            } catch (const Damage&) {
                begin_anew();
            } catch (const SQLite::Exception& error) {
                switch (error.getErrorCode()) {
                    case SQLITE_BUSY:
                    case SQLITE_LOCKED:
                        return;
                    case SQLITE_CORRUPT:
                    case SQLITE_NOTADB:
                    case SQLITE_ERROR:
                    case SQLITE_CONSTRAINT:
                        begin_anew();
                        break;
                    default:
                        given_up_ = true;
                }
            }
        }
    }

    void open() {
        database_.emplace(file_.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs);
        SQLite::Database& database = *database_;
        database.exec(
            "PRAGMA page_size = 65536; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;"
            "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
        SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
        if (database.execAndGet("SELECT count(*) FROM sqlite_master").getInt() == 0) {
            database.exec(kSchema);
            database.exec(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId,
                                      kVersion));
        } else if (database.execAndGet("PRAGMA application_id").getInt() != kApplicationId ||
                   database.execAndGet("PRAGMA user_version").getInt() != kVersion) {
            throw Damage();
        }
        transaction.commit();
    }

    void begin_anew() {
        database_.reset();
        std::error_code error;
        fs::remove(file_, error);
        if (error || std::exchange(begun_anew_, true)) given_up_ = true;
    }

    fs::path file_;
    std::mutex mutex_;
    std::optional<SQLite::Database> database_;
    bool begun_anew_ = false;
    bool given_up_ = false;
};

}  // namespace

std::string content_key(ValueCache& cache, const trajectory::Trajectory& trajectory) {
    std::vector<Fingerprint> prints = trajectory.options().fingerprints;
    if (prints.empty())
        for (const fs::path& file : trajectory.files()) prints.push_back(cache.fingerprint(file));
    std::string text = trajectory.options().keep_boundary_duplicates ? "all frames\n" : "frames once\n";
    if (!trajectory.structure().empty())
        text += "atoms " + cache.fingerprint(trajectory.structure()).hex() + "\n";
    for (const Fingerprint& print : prints) text += print.hex() + "\n";
    return coromd::fingerprint(text).hex();
}

std::unique_ptr<ValueCache> sqlite_value_cache(fs::path file) {
    return std::make_unique<SqliteValueCache>(std::move(file));
}

}  // namespace coromd::functions
