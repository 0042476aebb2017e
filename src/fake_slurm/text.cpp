// SPDX-License-Identifier: LGPL-3.0-or-later
#include "text.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <ctime>
#include <utility>

#include <fmt/format.h>

namespace coromd::fake_slurm {

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    std::string part;
    int depth = 0;
    for (const char c : text) {
        if (c == '[') ++depth;
        if (c == ']') --depth;
        if (c != separator || depth > 0) {
            part += c;
        } else if (!part.empty()) {
            parts.push_back(std::exchange(part, {}));
        }
    }
    if (!part.empty()) parts.push_back(part);
    return parts;
}

std::optional<long> to_int(std::string_view text) {
    long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string upper(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return result;
}

std::vector<std::string> expand_hosts(std::string_view list) {
    std::vector<std::string> hosts;
    for (const std::string& part : split(list, ',')) {
        const auto open = part.find('[');
        const auto close = part.find(']');
        if (open == std::string::npos || close == std::string::npos) {
            hosts.push_back(part);
            continue;
        }
        for (const std::string& range : split(part.substr(open + 1, close - open - 1), ',')) {
            const auto dash = range.find('-');
            const auto first = to_int(range.substr(0, dash));
            const auto last = dash == std::string::npos ? first : to_int(range.substr(dash + 1));
            if (!first || !last || *last - *first > 100'000) continue;
            for (long i = *first; i <= *last; ++i)
                hosts.push_back(fmt::format("{}{}{}", part.substr(0, open), i, part.substr(close + 1)));
        }
    }
    return hosts;
}

std::string compress_hosts(const std::vector<std::string>& hosts) {
    std::string text;
    std::string prefix;
    std::vector<std::pair<long, long>> ranges;
    const auto flush = [&] {
        if (ranges.empty()) return;
        std::string inside;
        for (const auto& [first, last] : ranges) {
            if (!inside.empty()) inside += ',';
            inside += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
        }
        const bool single = ranges.size() == 1 && ranges[0].first == ranges[0].second;
        text += (text.empty() ? "" : ",") + prefix + (single ? inside : "[" + inside + "]");
        ranges.clear();
    };
    for (const std::string& host : hosts) {
        auto digits = host.find_last_not_of("0123456789");
        digits = digits == std::string::npos ? 0 : digits + 1;
        const auto number = to_int(std::string_view(host).substr(digits));
        const std::string name = host.substr(0, digits);
        if (!number) {
            flush();
            text += (text.empty() ? "" : ",") + host;
            continue;
        }
        if (name != prefix) flush();
        prefix = name;
        if (!ranges.empty() && ranges.back().second + 1 == *number)
            ranges.back().second = *number;
        else
            ranges.emplace_back(*number, *number);
    }
    flush();
    return text;
}

std::optional<double> parse_limit(std::string_view text) {
    const std::string name = upper(text);
    if (name == "UNLIMITED" || name == "INFINITE" || name == "-1") return -1.0;
    double days = 0.0;
    const auto dash = text.find('-');
    if (dash != std::string_view::npos) {
        const auto value = to_int(text.substr(0, dash));
        if (!value) return std::nullopt;
        days = static_cast<double>(*value);
        text.remove_prefix(dash + 1);
    }
    std::vector<double> parts;
    for (const std::string& part : split(text, ':')) {
        const auto value = to_int(part);
        if (!value || *value < 0) return std::nullopt;
        parts.push_back(static_cast<double>(*value));
    }
    if (parts.empty() || parts.size() > 3) return std::nullopt;
    double seconds = 0.0;
    if (dash != std::string_view::npos || parts.size() == 3) {
        parts.resize(3);
        seconds = 86400 * days + 3600 * parts[0] + 60 * parts[1] + parts[2];
    } else {
        parts.resize(2);
        seconds = 60 * parts[0] + parts[1];
    }
    return 60.0 * std::ceil(seconds / 60.0);  // whole minutes, as SLURM keeps them
}

std::optional<double> parse_seconds(std::string_view text) {
    std::string number(text);
    double unit = 1.0;
    if (number.ends_with("ms")) {
        unit = 1e-3;
        number.resize(number.size() - 2);
    } else if (number.ends_with("s")) {
        number.pop_back();
    } else if (number.ends_with("m") || number.ends_with("h")) {
        unit = number.ends_with("m") ? 60.0 : 3600.0;
        number.pop_back();
    }
    double value = 0.0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
    if (!std::isfinite(value) || value < 0) return std::nullopt;
    return value * unit;
}

std::optional<long> parse_memory(std::string_view text) {
    std::string number = upper(text);
    if (number.ends_with('B')) number.pop_back();
    double unit = 1.0;
    if (!number.empty() && std::isdigit(static_cast<unsigned char>(number.back())) == 0) {
        const char suffix = number.back();
        unit = suffix == 'K'   ? 1.0 / 1024
               : suffix == 'M' ? 1.0
               : suffix == 'G' ? 1024.0
               : suffix == 'T' ? 1024.0 * 1024
                               : 0.0;
        number.pop_back();
    }
    const auto value = to_int(number);
    if (!value || *value < 0 || unit == 0.0) return std::nullopt;
    return static_cast<long>(std::ceil(static_cast<double>(*value) * unit));
}

std::optional<double> parse_moment(std::string_view text, double now) {
    const std::string word(text);
    if (word.starts_with("now")) {
        if (word.size() == 3) return now;
        std::size_t end = 4;
        while (end < word.size() && std::isdigit(static_cast<unsigned char>(word[end])) != 0) ++end;
        const auto value = to_int(std::string_view(word).substr(4, end - 4));
        if (!value) return std::nullopt;
        const std::string unit = word.substr(end);
        const double scale = unit.starts_with("w")   ? 604800
                             : unit.starts_with("d") ? 86400
                             : unit.starts_with("h") ? 3600
                             : unit.starts_with("m") ? 60
                                                     : 1;
        return now + (word[3] == '-' ? -1 : 1) * scale * static_cast<double>(*value);
    }
    const auto seconds = static_cast<std::time_t>(now);
    std::tm fields{};
    ::localtime_r(&seconds, &fields);
    fields.tm_isdst = -1;
    fields.tm_sec = fields.tm_min = fields.tm_hour = 0;
    if (word == "today" || word == "midnight") return static_cast<double>(std::mktime(&fields));
    for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d", "%H:%M:%S", "%H:%M"}) {
        std::tm parsed = fields;
        const char* end = ::strptime(word.c_str(), format, &parsed);
        if (end != nullptr && *end == '\0') return static_cast<double>(std::mktime(&parsed));
    }
    return std::nullopt;
}

namespace {

std::array<long, 4> fields_of(double seconds) {
    const auto all = static_cast<long>(std::max(0.0, seconds));
    return {all / 86400, all / 3600 % 24, all / 60 % 60, all % 60};
}

}  // namespace

std::string short_duration(double seconds) {
    const auto [d, h, m, s] = fields_of(seconds);
    if (d > 0) return fmt::format("{}-{:02}:{:02}:{:02}", d, h, m, s);
    if (h > 0) return fmt::format("{}:{:02}:{:02}", h, m, s);
    return fmt::format("{}:{:02}", m, s);
}

std::string long_duration(double seconds) {
    const auto [d, h, m, s] = fields_of(seconds);
    return (d > 0 ? fmt::format("{}-", d) : "") + fmt::format("{:02}:{:02}:{:02}", h, m, s);
}

std::string moment(double seconds_since_1970, std::string_view none) {
    if (seconds_since_1970 <= 0) return std::string(none);
    const auto seconds = static_cast<std::time_t>(seconds_since_1970);
    std::tm fields{};
    ::localtime_r(&seconds, &fields);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &fields);
    return text.data();
}

std::optional<int> parse_signal(std::string_view text) {
    if (const auto number = to_int(text)) {
        if (*number < 1 || *number > 64) return std::nullopt;
        return static_cast<int>(*number);
    }
    std::string name = upper(text);
    if (name.starts_with("SIG")) name.erase(0, 3);
    for (int signal = 1; signal < 32; ++signal) {
        const char* known = ::sigabbrev_np(signal);
        if (known != nullptr && name == known) return signal;
    }
    return std::nullopt;
}

double wall_clock() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace coromd::fake_slurm
