// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/report/html.hpp"

#include <cmath>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace coromd::report {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// The length of the UTF-8 sequence at the front of `text`; 0 where there is none.
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::size_t length = byte(0) < 0x80                       ? 1
                               : byte(0) >= 0xC2 && byte(0) < 0xE0  ? 2
                               : byte(0) >= 0xE0 && byte(0) < 0xF0  ? 3
                               : byte(0) >= 0xF0 && byte(0) <= 0xF4 ? 4
                                                                    : 0;
    if (length == 0 || length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    // Overlong forms, surrogates, and what lies above U+10FFFF.
    if (length == 3 && byte(0) == 0xE0 && byte(1) < 0xA0) return 0;
    if (length == 3 && byte(0) == 0xED && byte(1) >= 0xA0) return 0;
    if (length == 4 && byte(0) == 0xF0 && byte(1) < 0x90) return 0;
    if (length == 4 && byte(0) == 0xF4 && byte(1) >= 0x90) return 0;
    return length;
}

bool is_shown(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 ? byte != 0x7F : c == '\n' || c == '\t';
}

std::string percent_encoded(std::string_view path) {
    constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    std::string out;
    for (const char c : path) {
        if (kPlain.find(c) != std::string_view::npos)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

}  // namespace

std::string escape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        const char c = text.front();
        if (length == 0 || (length == 1 && !is_shown(c))) {
            out += kReplacement;
        } else if (c == '&') {
            out += "&amp;";
        } else if (c == '<') {
            out += "&lt;";
        } else if (c == '>') {
            out += "&gt;";
        } else if (c == '"') {
            out += "&quot;";
        } else if (c == '\'') {
            out += "&#39;";
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

std::string paragraph(std::string_view text, std::string_view css_class) {
    if (css_class.empty()) return fmt::format("<p>{}</p>\n", escape(text));
    return fmt::format("<p class=\"{}\">{}</p>\n", css_class, escape(text));
}

std::string folded(std::string_view title_text, std::string_view html) {
    return fmt::format("<details><summary>{}</summary>{}</details>\n", escape(title_text), html);
}

std::string preformatted(std::string_view text, std::size_t limit) {
    std::string before;
    if (text.size() > limit) {
        before = paragraph(fmt::format("The last {} of {} bytes:", limit, text.size()), "left-out");
        text.remove_prefix(text.size() - limit);
    }
    return fmt::format("{}<pre>{}</pre>\n", before, escape(text));
}

std::string link(const fs::path& path, std::string_view text) {
    return fmt::format("<a href=\"{}\">{}</a>", percent_encoded(path.string()), escape(text));
}

Table::Table(std::vector<std::string> head_texts) : head_(std::move(head_texts)) {}

void Table::row(std::vector<std::string> html_cells) {
    ++rows_;
    body_ += "<tr>";
    for (std::size_t i = 0; i < html_cells.size(); ++i)
        body_ +=
            fmt::format("<td{}>{}</td>", i < head_.size() && head_[i].starts_with('>') ? " class=\"n\"" : "",
                        html_cells[i]);
    body_ += "</tr>\n";
}

std::string Table::html() const {
    std::string out = "<div class=\"wide\"><table>\n<thead><tr>";
    for (const std::string& text : head_) {
        const bool number = text.starts_with('>');
        out += fmt::format("<th scope=\"col\"{}>{}</th>", number ? " class=\"n\"" : "",
                           escape(std::string_view(text).substr(number ? 1 : 0)));
    }
    return out + "</tr></thead>\n<tbody>\n" + body_ + "</tbody></table></div>\n";
}

std::string figure(std::string_view svg, std::string_view caption_text) {
    return fmt::format("<figure><div class=\"wide\">{}</div><figcaption>{}</figcaption></figure>\n", svg,
                       escape(caption_text));
}

std::string date_text(std::int64_t unix_ms) {
    if (unix_ms == 0) return "-";
    const std::time_t seconds = unix_ms / 1000;
    std::tm utc{};
    if (::gmtime_r(&seconds, &utc) == nullptr) return "-";
    return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", utc);
}

std::string duration_text(double seconds) {
    if (!std::isfinite(seconds) || seconds < 0) return "-";
    if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1000);
    if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
    if (seconds < 119.5) return fmt::format("{:.0f} s", seconds);
    const auto whole = static_cast<std::int64_t>(std::llround(std::min(seconds, 1e15)));
    if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    const std::int64_t minutes = (whole + 30) / 60;
    if (minutes < std::int64_t{24} * 60) return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
    const std::int64_t hours = (minutes + 30) / 60;
    return fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string md_time_text(double ps) {
    if (!std::isfinite(ps)) return "-";
    if (ps >= 1e6) return fmt::format("{:.4g} µs", ps / 1e6);
    if (ps >= 1e3) return fmt::format("{:.4g} ns", ps / 1e3);
    return fmt::format("{:.4g} ps", ps);
}

std::string count_text(std::int64_t count) {
    std::string digits = std::to_string(count);
    const std::size_t first = count < 0 ? 1 : 0;
    for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, "\u202f");
    return digits;
}

}  // namespace coromd::report
