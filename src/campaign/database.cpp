// SPDX-License-Identifier: LGPL-3.0-or-later
//
// How the file is used:
//
//   creation     built under a temporary name, synced, and linked to its own name, which fails
//                where the name is taken: a database that is there is complete, and an empty or
//                short one is damaged, never taken for new
//   journal      PERSIST with synchronous FULL: a commit ends with the sync of the journal's
//                zeroed header, so that it is durable without a sync of the directory (DELETE
//                needs one, and FULL leaves it out). Not WAL: its shared memory does not work on
//                network file systems
//   memory map   none: a read error would be a SIGBUS, not an error
//   content      what the file holds is not trusted: a column of the wrong type is Error(input)
#include "database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "coromd/core/clock.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/fault.hpp"
#include "coromd/core/file.hpp"
#include "schema.hpp"

namespace coromd::campaign {

namespace fs = std::filesystem;

namespace {

// Longer than any commit or read of another program takes; then somebody holds the file open in a
// transaction.
constexpr int kBusyTimeoutMs = 60'000;

SQLite::Database connect(const fs::path& file, int flags) {
    SQLite::Database database(file.string(), SQLite::OPEN_READWRITE | flags, kBusyTimeoutMs);
    database.exec(
        "PRAGMA synchronous = FULL; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = OFF");
    return database;
}

void write_new_database(const fs::path& file, std::uint64_t seed) {
    SQLite::Database database = connect(file, SQLite::OPEN_CREATE);
    // Nobody knows this name yet: a file cut short by a crash is simply left.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN");
    database.exec(kSchema);
    database.exec(
        fmt::format("PRAGMA user_version = {}; PRAGMA application_id = {}", kSchemaVersion, kApplicationId));
    // Where it lies is known when it has its name.
    prepare(database, "INSERT INTO campaign VALUES (1, ?, 0, ?, '', 'spool')", std::to_string(seed), now_ms())
        .exec();
    database.exec("COMMIT");
}

void check_identity(SQLite::Database& database, const std::string& file) {
    if (database.execAndGet("PRAGMA page_count").getInt() == 0) fail_damaged(file, "it is empty");
    if (database.execAndGet("PRAGMA application_id").getInt() != kApplicationId)
        fail(ErrorKind::input, "'{}' is not the database of a campaign", file);
    const int version = database.execAndGet("PRAGMA user_version").getInt();
    if (version > kSchemaVersion)
        fail(ErrorKind::input,
             "'{}' was written by a later version of coromd (schema {}; this program knows {}): use that "
             "version",
             file, version, kSchemaVersion);
    if (version < 1) fail_damaged(file, fmt::format("it has the impossible schema version {}", version));
}

}  // namespace

bool create_database(const fs::path& directory, std::uint64_t seed) {
    const fs::path temporary = directory / fmt::format(".{}.{}.tmp", kDatabaseName, random_token());
    try {
        translated(temporary, [&] { write_new_database(temporary, seed); });
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
    const fs::path file = directory / kDatabaseName;
    fault_point("database.written");
    const int error = ::link(temporary.c_str(), file.c_str()) == 0 ? 0 : errno;
    fault_point("database.linked");
    ::unlink(temporary.c_str());
    if (error != 0 && error != EEXIST) fail_errno(error, fmt::format("cannot create '{}'", file.string()));
    sync_path(directory);
    fault_point("database.created");
    return error == 0;
}

bool has_database(const fs::path& directory) {
    std::error_code ignored;
    return fs::symlink_status(directory / kDatabaseName, ignored).type() != fs::file_type::not_found;
}

SQLite::Database open_database(const fs::path& directory) {
    const fs::path file = directory / kDatabaseName;
    return translated(file, [&] {
        SQLite::Database database = connect(file, 0);
        check_identity(database, file.string());
        return database;
    });
}

void fail_damaged(const std::string& file, const std::string& detail) {
    fail(ErrorKind::input,
         "'{}' is damaged: {}\n"
         "Put a copy from a backup in its place. Without one, this saves what can be read:\n"
         "  sqlite3 campaign.sqlite .recover | sqlite3 saved.sqlite",
         file, detail);
}

void fail_sqlite(const std::string& file, const SQLite::Exception& error) {
    switch (error.getErrorCode()) {
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
        case SQLITE_CONSTRAINT:
        case SQLITE_ERROR:  // no such table or column: our statements are fixed and tested
        case -1:            // SQLiteCpp's own: a row that must be there is not
            fail_damaged(file, error.what());
        case SQLITE_FULL:
            fail(ErrorKind::system, "cannot write '{}': the disk is full", file);
        case SQLITE_BUSY:
            fail(ErrorKind::system, "'{}' is held by another program for more than {} s", file,
                 kBusyTimeoutMs / 1000);
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_CANTOPEN:
            fail(ErrorKind::system, "cannot open '{}' for writing: {}", file, error.what());
        default:
            fail(ErrorKind::system, "'{}': {} ({})", file, error.what(), error.getExtendedErrorCode());
    }
}

std::string text_of(const Connection& database, const SQLite::Column& column) {
    if (!column.isText()) fail_damaged(database.file(), fmt::format("'{}' holds no text", column.getName()));
    return column.getString();
}

std::int64_t integer_of(const Connection& database, const SQLite::Column& column, std::int64_t lowest,
                        std::int64_t highest) {
    const std::int64_t value = column.getInt64();
    if (!column.isInteger() || value < lowest || value > highest)
        fail_damaged(database.file(),
                     fmt::format("'{}' holds no number from {} to {}", column.getName(), lowest, highest));
    return value;
}

std::string random_token() {
    std::uint64_t bits[2];
    if (::getentropy(bits, sizeof bits) != 0) fail_errno(errno, "cannot get random bits");
    return fmt::format("{:016x}{:016x}", bits[0], bits[1]);
}

}  // namespace coromd::campaign
