// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/session/settings_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include <toml++/toml.h>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"

namespace coromd::session {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLimit = std::size_t{4} << 20;
constexpr int kMaxDepth = 32;
// The parser and its tree recurse once for each dot of a dotted key, without a limit of their own.
constexpr std::ptrdiff_t kMaxDots = 5000;

Origin origin_of(const toml::node& node, const std::string& name) {
    const auto& begin = node.source().begin;
    return {name, static_cast<int>(begin.line), static_cast<int>(begin.column)};
}

Setting convert(const toml::node& node, const std::string& name, const Origin& origin, int depth) {
    if (depth > kMaxDepth)
        fail(ErrorKind::usage, "{}: tables nested more than {} deep", origin.text(), kMaxDepth);
    if (const auto* table = node.as_table()) {
        Setting::Table out;
        for (const auto& [key, value] : *table) {
            // A key is what a message should point at, not the value behind it.
            const auto& at = key.source().begin;
            const Origin place = at ? Origin{name, static_cast<int>(at.line), static_cast<int>(at.column)}
                                    : origin_of(value, name);
            out.emplace(std::string(key.str()), convert(value, name, place, depth + 1));
        }
        return {std::move(out), origin};
    }
    if (const auto* array = node.as_array()) {
        Setting::Array out;
        for (const toml::node& value : *array)
            out.push_back(convert(value, name, origin_of(value, name), depth + 1));
        return {std::move(out), origin};
    }
    if (const auto* value = node.as_boolean()) return {value->get(), origin};
    if (const auto* value = node.as_integer()) return {value->get(), origin};
    if (const auto* value = node.as_floating_point()) return {value->get(), origin};
    if (const auto* value = node.as_string()) return {value->get(), origin};
    fail(ErrorKind::usage, "{}: dates and times are not used here: write a string", origin.text());
}

std::optional<std::string> environment(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

}  // namespace

Setting parse_toml(std::string_view text, const std::string& name) {
    if (std::ranges::count(text, '.') > kMaxDots)
        fail(ErrorKind::usage, "{}: more than {} dots are too many for a settings file", name, kMaxDots);
    try {
        const toml::table table = toml::parse(text, name);
        return convert(table, name, {name, 1, 1}, 0);
    } catch (const toml::parse_error& error) {
        const auto& at = error.source().begin;
        fail(ErrorKind::usage, "{}:{}:{}: {}", name, at.line, at.column, error.description());
    }
}

Setting read_toml(const fs::path& file) {
    return parse_toml(read_text_file(file, kLimit), file.string());
}

std::vector<fs::path> settings_places() {
    const fs::path leaf = fs::path("coromd") / "config.toml";
    std::vector<fs::path> places;
    const std::string site = environment("XDG_CONFIG_DIRS").value_or("/etc/xdg");
    for (std::size_t begin = 0; begin <= site.size();) {
        const std::size_t end = std::min(site.find(':', begin), site.size());
        places.push_back(fs::path(site.substr(begin, end - begin)) / leaf);
        begin = end + 1;
    }
    std::ranges::reverse(places);
    if (const auto user = environment("XDG_CONFIG_HOME"))
        places.push_back(fs::path(*user) / leaf);
    else if (const auto home = environment("HOME"))
        places.push_back(fs::path(*home) / ".config" / leaf);
    // The XDG specification wants relative paths to be ignored.
    std::erase_if(places, [](const fs::path& place) { return place.is_relative(); });
    return places;
}

Setting load_settings(const fs::path& campaign_file) {
    Setting all(Setting::Table{}, {"default", 0, 0});
    for (const fs::path& place : settings_places()) {
        // One that cannot be looked at is an error, not a file that is not there.
        std::error_code error;
        if (fs::status(place, error).type() != fs::file_type::not_found) all.overlay(read_toml(place));
    }
    if (!campaign_file.empty()) all.overlay(read_toml(campaign_file));
    return all;
}

}  // namespace coromd::session
