// SPDX-License-Identifier: LGPL-3.0-or-later
//
// From the text of an expression to what muParser evaluates.
//
// muParser alone would take too much: chained comparisons, assignments, several results with
// commas between them, numbers as conditions; and its own precedence of `not` is not Python's.
// So this recursive descent knows the grammar, the types and the columns:
//
//     or:      and {"or" and}                      boolean
//     and:     not {"and" not}                     boolean
//     not:     "not" not | comparison              boolean
//     comparison: sum [("<" | "<=" | ...) sum]     boolean, or what its sum is
//     sum:     product {("+" | "-") product}       number
//     product: unary {("*" | "/") unary}           number
//     unary:   ("+" | "-") unary | power           number
//     power:   primary ["^" unary]                 number
//     primary: number | name | name "(" or {"," or} ")" | "(" or ")"
//
// Every operation is emitted in parentheses, or inside of a call that checks that its result is
// finite. `and` and `or` become muParser's ? :, which evaluates only the side it takes.
#include "parser.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <numbers>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "coromd/core/units.hpp"

namespace coromd::functions {

namespace {

constexpr int kMaxDepth = 100;
constexpr std::size_t kMaxCodeBytes = 18'000;  // muParser takes less than 20,000
constexpr std::size_t kMaxQuotedBytes = 100;   // of the user's text inside of a message

struct Function {
    std::string_view name;
    std::string_view code;  // what muParser calls it
    std::size_t min_arguments = 1;
    std::size_t max_arguments = 1;
};
constexpr std::size_t kAnyNumber = 1000;
constexpr std::array<Function, 18> kFunctions = {{
    {"abs", "abs"},
    {"sqrt", "sqrt"},
    {"exp", "exp"},
    {"ln", "ln"},
    {"log", "ln"},
    {"log10", "log10"},
    {"sin", "sin"},
    {"cos", "cos"},
    {"tan", "tan"},
    {"asin", "asin"},
    {"acos", "acos"},
    {"atan", "atan"},
    {"sinh", "sinh"},
    {"cosh", "cosh"},
    {"tanh", "tanh"},
    {"atan2", "atan2", 2, 2},
    {"min", "min", 2, kAnyNumber},
    {"max", "max", 2, kAnyNumber},
}};

struct Constant {
    std::string_view name;
    double value;
};
constexpr std::array<Constant, 2> kConstants = {{{"pi", std::numbers::pi}, {"deg", units::kDegree}}};

constexpr std::array<std::string_view, 3> kWords = {"and", "or", "not"};
constexpr std::array<std::string_view, 6> kComparisons = {"<", "<=", ">", ">=", "==", "!="};

/// A part of the expression that has been read.
struct Part {
    std::string code;
    ValueType type = ValueType::number;
    std::size_t begin = 0;  // in the source
    std::size_t end = 0;
};

class Parser {
public:
    Parser(const SourceText& source, std::span<const ExpressionName> names)
        : source_(source), tokens_(tokenize(source)), names_(names) {
        for (const ExpressionName& name : names) types_.emplace(name.name, name.type);
    }

    ParsedExpression parse(ValueType type) {
        Part whole = disjunction();
        if (now().kind != TokenKind::end) fail_no_operator();
        if (type == ValueType::boolean && whole.type == ValueType::number) {
            source_.fail_at(
                whole.begin,
                fmt::format("{} is a number, no condition: compare it with something", quoted(whole)));
        }
        if (type == ValueType::number && whole.type == ValueType::boolean) {
            source_.fail_at(whole.begin, fmt::format("{} is a condition, no number: only a state can be one",
                                                     quoted(whole)));
        }
        result_.code = std::move(whole.code);
        return std::move(result_);
    }

private:
    /// Counts the levels of a recursion.
    class Level {
    public:
        explicit Level(Parser& parser) : depth_(parser.depth_) {
            if (depth_ == kMaxDepth) parser.fail(fmt::format("nested more than {} levels deep", kMaxDepth));
            ++depth_;
        }
        ~Level() { --depth_; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;

    private:
        int& depth_;
    };

    const Token& now() const { return tokens_[next_]; }
    const Token& following(std::size_t n) const { return tokens_[std::min(next_ + n, tokens_.size() - 1)]; }

    [[noreturn]] void fail(std::string_view message) const { source_.fail_at(now().offset, message); }

    /// Where an operand should be.
    [[noreturn]] void fail_no_operand() const {
        if (now().is_name("not")) fail("'not' cannot stand here: put it and its condition in parentheses");
        if (now().kind == TokenKind::string) fail_text();
        fail(fmt::format("a number, a name or '(' is missing before {}", now().described()));
    }

    /// Where an operator, a closing parenthesis or the end should be.
    [[noreturn]] void fail_no_operator() const {
        const Token& token = now();
        if (token.is_symbol("=")) fail("nothing can be assigned here: use == to compare");
        if (token.is_symbol(",")) fail("commas separate the arguments of functions, and nothing else");
        if (token.is_symbol(")")) fail("this ')' closes nothing");
        if (token.kind == TokenKind::string) fail_text();
        const bool name = token.kind == TokenKind::name;
        fail(fmt::format("an operator is missing before {}{}", token.described(),
                         name ? suggestion(token.text, kWords) : std::string()));
    }

    [[noreturn]] void fail_text() const {
        fail("texts in quotes belong to collective variables: define one as a variable of its own");
    }

    std::string quoted(const Part& part) const {
        const std::size_t size = part.end - part.begin;
        return size > kMaxQuotedBytes ? "this" : fmt::format("'{}'", source_.text().substr(part.begin, size));
    }

    void require(const Part& part, ValueType type, const Token& user) const {
        if (part.type == type) return;
        if (type == ValueType::number) {
            source_.fail_at(part.begin, fmt::format("{} needs numbers, but {} is a condition",
                                                    user.described(), quoted(part)));
        }
        source_.fail_at(part.begin,
                        fmt::format("{} needs conditions, but {} is a number: compare it with something",
                                    user.described(), quoted(part)));
    }

    /// What spans `left` to `right`.
    Part joined(const Part& left, const Part& right, ValueType type, std::string code) const {
        if (code.size() > kMaxCodeBytes) {
            source_.fail_at(left.begin, "this is too long: split it into several variables");
        }
        return {.code = std::move(code), .type = type, .begin = left.begin, .end = right.end};
    }

    Part disjunction() {
        Part left = conjunction();
        while (now().is_name("or")) {
            const Token& word = tokens_[next_++];
            require(left, ValueType::boolean, word);
            const Part right = conjunction();
            require(right, ValueType::boolean, word);
            left = joined(left, right, ValueType::boolean, fmt::format("({}?1:{})", left.code, right.code));
        }
        return left;
    }

    Part conjunction() {
        Part left = negation();
        while (now().is_name("and")) {
            const Token& word = tokens_[next_++];
            require(left, ValueType::boolean, word);
            const Part right = negation();
            require(right, ValueType::boolean, word);
            left = joined(left, right, ValueType::boolean, fmt::format("({}?{}:0)", left.code, right.code));
        }
        return left;
    }

    Part negation() {
        if (!now().is_name("not")) return comparison();
        const Level level(*this);
        const Token& word = tokens_[next_++];
        Part part = negation();
        require(part, ValueType::boolean, word);
        part.begin = word.offset;
        return joined(part, part, ValueType::boolean, fmt::format("({}?0:1)", part.code));
    }

    bool at_comparison() const {
        return now().kind == TokenKind::symbol &&
               std::ranges::find(kComparisons, now().text) != kComparisons.end();
    }

    Part comparison() {
        Part left = sum();
        if (!at_comparison()) return left;
        const Token& first = tokens_[next_++];
        require(left, ValueType::number, first);
        const Part middle = sum();
        require(middle, ValueType::number, first);
        if (at_comparison()) fail_chained(left, first, middle);
        return joined(left, middle, ValueType::boolean,
                      fmt::format("({}{}{})", left.code, first.text, middle.code));
    }

    [[noreturn]] void fail_chained(const Part& left, const Token& first, const Part& middle) {
        const Token& second = tokens_[next_++];
        const Part right = sum();
        const auto text = [this](const Part& part) {
            return std::string_view(source_.text()).substr(part.begin, part.end - part.begin);
        };
        const std::string way_out = fmt::format("{} {} {} and {} {} {}", text(left), first.text, text(middle),
                                                text(middle), second.text, text(right));
        source_.fail_at(second.offset,
                        way_out.size() > kMaxQuotedBytes
                            ? "chained comparison: write two comparisons with 'and' between them"
                            : fmt::format("chained comparison: write '{}'", way_out));
    }

    Part sum() {
        Part left = product();
        while (now().is_symbol("+") || now().is_symbol("-")) {
            const Token& sign = tokens_[next_++];
            require(left, ValueType::number, sign);
            const Part right = product();
            require(right, ValueType::number, sign);
            left = joined(left, right, ValueType::number,
                          fmt::format("{}({}{}{},{})", kCheckedFunction, left.code, sign.text, right.code,
                                      sign.offset));
        }
        return left;
    }

    Part product() {
        Part left = unary();
        while (now().is_symbol("*") || now().is_symbol("/")) {
            const Token& sign = tokens_[next_++];
            require(left, ValueType::number, sign);
            const bool by_zero = sign.text == "/" && now().kind == TokenKind::number && now().value == 0.0;
            const Token& divisor = now();
            const Part right = unary();
            require(right, ValueType::number, sign);
            if (by_zero && right.end == divisor.offset + divisor.text.size()) {
                source_.fail_at(sign.offset, "division by zero");
            }
            const std::string code =
                sign.text == "/"
                    ? fmt::format("{}({},{},{})", kDivideFunction, left.code, right.code, sign.offset)
                    : fmt::format("{}({}*{},{})", kCheckedFunction, left.code, right.code, sign.offset);
            left = joined(left, right, ValueType::number, code);
        }
        return left;
    }

    Part unary() {
        if (!now().is_symbol("+") && !now().is_symbol("-")) return power();
        const Level level(*this);
        const Token& sign = tokens_[next_++];
        Part part = unary();
        require(part, ValueType::number, sign);
        part.begin = sign.offset;
        if (sign.text == "+") return part;
        return joined(part, part, ValueType::number, fmt::format("(-{})", part.code));
    }

    Part power() {
        Part base = primary();
        if (!now().is_symbol("^")) return base;
        const Level level(*this);
        const Token& sign = tokens_[next_++];
        require(base, ValueType::number, sign);
        const Part exponent = unary();
        require(exponent, ValueType::number, sign);
        return joined(base, exponent, ValueType::number,
                      fmt::format("{}({}^{},{})", kCheckedFunction, base.code, exponent.code, sign.offset));
    }

    Part primary() {
        const Token& token = now();
        if (token.is_symbol("(")) return parenthesis();
        if (token.kind == TokenKind::number) return constant(token.value);
        if (token.kind != TokenKind::name || std::ranges::find(kWords, token.text) != kWords.end())
            fail_no_operand();
        if (following(1).is_symbol("(")) return call();

        if (const auto variable = types_.find(token.text); variable != types_.end())
            return name(variable->second);
        if (const auto known = std::ranges::find(kConstants, token.text, &Constant::name);
            known != kConstants.end()) {
            return constant(known->value);
        }
        if (std::ranges::find(kFunctions, token.text, &Function::name) != kFunctions.end()) {
            fail(fmt::format("'{0}' is a function: write {0}(...)", token.text));
        }
        fail(fmt::format("unknown name '{}'{}", token.text, suggestion(token.text, known_names())));
    }

    Part parenthesis() {
        const Level level(*this);
        const Token& open = tokens_[next_++];
        Part part = disjunction();
        close(open);
        part.begin = open.offset;
        part.end = tokens_[next_ - 1].offset + 1;
        return part;
    }

    void close(const Token& open) {
        if (now().kind == TokenKind::end) source_.fail_at(open.offset, "this '(' is never closed");
        if (!now().is_symbol(")")) fail_no_operator();
        ++next_;
    }

    Part constant(double value) {
        const Token& token = tokens_[next_++];
        result_.constants.push_back(value);
        return {.code = fmt::format("c{}", result_.constants.size() - 1),
                .type = ValueType::number,
                .begin = token.offset,
                .end = token.offset + token.text.size()};
    }

    Part name(ValueType type) {
        const Token& token = tokens_[next_++];
        const auto [slot, is_new] = slots_.emplace(token.text, result_.variables.size());
        if (is_new) result_.variables.emplace_back(token.text);
        return {.code = fmt::format("v{}", slot->second),
                .type = type,
                .begin = token.offset,
                .end = token.offset + token.text.size()};
    }

    Part call() {
        const Token& token = now();
        const Token& open = following(1);
        const auto function = std::ranges::find(kFunctions, token.text, &Function::name);
        if (function == kFunctions.end()) fail_unknown_function(token);
        const Level level(*this);
        next_ += 2;
        Part part;
        part.begin = token.offset;
        std::size_t count = 0;
        for (; count == 0 || now().is_symbol(","); ++count) {
            if (count > 0) ++next_;
            const Part argument = disjunction();
            require(argument, ValueType::number, token);
            part = joined(part, argument, ValueType::number,
                          count == 0 ? argument.code : fmt::format("{},{}", part.code, argument.code));
        }
        close(open);
        if (count < function->min_arguments || count > function->max_arguments) {
            source_.fail_at(
                token.offset,
                fmt::format("{} takes {}{} argument{}, not {}", token.text,
                            function->max_arguments == kAnyNumber ? "at least " : "", function->min_arguments,
                            function->min_arguments == 1 ? "" : "s", count));
        }
        part.end = tokens_[next_ - 1].offset + 1;
        return joined(
            part, part, ValueType::number,
            fmt::format("{}({}({}),{})", kCheckedFunction, function->code, part.code, token.offset));
    }

    [[noreturn]] void fail_unknown_function(const Token& token) const {
        if (following(2).kind == TokenKind::string) {
            fail(fmt::format(
                "'{}(...)' cannot stand inside of an expression: define it as a variable of its own",
                token.text));
        }
        if (types_.contains(token.text))
            fail(fmt::format("'{}' is no function: an operator is missing", token.text));
        std::vector<std::string_view> known;
        std::ranges::transform(kFunctions, std::back_inserter(known), &Function::name);
        fail(fmt::format("unknown function '{}'{}", token.text, suggestion(token.text, known)));
    }

    std::vector<std::string_view> known_names() const {
        std::vector<std::string_view> known;
        std::ranges::transform(names_, std::back_inserter(known), &ExpressionName::name);
        std::ranges::transform(kConstants, std::back_inserter(known), &Constant::name);
        std::ranges::transform(kFunctions, std::back_inserter(known), &Function::name);
        std::ranges::copy(kWords, std::back_inserter(known));
        return known;
    }

    const SourceText& source_;
    std::vector<Token> tokens_;
    std::span<const ExpressionName> names_;
    std::unordered_map<std::string_view, ValueType> types_;
    std::unordered_map<std::string_view, std::size_t> slots_;
    std::size_t next_ = 0;
    int depth_ = 0;
    ParsedExpression result_;
};

}  // namespace

ParsedExpression parse_expression(const SourceText& source, std::span<const ExpressionName> names,
                                  ValueType type) {
    return Parser(source, names).parse(type);
}

bool Expression::is_reserved(std::string_view name) noexcept {
    return std::ranges::find(kWords, name) != kWords.end() ||
           std::ranges::find(kConstants, name, &Constant::name) != kConstants.end() ||
           std::ranges::find(kFunctions, name, &Function::name) != kFunctions.end();
}

}  // namespace coromd::functions
