// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <unordered_map>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>
#include <SQLiteCpp/VariadicBind.h>

namespace coromd::campaign {

inline constexpr char kDatabaseName[] = "campaign.sqlite";
/// PRAGMA user_version. A change of schema.sql raises it and brings a migration.
inline constexpr int kSchemaVersion = 2;
/// PRAGMA application_id: "coMD".
inline constexpr int kApplicationId = 0x636F4D44;

/// Writes a complete database without jobs, with epoch 0. False where there is one already, which
/// is left alone. Throws Error(system).
bool create_database(const std::filesystem::path& directory, std::uint64_t seed);

/// Whether anything of the database's name is there.
bool has_database(const std::filesystem::path& directory);

/// A database with the statements that were prepared for it, to be used again.
class Connection final : public SQLite::Database {
public:
    explicit Connection(SQLite::Database&& database)
        : SQLite::Database(std::move(database)), file_(getFilename()) {}
    /// A copy of the database `of`, for which its errors speak.
    Connection(SQLite::Database&& copy, std::string of)
        : SQLite::Database(std::move(copy)), file_(std::move(of)) {}

    /// What the user knows the database by.
    const std::string& file() const noexcept { return file_; }

    /// A statement that is reset when it goes. One of each text is in use at a time.
    class Prepared {
    public:
        explicit Prepared(SQLite::Statement& statement) noexcept : statement_(&statement) {}
        Prepared(const Prepared&) = delete;
        Prepared& operator=(const Prepared&) = delete;
        ~Prepared() { statement_->tryReset(); }

        SQLite::Statement* operator->() const noexcept { return statement_; }
        SQLite::Statement& operator*() const noexcept { return *statement_; }

    private:
        SQLite::Statement* statement_;
    };

    /// `sql`: a string literal, or one that lives as long. Strings among the parameters are copied.
    template <typename... Args>
    Prepared prepared(const char* sql, const Args&... args) {
        SQLite::Statement& statement = statements_.try_emplace(sql, *this, sql).first->second;
        if constexpr (sizeof...(Args) > 0) SQLite::bind(statement, args...);
        return Prepared(statement);
    }

private:
    std::string file_;
    std::unordered_map<const void*, SQLite::Statement> statements_;
};

/// Opens the database of the campaign in `directory`, which must be there, and makes sure that it
/// is one of ours, of a version that we know. Throws Error(input) where it is not, Error(system).
SQLite::Database open_database(const std::filesystem::path& directory);

/// Throws Error(input) that names the file and says what can be done.
[[noreturn]] void fail_damaged(const std::string& file, const std::string& detail);

/// Throws what SQLite said of `file` as an Error.
[[noreturn]] void fail_sqlite(const std::string& file, const SQLite::Exception& error);

/// Calls fn() and lets no SQLite::Exception out.
template <typename Fn>
decltype(auto) translated(const std::filesystem::path& file, Fn&& fn) {
    try {
        return std::forward<Fn>(fn)();
    } catch (const SQLite::Exception& error) {
        fail_sqlite(file.string(), error);
    }
}

/// A query with its parameters bound. Its strings are copied.
template <typename... Args>
SQLite::Statement prepare(SQLite::Database& database, const char* sql, const Args&... args) {
    SQLite::Statement statement(database, sql);
    SQLite::bind(statement, args...);
    return statement;
}

/// A column of the current row as text. Throws Error(input) where it holds something else.
std::string text_of(const Connection& database, const SQLite::Column& column);

/// A column of the current row as a number that must lie in a range. Throws Error(input).
std::int64_t integer_of(const Connection& database, const SQLite::Column& column, std::int64_t lowest = 0,
                        std::int64_t highest = std::numeric_limits<std::int64_t>::max());

/// 128 random bits as 32 hexadecimal digits, from the operating system.
std::string random_token();

}  // namespace coromd::campaign
