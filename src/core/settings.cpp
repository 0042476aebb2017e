// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Every message about a setting has the form of a compiler's,
//
//   campaign.toml:12:9: 'walkers.count' must be an integer, not a string
//
// so that a terminal or an editor can jump there. The position is that of the key's value; where
// the key is missing, that of the table it should be in. What a user wrote is shown with control
// characters escaped and long texts cut.
#include "coromd/core/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include "coromd/core/suggestion.hpp"

namespace coromd {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::string printable(std::string_view text) {
    constexpr std::size_t kLongest = 80;
    std::string out;
    for (const char c : text.substr(0, kLongest)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    if (text.size() > kLongest) out += "...";
    return out;
}

[[noreturn]] void fail_at(const Origin& origin, std::string_view text) {
    const std::string position = origin.text();
    fail(ErrorKind::usage, "{}{}{}", position, position.empty() ? "" : ": ", text);
}

/// A whole number of milliseconds. At most a century, so that sums with time points of clocks
/// that count nanoseconds do not overflow.
std::optional<milliseconds> checked_duration(double value_ms) {
    constexpr double kCenturyMs = 36525.0 * 86400e3;
    const double rounded = std::round(value_ms);
    if (!(rounded >= 1.0 && rounded <= kCenturyMs)) return {};  // refuses NaN as well
    return milliseconds(static_cast<std::int64_t>(rounded));
}

}  // namespace

std::string Origin::text() const {
    if (line <= 0) return file;
    if (column <= 0) return fmt::format("{}:{}", file, line);
    return fmt::format("{}:{}:{}", file, line, column);
}

// Not inline: GCC 12 warns of uninitialized values where it inlines the move of a variant.
Setting::Setting() : value_(Table{}) {}
Setting::Setting(Value value, Origin origin) : value_(std::move(value)), origin_(std::move(origin)) {}

const Setting::Table& Setting::table() const {
    if (const Table* table = std::get_if<Table>(&value_)) return *table;
    fail_at(origin_, fmt::format("a table is expected here, not {}", type_name()));
}

std::string_view Setting::type_name() const noexcept {
    // In the order of Value's alternatives.
    constexpr std::array<std::string_view, std::variant_size_v<Value>> kNames = {
        "a boolean", "an integer", "a number", "a string", "an array", "a table"};
    return kNames[value_.index()];
}

void Setting::overlay(const Setting& higher) {
    if (this == &higher) return;
    Table* mine = std::get_if<Table>(&value_);
    const Table* theirs = std::get_if<Table>(&higher.value_);
    if (!mine || !theirs) {
        *this = Setting(higher);  // through a copy: `higher` may be a part of this
        return;
    }
    for (const auto& [key, setting] : *theirs) {
        const auto [place, inserted] = mine->try_emplace(key, setting);
        if (!inserted) place->second.overlay(setting);
    }
    if (!higher.origin_.file.empty()) origin_ = higher.origin_;
}

SettingsReader::SettingsReader(const Setting& table, std::string name)
    : SettingsReader(table.table(), table.origin(), std::move(name)) {}

SettingsReader::SettingsReader(const Setting::Table& table, Origin origin, std::string name)
    : table_(&table), origin_(std::move(origin)), name_(std::move(name)) {}

bool SettingsReader::has(std::string_view key) const {
    return table_->contains(key);
}

std::string SettingsReader::string(std::string_view key) {
    return text_of(key, require(key, "a string"), "a string");
}

std::string SettingsReader::string(std::string_view key, std::string_view fallback) {
    const Setting* setting = find(key);
    return setting ? text_of(key, *setting, "a string") : std::string(fallback);
}

std::int64_t SettingsReader::integer(std::string_view key) {
    const Setting& setting = require(key, "an integer");
    if (const auto* value = std::get_if<std::int64_t>(&setting.value())) return *value;
    wrong_type(key, setting, "an integer");
}

std::int64_t SettingsReader::integer(std::string_view key, std::int64_t fallback) {
    return find(key) ? integer(key) : fallback;
}

std::int64_t SettingsReader::integer_from(std::string_view key, std::int64_t minimum,
                                          std::optional<std::int64_t> fallback) {
    if (!find(key) && fallback) return *fallback;
    const std::int64_t value = integer(key);
    if (value < minimum) {
        complain(key, fmt::format("'{}' must be at least {}, not {}", full_name(key), minimum, value));
    }
    return value;
}

double SettingsReader::number(std::string_view key) {
    const Setting& setting = require(key, "a number");
    if (const auto* value = std::get_if<std::int64_t>(&setting.value())) return static_cast<double>(*value);
    const auto* value = std::get_if<double>(&setting.value());
    if (!value) wrong_type(key, setting, "a number");
    if (!std::isfinite(*value))
        complain(key, fmt::format("'{}' must be finite, not {}", full_name(key), *value));
    return *value;
}

double SettingsReader::number(std::string_view key, double fallback) {
    return find(key) ? number(key) : fallback;
}

bool SettingsReader::boolean(std::string_view key, bool fallback) {
    const Setting* setting = find(key);
    if (!setting) return fallback;
    if (const auto* value = std::get_if<bool>(&setting->value())) return *value;
    wrong_type(key, *setting, "true or false");
}

std::vector<std::string> SettingsReader::strings(std::string_view key, std::vector<std::string> fallback) {
    const Setting* setting = find(key);
    if (!setting) return fallback;
    const auto* array = std::get_if<Setting::Array>(&setting->value());
    if (!array) wrong_type(key, *setting, "an array of strings");

    std::vector<std::string> out;
    for (const Setting& element : *array) {
        out.push_back(text_of(fmt::format("{}[{}]", key, out.size()), element, "a string"));
    }
    return out;
}

milliseconds SettingsReader::duration(std::string_view key, std::optional<milliseconds> fallback) {
    constexpr std::string_view kExpected = "a positive duration such as '90s', '10 min', '1.5h' or '2d'";
    if (!find(key) && fallback) return *fallback;
    const Setting& setting = require(key, kExpected);

    std::optional<milliseconds> duration;
    std::string written;
    if (const auto* seconds = std::get_if<std::int64_t>(&setting.value())) {
        duration = checked_duration(static_cast<double>(*seconds) * 1e3);
        written = fmt::format("{}", *seconds);
    } else if (const auto* seconds = std::get_if<double>(&setting.value())) {
        duration = checked_duration(*seconds * 1e3);
        written = fmt::format("{}", *seconds);
    } else {
        const std::string text = text_of(key, setting, kExpected);
        duration = parse_duration(text);
        written = fmt::format("'{}'", printable(text));
    }
    if (duration) return *duration;
    complain(key, fmt::format("'{}' must be {}, not {}", full_name(key), kExpected, written));
}

fs::path SettingsReader::path(std::string_view key) {
    const Setting& setting = require(key, "a path");
    const std::string text = text_of(key, setting, "a path");
    if (text.empty()) complain(key, fmt::format("'{}' must not be empty", full_name(key)));
    // An absolute path replaces the folder.
    return (fs::path(setting.origin().file).parent_path() / text).lexically_normal();
}

fs::path SettingsReader::existing_file(std::string_view key) {
    const fs::path file = path(key);
    std::error_code error;
    const fs::file_status status = fs::status(file, error);
    if (fs::is_regular_file(status)) return file;
    const std::string reason = status.type() == fs::file_type::none ? error.message()
                               : fs::exists(status)                 ? "not a regular file"
                                                                    : "no such file";
    complain(key, fmt::format("'{}' names '{}': {}", full_name(key), printable(file.string()), reason));
}

SettingsReader SettingsReader::table(std::string_view key) {
    static const Setting::Table kEmpty;
    const Setting* setting = find(key);
    if (!setting) return SettingsReader(kEmpty, origin_, full_name(key));
    if (!setting->is_table()) wrong_type(key, *setting, "a table");
    return SettingsReader(*setting, full_name(key));
}

const Setting& SettingsReader::raw(std::string_view key) {
    return require(key, "a value");
}

std::vector<std::string> SettingsReader::keys() const {
    std::vector<std::string> out;
    for (const auto& [key, setting] : *table_) out.push_back(key);
    return out;
}

void SettingsReader::finish() const {
    for (const auto& [key, setting] : *table_) {
        if (asked_.contains(key)) continue;
        std::string hint;
        const std::vector<std::string_view> known(asked_.begin(), asked_.end());
        if (const std::string_view nearest = nearest_name(key, known); !nearest.empty()) {
            hint = fmt::format("did you mean '{}'?", nearest);
        } else if (asked_.empty()) {
            hint = "no keys are known here";
        } else {
            hint = fmt::format("known keys: {}", fmt::join(asked_, ", "));
        }
        fail_at(setting.origin(), fmt::format("unknown key '{}' ({})", full_name(key), hint));
    }
}

void SettingsReader::complain(std::string_view key, const std::string& text) const {
    const auto place = table_->find(key);
    fail_at(place == table_->end() ? origin_ : place->second.origin(), text);
}

const Setting* SettingsReader::find(std::string_view key) {
    asked_.emplace(key);
    const auto place = table_->find(key);
    return place == table_->end() ? nullptr : &place->second;
}

const Setting& SettingsReader::require(std::string_view key, std::string_view expected) {
    if (const Setting* setting = find(key)) return *setting;
    // Perhaps it is there, with a slip in its name.
    std::vector<std::string_view> others;
    for (const auto& [other, setting] : *table_)
        if (!asked_.contains(other)) others.push_back(other);
    std::string hint;
    if (const std::string_view slip = nearest_name(key, others); !slip.empty())
        hint = fmt::format(" ({} has '{}')", table_->find(slip)->second.origin().text(), slip);
    complain(key, fmt::format("'{}' is missing: it must be {}{}", full_name(key), expected, hint));
}

std::string SettingsReader::text_of(std::string_view key, const Setting& setting,
                                    std::string_view expected) const {
    const auto* text = std::get_if<std::string>(&setting.value());
    if (!text) wrong_type(key, setting, expected);
    // The system would take such a path or argument for a shorter one.
    if (text->find('\0') != std::string::npos) {
        fail_at(setting.origin(), fmt::format("'{}' must not contain a null character", full_name(key)));
    }
    return *text;
}

void SettingsReader::wrong_type(std::string_view key, const Setting& setting,
                                std::string_view expected) const {
    fail_at(setting.origin(),
            fmt::format("'{}' must be {}, not {}", full_name(key), expected, setting.type_name()));
}

std::string SettingsReader::full_name(std::string_view key) const {
    return name_.empty() ? printable(key) : fmt::format("{}.{}", name_, printable(key));
}

std::optional<milliseconds> parse_duration(std::string_view text) {
    struct Unit {
        std::string_view name;
        double in_ms;
    };
    constexpr std::array kUnits = {Unit{"", 1e3},     Unit{"ms", 1.0},   Unit{"s", 1e3},    Unit{"sec", 1e3},
                                   Unit{"min", 60e3}, Unit{"h", 3600e3}, Unit{"d", 86400e3}};

    double number = 0.0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    if (error != std::errc{}) return {};
    const std::string_view rest(stop, static_cast<std::size_t>(end - stop));
    const std::string_view name = rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
    const auto* unit = std::ranges::find(kUnits, name, &Unit::name);
    return unit == kUnits.end() ? std::nullopt : checked_duration(number * unit->in_ms);
}

}  // namespace coromd
