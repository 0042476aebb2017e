// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Recursive descent, each rule a function that returns a node of the tree:
//
//     either  = both { "or" both }
//     both    = prefix { "and" prefix }
//     prefix  = "not" prefix
//             | "same" ("residue" | "resname" | "segid" | "moltype" | "molecule") "as" prefix
//             | ("around" | "within") real [ "of" ] prefix
//             | "within" real [ "of" ] real real real
//             | "(" either ")"
//             | term
//     term    = "all" | "none" | "protein" | "backbone" | "water" | "solute" | "hydrogen"
//             | ("name" | "resname" | "type" | "segid" | "moltype" | "element") pattern+
//             | ("resid" | "resnum" | "index" | "bynum") range+
//             | ("mass" | "charge") (comparison real | range+)
//             | "group" text
//     range   = number [ ("-" | ":" | "to") number ]
//
// The values of a term end at the next word that may begin or join selections, or at a parenthesis.
// "of", "as", "to" and the names of properties behind "same" are words only where they are expected:
// there are atoms with such names.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/core/letters.hpp"
#include "coromd/core/suggestion.hpp"
#include "selection_tree.hpp"

namespace coromd::trajectory {

namespace {

constexpr auto kKeywords = std::to_array<std::string_view>(
    {"name",     "resname", "resid",   "resnum", "index",  "bynum",   "element",  "mass",  "charge",
     "type",     "segid",   "moltype", "all",    "none",   "protein", "backbone", "water", "solute",
     "hydrogen", "group",   "same",    "around", "within", "not",     "and",      "or"});
constexpr int kMaxNesting = 200;

template <typename Value>
using Words = std::pair<std::string_view, Value>;

constexpr auto kClasses = std::to_array<Words<AtomClass>>({{"all", AtomClass::all},
                                                           {"none", AtomClass::none},
                                                           {"protein", AtomClass::protein},
                                                           {"backbone", AtomClass::backbone},
                                                           {"water", AtomClass::water},
                                                           {"solute", AtomClass::solute},
                                                           {"hydrogen", AtomClass::hydrogen}});
constexpr auto kTextProperties = std::to_array<Words<TextProperty>>({{"name", TextProperty::name},
                                                                     {"resname", TextProperty::resname},
                                                                     {"type", TextProperty::type},
                                                                     {"segid", TextProperty::segid},
                                                                     {"moltype", TextProperty::moltype},
                                                                     {"element", TextProperty::element}});
constexpr auto kNumberProperties = std::to_array<Words<NumberProperty>>({{"resid", NumberProperty::resid},
                                                                         {"resnum", NumberProperty::resid},
                                                                         {"index", NumberProperty::index},
                                                                         {"bynum", NumberProperty::bynum}});
constexpr auto kRealProperties =
    std::to_array<Words<RealProperty>>({{"mass", RealProperty::mass}, {"charge", RealProperty::charge}});
constexpr auto kSharedProperties =
    std::to_array<Words<SharedProperty>>({{"residue", SharedProperty::residue},
                                          {"resname", SharedProperty::resname},
                                          {"segid", SharedProperty::segid},
                                          {"moltype", SharedProperty::moltype},
                                          {"molecule", SharedProperty::molecule}});
constexpr auto kComparisons = std::to_array<Words<Comparison>>({{"<", Comparison::less},
                                                                {"<=", Comparison::less_equal},
                                                                {">", Comparison::greater},
                                                                {">=", Comparison::greater_equal},
                                                                {"==", Comparison::equal},
                                                                {"!=", Comparison::not_equal}});

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kComparisonCharacters = "<>=!";

template <typename Value, std::size_t N>
std::optional<Value> find_word(const std::array<Words<Value>, N>& words, std::string_view text) {
    const auto* it =
        std::ranges::find_if(words, [&](const auto& word) { return same_letters(word.first, text); });
    return it == words.end() ? std::nullopt : std::optional(it->second);
}

struct Token {
    std::string_view text;   ///< without quotes
    std::size_t column = 0;  ///< from 0
    bool quoted = false;
    bool end = false;  ///< of the selection

    bool is(std::string_view word) const { return !quoted && !end && same_letters(text, word); }
};

/// A number at the start of `text`, which is then shorter.
template <typename Number>
std::optional<Number> take_number(std::string_view& text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    if constexpr (std::is_floating_point_v<Number>) {
        if (!std::isfinite(number)) return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) { advance(); }

    SelectionTree parse() {
        if (token_.end) complain(token_, "a selection is expected");
        SelectionNode root = either();
        if (!token_.end) complain(token_, "'and', 'or' or the end is expected, not '{}'", token_.text);
        return {std::string(text_), std::move(root), needs_positions_};
    }

private:
    SelectionNode either() {
        return joined<AnyOf>("or", [this] { return both(); });
    }
    SelectionNode both() {
        return joined<AllOf>("and", [this] { return prefix(); });
    }

    template <typename Rule, typename Operand>
    SelectionNode joined(std::string_view word, const Operand& operand) {
        SelectionNode first = operand();
        if (!token_.is(word)) return first;
        const std::size_t column = first.column;
        Rule rule;
        rule.operands.push_back(std::move(first));
        while (take(word)) rule.operands.push_back(operand());
        return {column, std::move(rule)};
    }

    SelectionNode prefix() {
        if (++nesting_ > kMaxNesting) complain(token_, "the selection is nested too deeply");
        SelectionNode node = prefix_or_term();
        --nesting_;
        return node;
    }

    SelectionNode prefix_or_term() {
        const Token keyword = token_;
        if (take("not")) return {keyword.column, Not{operand()}};
        if (take("same")) return {keyword.column, same_as(keyword)};
        if (take("around") || take("within")) return {keyword.column, near(keyword)};
        if (take("(")) {
            SelectionNode node = either();
            if (!take(")")) complain(keyword, "this parenthesis is never closed");
            return node;
        }
        return term();
    }

    SelectionNodePtr operand() { return std::make_unique<SelectionNode>(prefix()); }

    SameAs same_as(const Token& keyword) {
        const std::optional<SharedProperty> property =
            token_.quoted ? std::nullopt : find_word(kSharedProperties, token_.text);
        if (!property) {
            complain(token_.end ? keyword : token_,
                     "'same' needs one of residue, resname, segid, moltype, molecule, as in "
                     "'same residue as name CA'");
        }
        const Token word = token_;
        advance();
        if (!take("as")) {
            complain(token_.end ? word : token_, "'as' and a selection are expected behind 'same {}'",
                     word.text);
        }
        return {*property, operand()};
    }

    Near near(const Token& keyword) {
        needs_positions_ = true;
        Near near;
        near.with_operand = keyword.is("within");
        std::string_view rest = token_.text;
        const std::optional<double> radius =
            token_.end || token_.quoted ? std::nullopt : take_number<double>(rest);
        if (!radius || !rest.empty() || *radius < 0.0) {
            complain(token_.end ? keyword : token_,
                     "'{0}' needs a distance in nm, as in '{0} 0.5 of protein'", keyword.text);
        }
        near.radius_nm = *radius;
        advance();
        take("of");
        if (!is_number()) {
            near.operand = operand();
            return near;
        }
        if (!near.with_operand) {
            complain(
                token_,
                "'around' needs a selection; a point in nm goes with 'within', as in 'within 0.5 of 1 2 3'");
        }
        near.point.x = coordinate();
        near.point.y = coordinate();
        near.point.z = coordinate();
        return near;
    }

    bool is_number() const {
        std::string_view rest = token_.text;
        return !token_.quoted && take_number<double>(rest);
    }

    float coordinate() {
        std::string_view rest = token_.text;
        const std::optional<float> number =
            token_.end || token_.quoted ? std::nullopt : take_number<float>(rest);
        if (!number || !rest.empty())
            complain(token_, "a point has three coordinates in nm, as in 'within 0.5 of 1 2 3'");
        advance();
        return *number;
    }

    SelectionNode term() {
        const Token keyword = token_;
        if (keyword.end) complain(keyword, "the selection ends where a keyword is expected");
        if (!keyword.quoted) {
            if (const auto atoms = find_word(kClasses, keyword.text)) {
                advance();
                return {keyword.column, *atoms};
            }
            if (const auto property = find_word(kTextProperties, keyword.text)) {
                advance();
                return {keyword.column, TextMatch{*property, patterns(keyword)}};
            }
            if (const auto property = find_word(kNumberProperties, keyword.text)) {
                advance();
                return {keyword.column, NumberMatch{*property, numbers(keyword)}};
            }
            if (const auto property = find_word(kRealProperties, keyword.text)) {
                advance();
                return {keyword.column, RealMatch{*property, tests(keyword)}};
            }
            if (take("group")) return {keyword.column, GroupMatch{group_name(keyword)}};
        }
        const std::string_view nearest = nearest_name(keyword.text, kKeywords);
        complain(keyword, "unknown keyword '{}'{}: known are {}", keyword.text,
                 nearest.empty() ? "" : fmt::format(" (did you mean '{}'?)", nearest),
                 fmt::join(kKeywords, ", "));
    }

    std::vector<TextMatch::Pattern> patterns(const Token& keyword) {
        std::vector<TextMatch::Pattern> patterns;
        for (; is_value(); advance()) patterns.push_back({std::string(token_.text), token_.quoted});
        if (patterns.empty()) {
            const bool is_word = !token_.end && token_.text != "(" && token_.text != ")";
            complain(keyword, "'{}' needs a name{}", keyword.text,
                     is_word
                         ? fmt::format(" (one that is also a keyword goes in quotes: \"{}\")", token_.text)
                         : "");
        }
        return patterns;
    }

    std::string group_name(const Token& keyword) {
        if (!is_value()) complain(keyword, "'group' needs the name of a group, as in 'group \"Protein-H\"'");
        std::string name(token_.text);
        advance();
        return name;
    }

    std::vector<NumberMatch::Range> numbers(const Token& keyword) {
        std::vector<NumberMatch::Range> ranges;
        while (is_value()) {
            const std::size_t column = token_.column;
            const auto [first, last] = range<std::int64_t>();
            ranges.push_back({first, last, column});
        }
        if (ranges.empty()) complain(keyword, "'{}' needs a number or a range such as 3-5", keyword.text);
        return ranges;
    }

    std::vector<RealMatch::Test> tests(const Token& keyword) {
        const auto comparison = token_.quoted ? std::nullopt : find_word(kComparisons, token_.text);
        if (comparison) {
            const Token sign = token_;
            advance();
            std::string_view rest = token_.text;
            const std::optional<double> number = take_number<double>(rest);
            if (!number || !rest.empty()) complain(sign, "a number is expected behind '{}'", sign.text);
            advance();
            return {{*comparison, *number, *number}};
        }
        std::vector<RealMatch::Test> tests;
        while (is_value()) {
            const auto [first, last] = range<double>();
            tests.push_back({Comparison::range, first, last});
        }
        if (tests.empty()) {
            complain(keyword, "'{0}' needs a number, a range such as 3-5, or a comparison, as in '{0} < 1.5'",
                     keyword.text);
        }
        return tests;
    }

    template <typename Number>
    std::pair<Number, Number> range() {
        const Token token = token_;
        std::string_view rest = token.text;
        const std::optional<Number> first = take_number<Number>(rest);
        std::optional<Number> last = first;
        const bool single = rest.empty();
        if (first && !rest.empty() && (rest.front() == '-' || rest.front() == ':')) {
            rest.remove_prefix(1);
            last = take_number<Number>(rest);
        }
        if (token.quoted || !last || !rest.empty()) {
            complain(token, "'{}' is no number or range such as 3-5", token.text);
        }
        advance();
        if (single && token_.is("to")) {
            const Token word = token_;
            advance();
            rest = token_.text;
            last = take_number<Number>(rest);
            if (!last || !rest.empty()) complain(word, "a number is expected behind 'to'");
            advance();
        }
        if (*first > *last) {
            complain(token, "the range '{}' runs backwards",
                     text_.substr(token.column, end_of_previous_ - token.column));
        }
        return {*first, *last};
    }

    bool is_value() const {
        if (token_.end) return false;
        if (token_.quoted) return true;
        return token_.text != "(" && token_.text != ")" &&
               std::ranges::none_of(kKeywords, [&](std::string_view word) { return token_.is(word); });
    }

    bool take(std::string_view word) {
        if (!token_.is(word)) return false;
        advance();
        return true;
    }

    void advance() {
        end_of_previous_ = next_;
        const std::size_t start = std::min(text_.find_first_not_of(kBlanks, next_), text_.size());
        if (start == text_.size()) {
            token_ = {{}, start, false, true};
            next_ = start;
            return;
        }
        const char c = text_[start];
        if (c == '"' || c == '\'') {
            const std::size_t close = text_.find(c, start + 1);
            if (close == std::string_view::npos) complain({{}, start}, "this quote is never closed");
            token_ = {text_.substr(start + 1, close - start - 1), start, true};
            next_ = close + 1;
            return;
        }
        std::size_t end = start + 1;
        if (kComparisonCharacters.find(c) != std::string_view::npos) {
            if (end < text_.size() && text_[end] == '=') ++end;
        } else if (c != '(' && c != ')') {
            end = std::min(text_.find_first_of(" \t\r\n()<>=!", start), text_.size());
        }
        token_ = {text_.substr(start, end - start), start};
        next_ = end;
    }

    template <typename... Args>
    [[noreturn]] void complain(const Token& where, fmt::format_string<Args...> format, Args&&... args) const {
        fail_in_selection(text_, where.column, fmt::format(format, std::forward<Args>(args)...));
    }

    std::string_view text_;
    std::size_t next_ = 0;
    std::size_t end_of_previous_ = 0;
    Token token_;
    int nesting_ = 0;
    bool needs_positions_ = false;
};

}  // namespace

SelectionTree parse_selection(std::string_view text) {
    constexpr std::size_t kMaxText = 1 << 20;
    if (text.size() > kMaxText) fail(ErrorKind::usage, "the selection has more than {} characters", kMaxText);
    return Parser(text).parse();
}

void fail_in_selection(std::string_view text, std::size_t column, std::string_view message) {
    std::string line(text);
    std::ranges::replace_if(
        line, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
    fail(ErrorKind::usage, "selection, column {}: {}\n    {}\n    {:>{}}", column + 1, message, line, '^',
         column + 1);
}

}  // namespace coromd::trajectory
