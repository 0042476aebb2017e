// SPDX-License-Identifier: LGPL-3.0-or-later
#include "text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "coromd/core/suggestion.hpp"

namespace coromd::functions {

namespace {

constexpr std::size_t kMaxTextBytes = 10'000;
constexpr std::size_t kShownBefore = 60;  // characters of a long text that are shown
constexpr std::size_t kShownBehind = 40;  // before and behind the place

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name_char(char c) {
    return is_name_start(c) || is_digit(c);
}
/// Does a UTF-8 character begin with this byte?
bool is_character_start(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, is_character_start));
}

/// One line, so that a caret below it stands right.
std::string in_one_line(std::string_view text) {
    std::string line(text);
    std::ranges::replace_if(
        line, [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7F; }, ' ');
    return line;
}

// The longer ones first: the first that fits is taken.
constexpr std::array<std::string_view, 15> kSymbols = {"<=", ">=", "==", "!=", "<", ">", "+", "-",
                                                       "*",  "/",  "^",  "(",  ")", ",", "="};

/// What is no symbol here, but is in languages that users come from.
struct ForeignSymbol {
    std::string_view text;
    std::string_view hint;
};
constexpr std::array<ForeignSymbol, 18> kForeignSymbols = {{
    {"&&", "write 'and'"},
    {"||", "write 'or'"},
    {"**", "write '^' for powers"},
    {"=<", "write '<='"},
    {"=>", "write '>='"},
    {"<>", "write '!='"},
    {":=", "nothing can be assigned here"},
    {"&", "write 'and'"},
    {"|", "write 'or'"},
    {"?", "there is no '? :': write conditions with 'and', 'or', 'not'"},
    {":", "there is no '? :': write conditions with 'and', 'or', 'not'"},
    {"≤", "write '<='"},
    {"≥", "write '>='"},
    {"≠", "write '!='"},
    {"°", "write '*deg'"},
    {"−", "write '-'"},
    {"·", "write '*'"},
    {"π", "write 'pi'"},
}};

/// Cuts words off the front of a source.
class Tokenizer {
public:
    explicit Tokenizer(const SourceText& source) : source_(source), rest_(source.text()) {}

    Token next() {
        while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
        if (rest_.empty()) return token(TokenKind::end, 0);
        const char c = rest_.front();
        if (is_name_start(c)) {
            const auto end = std::ranges::find_if_not(rest_, is_name_char);
            return token(TokenKind::name, static_cast<std::size_t>(end - rest_.begin()));
        }
        if (is_digit(c) || (c == '.' && rest_.size() > 1 && is_digit(rest_[1]))) return number();
        if (c == '"' || c == '\'') return string();
        return symbol();
    }

private:
    std::size_t offset() const { return source_.text().size() - rest_.size(); }

    Token token(TokenKind kind, std::size_t size) {
        const Token result{.kind = kind, .text = rest_.substr(0, size), .offset = offset()};
        rest_.remove_prefix(size);
        return result;
    }

    Token number() {
        double value = 0.0;
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        if (error == std::errc::result_out_of_range) source_.fail_at(offset(), "this number is out of range");
        Token result = token(TokenKind::number, static_cast<std::size_t>(end - rest_.data()));
        result.value = value;
        if (!rest_.empty() && is_name_start(rest_.front())) {
            source_.fail_at(offset(), "a number and a name need an operator between them, as in '2*phi'");
        }
        if (!rest_.empty() && (rest_.front() == '.' || is_digit(rest_.front()))) {
            source_.fail_at(result.offset, "this is no number");
        }
        return result;
    }

    Token string() {
        const std::size_t end = rest_.find(rest_.front(), 1);
        if (end == std::string_view::npos) source_.fail_at(offset(), "this quote is never closed");
        Token result = token(TokenKind::string, end + 1);
        result.text = result.text.substr(1, end - 1);
        return result;
    }

    Token symbol() {
        const auto starts_rest = [this](std::string_view text) { return rest_.starts_with(text); };
        const auto foreign = std::ranges::find_if(kForeignSymbols, starts_rest, &ForeignSymbol::text);
        if (foreign != kForeignSymbols.end()) {
            source_.fail_at(offset(),
                            fmt::format("'{}' is no operator here: {}", foreign->text, foreign->hint));
        }
        const auto known = std::ranges::find_if(kSymbols, starts_rest);
        if (known != kSymbols.end()) return token(TokenKind::symbol, known->size());
        if (rest_.front() == '!') source_.fail_at(offset(), "'!' is no operator here: write 'not'");
        source_.fail_at(offset(), "this character means nothing here");
    }

    const SourceText& source_;
    std::string_view rest_;
};

}  // namespace

SourceText::SourceText(std::string what, std::string text) : what_(std::move(what)), text_(std::move(text)) {
    if (text_.size() > kMaxTextBytes) {
        fail(ErrorKind::usage, "in {}: the text is {} bytes long, more than the {} that are allowed", what_,
             text_.size(), kMaxTextBytes);
    }
    if (std::ranges::all_of(text_, is_space))
        fail(ErrorKind::usage, "in {}, column 1: the text is empty", what_);
}

std::string SourceText::place(std::size_t offset) const {
    return fmt::format("{}, column {}", what_, characters(std::string_view(text_).substr(0, offset)) + 1);
}

void SourceText::fail_at(std::size_t offset, std::string_view message, ErrorKind kind) const {
    std::string_view before = std::string_view(text_).substr(0, offset);
    std::string_view behind = std::string_view(text_).substr(offset);
    std::string_view cut_before;
    std::string_view cut_behind;
    if (characters(before) > kShownBefore) {
        std::size_t start = before.size();
        for (std::size_t shown = 0; shown < kShownBefore;)
            shown += is_character_start(before[--start]) ? 1 : 0;
        before.remove_prefix(start);
        cut_before = "...";
    }
    if (characters(behind) > kShownBehind) {
        std::size_t end = 0;
        for (std::size_t shown = 0; shown <= kShownBehind; ++end) {
            shown += is_character_start(behind[end]) ? 1 : 0;
        }
        behind = behind.substr(0, end - 1);
        cut_behind = "...";
    }
    fail(kind, "in {}: {}\n  {}{}{}{}\n  {:>{}}", place(offset), message, cut_before, in_one_line(before),
         in_one_line(behind), cut_behind, "^", cut_before.size() + characters(before) + 1);
}

std::string Token::described() const {
    switch (kind) {
        case TokenKind::end:
            return "the end";
        case TokenKind::string:
            return fmt::format("the text \"{}\"", text);
        default:
            return fmt::format("'{}'", text);
    }
}

std::vector<Token> tokenize(const SourceText& source) {
    Tokenizer tokenizer(source);
    std::vector<Token> tokens;
    do {
        tokens.push_back(tokenizer.next());
    } while (tokens.back().kind != TokenKind::end);
    return tokens;
}

bool is_identifier(std::string_view text) noexcept {
    return !text.empty() && is_name_start(text.front()) && std::ranges::all_of(text, is_name_char);
}

std::string suggestion(std::string_view name, std::span<const std::string_view> known) {
    const std::string_view nearest = nearest_name(name, known);
    return nearest.empty() ? std::string() : fmt::format(" (did you mean '{}'?)", nearest);
}

}  // namespace coromd::functions
