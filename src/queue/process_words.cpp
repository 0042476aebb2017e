// SPDX-License-Identifier: LGPL-3.0-or-later
#include "process_words.hpp"

#include <charconv>

#include <fmt/format.h>

#include "coromd/runtime/process.hpp"

namespace coromd::queue {

std::string process_words(pid_t pid, const std::string& start_time) {
    return fmt::format("{}:{}:{}", runtime::boot_id(), pid, start_time);
}

std::optional<KnownProcess> known_process(std::string_view words) {
    const auto first = words.find(':');
    const auto second = words.find(':', first == words.npos ? first : first + 1);
    if (first == words.npos || second == words.npos || words.substr(0, first) != runtime::boot_id())
        return std::nullopt;
    const std::string_view number = words.substr(first + 1, second - first - 1);
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), pid);
    // 0 and 1 would mean somebody else.
    if (error != std::errc() || end != number.data() + number.size() || pid <= 1) return std::nullopt;
    return KnownProcess{pid, std::string(words.substr(second + 1))};
}

}  // namespace coromd::queue
