// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "coromd/core/error.hpp"

namespace coromd {

/// Where a setting was written. Line and column count from 1; 0 where there is none.
struct Origin {
    std::string file;  ///< path as shown to the user, or "default"
    int line = 0;
    int column = 0;

    /// "campaign.toml:12:3"
    std::string text() const;
};

/// One value of a settings file, or a table of them, with its origin. Immutable once read.
class Setting {
public:
    using Table = std::map<std::string, Setting, std::less<>>;
    using Array = std::vector<Setting>;
    using Value = std::variant<bool, std::int64_t, double, std::string, Array, Table>;

    /// An empty table without origin.
    Setting();
    Setting(Value value, Origin origin);

    const Value& value() const noexcept { return value_; }
    const Origin& origin() const noexcept { return origin_; }
    bool is_table() const noexcept { return std::holds_alternative<Table>(value_); }
    /// Throws Error(usage) where this is no table.
    const Table& table() const;
    /// "a string", "an integer", ... for messages.
    std::string_view type_name() const noexcept;

    /// Puts `higher` over this: tables are merged key by key, anything else is replaced. A merged
    /// table gets the origin of `higher`, if that has one.
    void overlay(const Setting& higher);

private:
    Value value_;
    Origin origin_;
};

/// Reads a table with checks: each key is asked for once with the type it must have, and
/// finish() refuses what nobody asked for. Every error names file, line and what was expected.
class SettingsReader {
public:
    /// `name` is the table's full name in messages ("queues.local"); empty for the top.
    /// `table` must outlive the reader.
    SettingsReader(const Setting& table, std::string name);

    /// Whether the key is there. Does not count as asking for it.
    bool has(std::string_view key) const;

    /// Each throws Error(usage) where the key has another type, or is missing and there is no
    /// default.
    std::string string(std::string_view key);
    std::string string(std::string_view key, std::string_view fallback);
    std::int64_t integer(std::string_view key);
    std::int64_t integer(std::string_view key, std::int64_t fallback);
    /// An integer of at least `minimum`.
    std::int64_t integer_from(std::string_view key, std::int64_t minimum,
                              std::optional<std::int64_t> fallback = {});
    /// Finite; an integer will do.
    double number(std::string_view key);
    double number(std::string_view key, double fallback);
    bool boolean(std::string_view key, bool fallback);
    /// An array of strings.
    std::vector<std::string> strings(std::string_view key, std::vector<std::string> fallback = {});
    /// "90s", "10 min", "1.5h", "2d", "250ms", or a plain number of seconds; from 1 ms to
    /// a century.
    std::chrono::milliseconds duration(std::string_view key,
                                       std::optional<std::chrono::milliseconds> fallback = {});
    /// A path; a relative one is taken from the folder of the file that it was written
    /// in. Lexically normal, never empty.
    std::filesystem::path path(std::string_view key);
    /// The same, and it must name an existing regular file.
    std::filesystem::path existing_file(std::string_view key);
    /// A sub-table; an empty one where it is missing.
    SettingsReader table(std::string_view key);
    /// The setting itself, as it was written; throws where it is missing.
    const Setting& raw(std::string_view key);
    /// All keys of the table, for tables whose keys are the user's own names.
    std::vector<std::string> keys() const;

    const std::string& name() const noexcept { return name_; }
    /// Of the table; of the parent's where this one is missing.
    const Origin& origin() const noexcept { return origin_; }

    /// Refuses keys that were never asked for. Throws Error(usage) with the nearest known key.
    void finish() const;

    /// Throws Error(usage) that starts with the origin of `key` (or of the table) and goes on with
    /// `text`, which should name the key.
    [[noreturn]] void complain(std::string_view key, const std::string& text) const;

private:
    SettingsReader(const Setting::Table& table, Origin origin, std::string name);

    const Setting* find(std::string_view key);
    const Setting& require(std::string_view key, std::string_view expected);
    std::string text_of(std::string_view key, const Setting& setting, std::string_view expected) const;
    [[noreturn]] void wrong_type(std::string_view key, const Setting& setting,
                                 std::string_view expected) const;
    std::string full_name(std::string_view key) const;

    const Setting::Table* table_;
    Origin origin_;
    std::string name_;
    std::set<std::string, std::less<>> asked_;
};

/// Parses a decimal number with a unit: ms, s, sec, min, h, d; none is s. "m" is refused: it could
/// be a month. Rounded to whole ms; empty where the text is no duration from 1 ms to a century.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace coromd
