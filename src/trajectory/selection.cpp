// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Recursive descent, each rule a function that returns a mask over the atoms:
//
//     either  = both { "or" both }
//     both    = inverse { "and" inverse }
//     inverse = "not" inverse | "(" either ")" | term
//     term    = "all" | "protein" | ("name" | "resname") pattern+ | ("resid" | "index" | "bynum") range+
//
// The values of a term end at the next keyword or parenthesis.
#include "coromd/trajectory/selection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "coromd/core/error.hpp"
#include "elements.hpp"

namespace coromd::trajectory {

namespace {

using Mask = std::vector<bool>;

constexpr auto kKeywords = std::to_array<std::string_view>(
    {"name", "resname", "resid", "index", "bynum", "all", "protein", "not", "and", "or"});
constexpr int kMaxNesting = 200;

struct Token {
    std::string_view text;   ///< empty at the end
    std::size_t column = 0;  ///< from 0
};

struct Range {
    std::int64_t first = 0;
    std::int64_t last = 0;
};

/// Does `text` match `pattern`, in which * stands for any characters and ? for one?
bool matches(std::string_view text, std::string_view pattern) {
    std::size_t t = 0;
    std::size_t p = 0;
    std::size_t star = std::string_view::npos;
    std::size_t after_star = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            after_star = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            // Let the last star swallow one character more.
            p = star + 1;
            t = ++after_star;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

class Parser {
public:
    Parser(const Topology& topology, std::string_view text) : topology_(topology), text_(text) { advance(); }

    Mask parse() {
        if (at_end()) complain(token_, "a selection is expected");
        Mask mask = either();
        if (!at_end()) complain(token_, "'and', 'or' or the end is expected, not '{}'", token_.text);
        return mask;
    }

private:
    Mask either() {
        Mask mask = both();
        while (take("or")) {
            const Mask other = both();
            for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = mask[i] || other[i];
        }
        return mask;
    }

    Mask both() {
        Mask mask = inverse();
        while (take("and")) {
            const Mask other = inverse();
            for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = mask[i] && other[i];
        }
        return mask;
    }

    Mask inverse() {
        if (++nesting_ > kMaxNesting) complain(token_, "the selection is nested too deeply");
        Mask mask;
        if (take("not")) {
            mask = inverse();
            mask.flip();
        } else if (const Token open = token_; take("(")) {
            mask = either();
            if (!take(")")) complain(open, "this parenthesis is never closed");
        } else {
            mask = term();
        }
        --nesting_;
        return mask;
    }

    Mask term() {
        const Token keyword = token_;
        if (at_end()) complain(keyword, "the selection ends where a keyword is expected");
        advance();
        if (keyword.text == "all") return Mask(topology_.atoms().size(), true);
        if (keyword.text == "protein") {
            return where([](const Atom& atom, std::int64_t) { return is_protein_residue(atom.resname); });
        }
        if (keyword.text == "name") return by_pattern(keyword, &Atom::name);
        if (keyword.text == "resname") return by_pattern(keyword, &Atom::resname);
        if (keyword.text == "resid") {
            return by_range(keyword, std::nullopt, [](const Atom& atom, std::int64_t) { return atom.resid; });
        }
        if (keyword.text == "index") {
            return by_range(keyword, 0, [](const Atom&, std::int64_t index) { return index; });
        }
        if (keyword.text == "bynum") {
            return by_range(keyword, 1, [](const Atom&, std::int64_t index) { return index + 1; });
        }
        complain(keyword, "unknown keyword '{}': known are {}", keyword.text, fmt::join(kKeywords, ", "));
    }

    Mask by_pattern(const Token& keyword, std::string Atom::*member) {
        std::vector<std::string_view> patterns;
        for (; is_value(); advance()) patterns.push_back(token_.text);
        if (patterns.empty()) complain(keyword, "'{}' needs a name", keyword.text);
        return where([&](const Atom& atom, std::int64_t) {
            return std::ranges::any_of(patterns,
                                       [&](std::string_view p) { return matches(atom.*member, p); });
        });
    }

    /// `base` is the number of the first atom where the numbers are those of atoms.
    template <typename Number>
    Mask by_range(const Token& keyword, std::optional<std::int64_t> base, const Number& number) {
        std::vector<Range> ranges;
        for (; is_value(); advance()) ranges.push_back(parse_range(base));
        if (ranges.empty()) complain(keyword, "'{}' needs a number or a range such as 3-5", keyword.text);
        return where([&](const Atom& atom, std::int64_t index) {
            const std::int64_t n = number(atom, index);
            return std::ranges::any_of(ranges, [&](const Range& r) { return r.first <= n && n <= r.last; });
        });
    }

    Range parse_range(std::optional<std::int64_t> base) const {
        // A minus at the start is a sign.
        const std::size_t separator = token_.text.find_first_of("-:", 1);
        const std::optional<std::int64_t> first = parse_number(token_.text.substr(0, separator));
        const std::optional<std::int64_t> last =
            separator == std::string_view::npos ? first : parse_number(token_.text.substr(separator + 1));
        if (!first || !last) complain(token_, "'{}' is no number or range such as 3-5", token_.text);
        if (*first > *last) complain(token_, "the range '{}' runs backwards", token_.text);
        if (base && (*first < *base || *last >= *base + topology_.size())) {
            complain(token_, "'{}' is out of range: the atoms are {} to {}", token_.text, *base,
                     *base + topology_.size() - 1);
        }
        return {*first, *last};
    }

    static std::optional<std::int64_t> parse_number(std::string_view text) {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
        return number;
    }

    template <typename Predicate>
    Mask where(const Predicate& predicate) const {
        Mask mask(topology_.atoms().size());
        for (std::size_t i = 0; i < mask.size(); ++i) {
            mask[i] = predicate(topology_.atoms()[i], static_cast<std::int64_t>(i));
        }
        return mask;
    }

    bool at_end() const { return token_.text.empty(); }
    bool is_value() const {
        return !at_end() && token_.text != "(" && token_.text != ")" &&
               std::ranges::find(kKeywords, token_.text) == kKeywords.end();
    }
    bool take(std::string_view text) {
        if (token_.text != text) return false;
        advance();
        return true;
    }

    void advance() {
        constexpr std::string_view kBlanks = " \t\r\n";
        const std::size_t start = std::min(text_.find_first_not_of(kBlanks, next_), text_.size());
        std::size_t end = std::min(text_.find_first_of(" \t\r\n()", start), text_.size());
        if (end == start && start < text_.size()) ++end;  // a parenthesis
        token_ = {text_.substr(start, end - start), start};
        next_ = end;
    }

    template <typename... Args>
    [[noreturn]] void complain(const Token& where, fmt::format_string<Args...> format, Args&&... args) const {
        std::string line(text_);
        std::ranges::replace_if(
            line, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
        fail(ErrorKind::usage, "selection, column {}: {}\n    {}\n    {:>{}}", where.column + 1,
             fmt::format(format, std::forward<Args>(args)...), line, '^', where.column + 1);
    }

    const Topology& topology_;
    std::string_view text_;
    std::size_t next_ = 0;
    Token token_;
    int nesting_ = 0;
};

}  // namespace

std::vector<std::int32_t> select(const Topology& topology, std::string_view text) {
    constexpr std::size_t kMaxText = 1 << 20;
    if (text.size() > kMaxText) fail(ErrorKind::usage, "the selection has more than {} characters", kMaxText);
    if (topology.size() > std::numeric_limits<std::int32_t>::max()) {
        fail(ErrorKind::usage, "{} atoms are too many to select from", topology.size());
    }
    const Mask mask = Parser(topology, text).parse();
    std::vector<std::int32_t> indices;
    for (std::size_t i = 0; i < mask.size(); ++i) {
        if (mask[i]) indices.push_back(static_cast<std::int32_t>(i));
    }
    if (indices.empty()) fail(ErrorKind::usage, "the selection '{}' matches no atom", text);
    return indices;
}

}  // namespace coromd::trajectory
