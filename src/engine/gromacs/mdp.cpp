// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/engine/gromacs/mdp.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <system_error>
#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"

// The text is the only truth; the entries are an index into it that parse() makes, and a change is a
// new text that is parsed again. The grammar was found by trying GROMACS 2022.5:
//
//   line = [blanks] [key [blanks] "=" [blanks] [value]] [blanks] [";" comment] line end
//
// - the first ';' starts the comment, quoted or not; then the first '=' parts key and value, and
//   further ones belong to the value;
// - blanks around keys and values and between words are space, tab, CR, VT and FF, but a line of VT and
//   FF is not blank; so CRLF needs no care, and a lone CR ends no line;
// - a line with an empty right-hand side is as good as not there: it may also repeat a key;
// - there are no continuation lines, no includes, and '#' is no comment.
//
// Stricter than grompp, which reads a line up to its first NUL byte and drops the rest, takes numbers
// that are not finite, and clips or wraps integers that do not fit.

namespace coromd::engine::gromacs {
namespace {

constexpr std::string_view kLineBlanks = " \t\r";
constexpr std::string_view kBlanks = " \t\r\v\f";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view trimmed(std::string_view text, std::string_view blanks = kBlanks) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

void append_folded(std::string& out, std::string_view key) {
    for (const char c : key) {
        if (c != '-' && c != '_') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
}

std::string folded(std::string_view key) {
    std::string result;
    append_folded(result, key);
    return result;
}

/// Text from a file made fit for a message: short, and printable ASCII only.
std::string shown(std::string_view text) {
    constexpr std::size_t kLongest = 80;
    std::string result;
    for (const char c : text.substr(0, kLongest)) {
        if (c >= ' ' && c <= '~') {
            result += c;
        } else {
            result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    if (text.size() > kLongest) result += "...";
    return result;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> result;
    std::size_t end = 0;
    for (std::size_t begin = text.find_first_not_of(kBlanks); begin != std::string_view::npos;
         begin = text.find_first_not_of(kBlanks, end)) {
        end = std::min(text.find_first_of(kBlanks, begin), text.size());
        result.emplace_back(text.substr(begin, end - begin));
    }
    return result;
}

bool is_control(char c) {
    return (c >= 0 && c < ' ') || c == '\x7f';
}

bool is_key(std::string_view key) {
    const auto fits = [](char c) { return c > ' ' && c <= '~' && c != '=' && c != ';'; };
    return std::ranges::all_of(key, fits) && key.find_first_not_of("-_") != std::string_view::npos;
}

bool is_value(std::string_view value) {
    return std::ranges::none_of(value, [](char c) { return c == ';' || (is_control(c) && c != '\t'); });
}

/// Takes a leading '+' off, which std::from_chars does not know; "+-1" stays no number.
std::string_view without_plus(std::string_view text) {
    const bool plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
    return plus ? text.substr(1) : text;
}

/// As C's strtod in the "C" locale, hexadecimal numbers included.
std::optional<double> to_real(std::string_view text) {
    text = without_plus(text);
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    if (hexadecimal) text.remove_prefix(2);
    if (text.starts_with('-')) return std::nullopt;

    double value = 0;
    const char* const end = text.data() + text.size();
    const auto format = hexadecimal ? std::chars_format::hex : std::chars_format::general;
    const auto [stop, error] = std::from_chars(text.data(), end, value, format);
    if (error != std::errc() || stop != end || !std::isfinite(value)) return std::nullopt;
    return negative ? -value : value;
}

}  // namespace

Mdp Mdp::parse(std::string_view text, std::string name) {
    if (text.size() > kSizeLimit) {
        fail(ErrorKind::input, "{}: {} bytes are too many for an mdp file (limit {})", name, text.size(),
             kSizeLimit);
    }
    if (text.starts_with(kByteOrderMark)) {
        fail(ErrorKind::input,
             "{}:1: starts with a byte-order mark, which grompp takes for a part of the first key: save it "
             "as plain UTF-8",
             name);
    }
    Mdp mdp;
    mdp.name_ = std::move(name);
    mdp.text_ = text;
    std::uint32_t line_number = 0;
    for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end) {
        const std::size_t newline = text.find('\n', begin);
        end = newline == std::string_view::npos ? text.size() : newline + 1;
        mdp.add_line(static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), ++line_number);
    }
    mdp.sort_keys();
    return mdp;
}

Mdp Mdp::read(const std::filesystem::path& path) {
    return parse(read_text_file(path, kSizeLimit), path.string());
}

void Mdp::add_line(std::uint32_t begin, std::uint32_t end, std::uint32_t line_number) {
    const Span line{begin, end - begin};
    std::string_view content = view(line);
    if (content.ends_with('\n')) content.remove_suffix(1);
    content = content.substr(0, content.find(';'));
    if (content.find('\0') != std::string_view::npos) {
        fail(ErrorKind::input, "{}:{}: there is a NUL byte in '{}'", name_, line_number, shown(content));
    }
    content = trimmed(content, kLineBlanks);
    if (content.empty()) return;

    const std::size_t equals = content.find('=');
    if (equals == std::string_view::npos) {
        fail(ErrorKind::input, "{}:{}: there is no '=' in '{}'", name_, line_number, shown(content));
    }
    const std::string_view key = trimmed(content.substr(0, equals));
    if (key.empty()) {
        fail(ErrorKind::input, "{}:{}: there is no key before the '=' in '{}'", name_, line_number,
             shown(content));
    }
    if (entries_.size() == kKeyLimit) {
        fail(ErrorKind::input, "{}:{}: more than {} keys are too many for an mdp file", name_, line_number,
             kKeyLimit);
    }
    std::string_view value = trimmed(content.substr(equals + 1));
    if (value.empty()) value = content.substr(equals + 1, 0);

    const auto span_of = [this](std::string_view part) {
        return Span{static_cast<std::uint32_t>(part.data() - text_.data()),
                    static_cast<std::uint32_t>(part.size())};
    };
    const auto folded_begin = static_cast<std::uint32_t>(folded_.size());
    append_folded(folded_, key);
    const Span folded_key{folded_begin, static_cast<std::uint32_t>(folded_.size()) - folded_begin};
    entries_.push_back({line_number, line, span_of(key), span_of(value), folded_key});
}

void Mdp::sort_keys() {
    by_key_.resize(entries_.size());
    std::iota(by_key_.begin(), by_key_.end(), 0U);
    // Lines of the same key: those with a value first, then in the order of the file.
    std::ranges::sort(by_key_, [this](std::uint32_t a, std::uint32_t b) {
        const int order = folded(entries_[a]).compare(folded(entries_[b]));
        if (order != 0) return order < 0;
        const bool empty_a = entries_[a].value.size == 0;
        const bool empty_b = entries_[b].value.size == 0;
        return empty_a == empty_b ? a < b : empty_b;
    });
    const auto same_key = [this](std::uint32_t a, std::uint32_t b) {
        return folded(entries_[a]) == folded(entries_[b]);
    };

    const Entry* first = nullptr;
    const Entry* second = nullptr;  // the topmost line that repeats another
    for (std::size_t i = 1; i < by_key_.size(); ++i) {
        const Entry& entry = entries_[by_key_[i]];
        if (entry.value.size == 0 || !same_key(by_key_[i - 1], by_key_[i])) continue;
        if (second == nullptr || entry.line_number < second->line_number) {
            first = &entries_[by_key_[i - 1]];
            second = &entry;
        }
    }
    if (second != nullptr) {
        fail(ErrorKind::input, "{}:{}: '{} = {}' repeats line {}, '{} = {}'", name_, second->line_number,
             shown(view(second->key)), shown(view(second->value)), first->line_number,
             shown(view(first->key)), shown(view(first->value)));
    }
    by_key_.erase(std::ranges::unique(by_key_, same_key).begin(), by_key_.end());
}

const Mdp::Entry* Mdp::find_line(std::string_view key) const {
    const std::string wanted = gromacs::folded(trimmed(key));
    const auto project = [this](std::uint32_t index) { return folded(entries_[index]); };
    const auto found = std::ranges::lower_bound(by_key_, std::string_view(wanted), {}, project);
    return found != by_key_.end() && project(*found) == wanted ? &entries_[*found] : nullptr;
}

const Mdp::Entry* Mdp::find(std::string_view key) const {
    const Entry* const entry = find_line(key);
    return entry != nullptr && entry->value.size > 0 ? entry : nullptr;
}

void Mdp::refuse(const Entry& entry, std::string_view why) const {
    fail(ErrorKind::input, "{}:{}: {} = '{}' {}", name_, entry.line_number, shown(view(entry.key)),
         shown(view(entry.value)), why);
}

bool Mdp::contains(std::string_view key) const {
    return find(key) != nullptr;
}

std::optional<std::string> Mdp::text(std::string_view key) const {
    const Entry* const entry = find(key);
    return entry != nullptr ? std::optional<std::string>(view(entry->value)) : std::nullopt;
}

std::vector<std::string> Mdp::words(std::string_view key) const {
    const Entry* const entry = find(key);
    return entry != nullptr ? split(view(entry->value)) : std::vector<std::string>();
}

std::optional<std::int64_t> Mdp::integer(std::string_view key) const {
    const Entry* const entry = find(key);
    if (entry == nullptr) return std::nullopt;
    const std::string_view digits = without_plus(view(entry->value));
    const char* const end = digits.data() + digits.size();
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    if (stop != end || error == std::errc::invalid_argument) refuse(*entry, "is not an integer");
    if (error != std::errc()) refuse(*entry, "does not fit into a 64-bit integer");
    return value;
}

std::optional<double> Mdp::real(std::string_view key) const {
    const Entry* const entry = find(key);
    if (entry == nullptr) return std::nullopt;
    const std::optional<double> value = to_real(view(entry->value));
    if (!value) refuse(*entry, "is not a finite real number in the range of a double");
    return value;
}

std::optional<bool> Mdp::boolean(std::string_view key) const {
    const Entry* const entry = find(key);
    if (entry == nullptr) return std::nullopt;
    const std::string value = gromacs::folded(view(entry->value));
    if (value == "yes" || value == "true" || value == "1") return true;
    if (value == "no" || value == "false" || value == "0") return false;
    refuse(*entry, "is neither yes nor no");
}

std::vector<Mdp::Item> Mdp::items() const {
    std::vector<Item> result;
    for (const Entry& entry : entries_) {
        if (entry.value.size > 0) result.push_back({view(entry.key), view(entry.value)});
    }
    return result;
}

void Mdp::set(std::string_view key, std::string_view value) {
    key = trimmed(key);
    value = trimmed(value);
    if (!is_key(key)) fail(ErrorKind::usage, "'{}' cannot be a key of an mdp file", shown(key));
    if (!is_value(value)) {
        fail(ErrorKind::usage, "{} = '{}' cannot be written into an mdp file", key, shown(value));
    }
    std::string text = text_;
    if (const Entry* const entry = find_line(key)) {
        if (view(entry->value) == value) return;
        if (entry->value.size == 0)
            text.insert(entry->value.begin, " ").insert(entry->value.begin + 1, value);
        else
            text.replace(entry->value.begin, entry->value.size, value);
    } else {
        if (value.empty()) return;
        const std::size_t newline = text.find('\n');
        const bool crlf = newline != std::string::npos && newline > 0 && text[newline - 1] == '\r';
        const std::string_view line_end = crlf ? "\r\n" : "\n";
        if (!text.empty() && !text.ends_with('\n')) text += line_end;
        text += fmt::format("{:<24} = {}{}", key, value, line_end);
    }
    replace_text(text);
}

void Mdp::set(std::string_view key, double value) {
    if (!std::isfinite(value)) fail(ErrorKind::usage, "{} cannot be set to {}", shown(key), value);
    set(key, std::string_view(fmt::format("{}", value)));
}

void Mdp::set(std::string_view key, const std::vector<std::string>& words) {
    for (const std::string& word : words) {
        if (word.empty() || word.find_first_of(kBlanks) != std::string::npos) {
            fail(ErrorKind::usage, "'{}' is not one word of a list for {}", shown(word), shown(key));
        }
    }
    set(key, std::string_view(fmt::format("{}", fmt::join(words, " "))));
}

bool Mdp::remove(std::string_view key) {
    const Entry* const entry = find(key);
    if (entry == nullptr) return false;
    std::string text = text_;
    text.erase(entry->line.begin, entry->line.size);
    replace_text(text);
    return true;
}

void Mdp::replace_text(const std::string& text) {
    Mdp next = parse(text, name_);
    next.changed_ = true;
    *this = std::move(next);
}

std::string Mdp::location(std::string_view key) const {
    const Entry* const entry = find(key);
    return entry != nullptr ? fmt::format("{}:{}", name_, entry->line_number) : name_;
}

void Mdp::write(const std::filesystem::path& path, bool overwrite) const {
    std::error_code ignored;
    if (!overwrite && std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) {
        fail(ErrorKind::usage, "'{}' is there already and is not overwritten", path.string());
    }
    write_file_durably(path, text_);
}

std::string Mdp::canonical() const {
    std::string canonical;
    for (const std::uint32_t index : by_key_) {
        const Entry& entry = entries_[index];
        if (entry.value.size == 0) continue;
        canonical.append(folded(entry)).append(1, '=').append(view(entry.value)).append(1, '\n');
    }
    return canonical;
}

std::vector<std::string> differences(const Mdp& a, const Mdp& b) {
    constexpr std::string_view kDefault = "(default)";
    std::vector<std::string> result;
    for (const auto& [key, value] : a.items()) {
        const std::string other = b.text(key).value_or(std::string(kDefault));
        if (other != value) result.push_back(fmt::format("{}: {} -> {}", key, value, other));
    }
    for (const auto& [key, value] : b.items()) {
        if (!a.contains(key)) result.push_back(fmt::format("{}: {} -> {}", key, kDefault, value));
    }
    return result;
}

namespace {

/// The interval in steps that a key gives, 0 where it switches its output off.
std::int64_t interval(const Mdp& mdp, std::string_view key) {
    const std::int64_t steps = mdp.integer(key).value_or(0);
    if (steps < 0 || steps > std::numeric_limits<std::int32_t>::max()) {
        // GROMACS keeps 32 bits of it: 4294967296 would be 0.
        fail(ErrorKind::input, "{}: {} = {} is no number of steps between two frames", mdp.location(key), key,
             steps);
    }
    return steps;
}

std::int64_t xtc_interval(const Mdp& mdp) {
    if (!mdp.contains("nstxtcout")) return interval(mdp, "nstxout-compressed");
    if (mdp.contains("nstxout-compressed")) {
        fail(ErrorKind::input, "{}: nstxtcout is the old name of nstxout-compressed, and both are given",
             mdp.location("nstxtcout"));
    }
    return interval(mdp, "nstxtcout");
}

std::int64_t trr_interval(const Mdp& mdp) {
    const std::int64_t positions = interval(mdp, "nstxout");
    if (positions == 0) return 0;
    for (const std::string_view key : {"nstvout", "nstfout"}) {
        const std::int64_t steps = interval(mdp, key);
        if (steps % positions != 0) {
            fail(ErrorKind::input,
                 "{}: {} = {} is no multiple of nstxout = {}: the trr would have frames without positions",
                 mdp.location(key), key, steps, positions);
        }
    }
    return positions;
}

}  // namespace

std::int64_t nstout(const Mdp& mdp, OutputFormat format) {
    const bool xtc = format == OutputFormat::xtc;
    const std::int64_t steps = xtc ? xtc_interval(mdp) : trr_interval(mdp);
    if (steps == 0) {
        fail(ErrorKind::input, "{}: the mdp writes no {} output: set {}", mdp.name(), xtc ? "xtc" : "trr",
             xtc ? "nstxout-compressed" : "nstxout");
    }
    return steps;
}

}  // namespace coromd::engine::gromacs
