// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <type_traits>
#include <variant>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "coromd/core/error.hpp"

namespace coromd::cli {

using nlohmann::json;

json to_json(const Setting& setting) {
    return std::visit(
        [](const auto& value) -> json {
            using T = std::decay_t<decltype(value)>;
            json out;
            if constexpr (std::is_same_v<T, Setting::Table>) {
                out = json::object();
                for (const auto& [key, child] : value) out[key] = to_json(child);
            } else if constexpr (std::is_same_v<T, Setting::Array>) {
                out = json::array();
                for (const Setting& child : value) out.push_back(to_json(child));
            } else {
                out = value;
            }
            return out;
        },
        setting.value());
}

json queues_in(const Setting& settings) {
    json queues = to_json(settings).value("queues", json::object());
    if (!queues.contains("local")) queues["local"] = json::object();
    for (json& queue : queues)
        if (!queue.contains("kind")) queue["kind"] = "local";
    return queues;
}

std::string dumped(const json& value) {
    return value.dump(2, ' ', false, json::error_handler_t::replace);
}

std::string time_text(std::int64_t ms) {
    return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(ms / 1000)));
}

std::string duration_text(double seconds) {
    if (seconds < 60.0) return fmt::format("{:.1f} s", seconds);
    const auto whole = static_cast<std::int64_t>(std::min(seconds, 1e15));
    if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    if (whole < 86400) return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
    return fmt::format("{} d {:02} h", whole / 86400, whole % 86400 / 3600);
}

std::string bytes_text(std::uint64_t bytes) {
    if (bytes < 1024) return fmt::format("{} bytes", bytes);
    double amount = static_cast<double>(bytes);
    const char* unit = "";
    for (const char* next : {"KiB", "MiB", "GiB", "TiB", "PiB"}) {
        if (amount < 1024.0) break;
        amount /= 1024.0;
        unit = next;
    }
    return fmt::format("{:.1f} {}", amount, unit);
}

std::string counted(std::int64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string one_line(std::string_view text, std::size_t columns) {
    std::string line(text.substr(0, std::min(text.find('\n'), columns)));
    // Not in the middle of a character.
    if (line.size() < text.size())
        while (!line.empty() && (static_cast<unsigned char>(text[line.size()]) & 0xC0U) == 0x80U)
            line.pop_back();
    for (char& c : line)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    return line;
}

void print(std::string_view text) {
    // Flushed here: at the end of the program nobody would notice that the disk is full.
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
                         (text.ends_with('\n') || std::fputc('\n', stdout) != EOF) &&
                         std::fflush(stdout) == 0;
    if (!written) fail_errno(errno, "cannot write to standard output");
}

}  // namespace coromd::cli
