// SPDX-License-Identifier: LGPL-3.0-or-later
#include <cerrno>
#include <cstdio>
#include <type_traits>
#include <variant>

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

void print(std::string_view text) {
    // Flushed here: at the end of the program nobody would notice that the disk is full.
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
                         (text.ends_with('\n') || std::fputc('\n', stdout) != EOF) &&
                         std::fflush(stdout) == 0;
    if (!written) fail_errno(errno, "cannot write to standard output");
}

}  // namespace coromd::cli
