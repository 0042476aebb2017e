// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/functions/expression.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <new>
#include <numbers>
#include <optional>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/core/error.hpp"

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

// Counts what the program allocates, for the test that evaluators allocate nothing.
void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace coromd::functions {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<ExpressionName> kNames = {{"x", ValueType::number},
                                            {"y", ValueType::number},
                                            {"zero", ValueType::number},
                                            {"phi", ValueType::number},
                                            {"inside", ValueType::boolean}};
const std::map<std::string, double> kValues = {
    {"x", 2.0}, {"y", 3.0}, {"zero", 0.0}, {"phi", -1.0}, {"inside", 1.0}};

double evaluate(const Expression& expression) {
    ExpressionEvaluator evaluator = expression.evaluator();
    for (std::size_t i = 0; i < expression.variables().size(); ++i) {
        evaluator.variables()[i] = kValues.at(expression.variables()[i]);
    }
    return evaluator();
}

double evaluate(const std::string& text, ValueType type) {
    return evaluate(Expression("test", text, kNames, type));
}

struct Good {
    std::string text;
    double value;
};

const std::vector<Good> kGoodNumbers = {
    {"7", 7},
    {".5", 0.5},
    {"1e-3", 1e-3},
    {"2.5E+2", 250},
    {"5.", 5},
    {"x", 2},
    {"  x\n", 2},
    {"x+y*x", 8},
    {"(x+y)*x", 10},
    {"x-y-x", -3},
    {"12/y/x", 2},
    {"x/y*y", 2},
    {"-x^2", -4},
    {"(-x)^2", 4},
    {"x^-1", 0.5},
    {"2^3^2", 512},
    {"--x", 2},
    {"+-+x", -2},
    {"x--y", 5},
    {"2*-y", -6},
    {"-x*y", -6},
    {"x^y*2", 16},
    {"pi", std::numbers::pi},
    {"180*deg", std::numbers::pi},
    {"-50*deg", -50 * std::numbers::pi / 180},
    {"abs(-x)", 2},
    {"sqrt(x+2)", 2},
    {"exp(ln(y))", 3},
    {"log(exp(1))", 1},
    {"log10(1000)", 3},
    {"sin(pi/2)", 1},
    {"cos(pi)", -1},
    {"tan(pi/4)", 1},
    {"asin(1)/deg", 90},
    {"acos(-1)", std::numbers::pi},
    {"atan(1)", std::numbers::pi / 4},
    {"atan2(-1, 0)", -std::numbers::pi / 2},
    {"sinh(0)", 0},
    {"cosh(0)", 1},
    {"tanh(0)", 0},
    {"min(x, y)", 2},
    {"max(x, y, 7, 1)", 7},
    {"min(max(x, y), 2.5)", 2.5},
    {"0.5*(x + y)", 2.5},
    {"((((x))))", 2},
    {"1/x", 0.5},
    {"zero/x", 0},
    {"x/0.5", 4},
    {"1/0^zero", 1},
};

TEST(Expression, numbers_have_their_values) {
    for (const Good& good : kGoodNumbers) {
        EXPECT_DOUBLE_EQ(evaluate(good.text, ValueType::number), good.value) << good.text;
    }
}

const std::vector<Good> kGoodConditions = {
    {"x < y", 1},
    {"x > y", 0},
    {"x <= 2", 1},
    {"x >= 2", 1},
    {"x == 2", 1},
    {"x != 2", 0},
    {"x == 2.0000001", 0},
    {"x < y and y < x", 0},
    {"x < y or y < x", 1},
    {"not x < y", 0},
    {"not not x < y", 1},
    {"not (y < x)", 1},
    {"not y < x and x < y", 1},  // (not y < x) and ...
    {"not x < y or x < y", 1},   // (not x < y) or ...
    {"x < y or x < y and y < x", 1},
    {"(x < y or x < y) and y < x", 0},
    {"x + 1 < y * 2 - 1", 1},
    {"-x < -1", 1},
    {"phi <= 0 and -90*deg <= phi and phi <= 30*deg", 1},
    {"inside", 1},
    {"not inside", 0},
    {"inside and x < y", 1},
    {"(inside)", 1},
    {"(x < y)", 1},
    // The right side is not looked at where the left one decides.
    {"zero > 0 and 1/zero > 2", 0},
    {"zero == 0 or 1/zero > 2", 1},
    {"zero > 0 and (1/zero > 2 or x < y) or x < y", 1},
};

TEST(Expression, conditions_have_their_values) {
    for (const Good& good : kGoodConditions) {
        EXPECT_EQ(evaluate(good.text, ValueType::boolean), good.value) << good.text;
    }
}

struct Bad {
    std::string text;
    int column;
    std::string message;
};

std::string error_of(const std::string& text, ValueType type) {
    try {
        const Expression expression("test", text, kNames, type);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.message();
    }
    return "no error";
}

const std::vector<Bad> kBadNumbers = {
    {"", 1, "the text is empty"},
    {"  ", 1, "the text is empty"},
    {"x +", 4, "a number, a name or '(' is missing before the end"},
    {"* x", 1, "a number, a name or '(' is missing before '*'"},
    {"x + * y", 5, "a number, a name or '(' is missing before '*'"},
    {"x y", 3, "an operator is missing before 'y'"},
    {"x 2", 3, "an operator is missing before '2'"},
    {"(x)(y)", 4, "an operator is missing before '('"},
    {"2(x)", 2, "an operator is missing before '('"},
    {"(x + y", 1, "this '(' is never closed"},
    {"sqrt(x", 5, "this '(' is never closed"},
    {"x + (y * (x)", 5, "this '(' is never closed"},
    {"x)", 2, "this ')' closes nothing"},
    {"()", 2, "a number, a name or '(' is missing"},
    {"x, y", 2, "commas separate"},
    {"(x, y)", 3, "commas separate"},
    {"x = 2", 3, "nothing can be assigned here: use =="},
    {"x & y", 3, "'&' is no operator here"},
    {"x ? y : 1", 3, "'?' is no operator here"},
    {"x ** 2", 3, "'**'"},
    {"x; y", 2, "this character means nothing here"},
    {"x % 2", 3, "this character"},
    {"z", 1, "unknown name 'z'"},
    {"ph + 1", 1, "unknown name 'ph' (did you mean 'phi'?)"},
    {"x + PHI", 5, "unknown name 'PHI' (did you mean 'phi'?)"},
    {"2*PI", 3, "unknown name 'PI' (did you mean 'pi'?)"},
    {"x*e", 3, "unknown name 'e'"},
    {"x*_pi", 3, "unknown name '_pi' (did you mean 'pi'?)"},
    {"v0", 1, "unknown name"},
    {"sqrt", 1, "'sqrt' is a function: write sqrt(...)"},
    {"sqr(x)", 1, "unknown function 'sqr' (did you mean 'sqrt'?)"},
    {"x(y)", 1, "'x' is no function"},
    {"sqrt()", 6, "a number, a name or '(' is missing"},
    {"sqrt(x, y)", 1, "sqrt takes 1 argument, not 2"},
    {"min(x)", 1, "min takes at least 2 arguments, not 1"},
    {"atan2(x)", 1, "atan2 takes 2 arguments, not 1"},
    {"max(x,)", 7, "a number, a name or '(' is missing"},
    {"rnd(x)", 1, "unknown function"},
    {"sum(x, y)", 1, "unknown function"},
    {"if(x, y, 1)", 1, "unknown function"},
    {"distance(\"a\", \"b\")", 1, "'distance(...)' cannot stand inside of an expression"},
    {"\"index 4\"", 1, "texts in quotes"},
    {"x + 'a'", 5, "texts in quotes"},
    {"x/0", 2, "division by zero"},
    {"x / 0.0 + 1", 3, "division by zero"},
    {"x < y", 1, "'x < y' is a condition, no number"},
    {"x and y", 1, "'and' needs conditions, but 'x' is a number"},
    {"inside + 1", 1, "'+' needs numbers, but 'inside' is a condition"},
    {"x * (x < y)", 5, "'*' needs numbers, but '(x < y)' is a condition"},
    {"-(x < y)", 2, "'-' needs numbers"},
    {"x^inside", 3, "'^' needs numbers"},
    {"sqrt(x < y)", 6, "'sqrt' needs numbers"},
    {"1 + not x", 5, "'not' cannot stand here"},
    {"0x10", 2, "a number and a name need an operator"},
};

TEST(Expression, bad_numbers_are_pointed_at) {
    for (const Bad& bad : kBadNumbers) {
        EXPECT_THAT(error_of(bad.text, ValueType::number),
                    HasSubstr(fmt::format("in test, column {}: {}", bad.column, bad.message)));
    }
}

const std::vector<Bad> kBadConditions = {
    {"phi + 1", 1, "'phi + 1' is a number, no condition: compare it with something"},
    {"-50*deg <= phi <= 30*deg", 16, "chained comparison: write '-50*deg <= phi and phi <= 30*deg'"},
    {"x < y < 2", 7, "chained comparison: write 'x < y and y < 2'"},
    {"x == y == 2", 8, "chained comparison"},
    {"x < y == inside", 7, "chained comparison"},
    {"x < y and", 10, "a number, a name or '(' is missing before the end"},
    {"and x < y", 1, "a number, a name or '('"},
    {"x < y or or y < x", 10, "a number, a name or '(' is missing before 'or'"},
    {"x < y AND y < x", 7, "an operator is missing before 'AND' (did you mean 'and'?)"},
    {"x < y && y < x", 7, "'&&' is no operator here: write 'and'"},
    {"x < y || y < x", 7, "'||' is no operator"},
    {"!x < y", 1, "'!' is no operator here: write 'not'"},
    {"x =< y", 3, "'=<' is no operator here: write '<='"},
    {"x => y", 3, "'=>'"},
    {"x <> y", 3, "'<>' is no operator here: write '!='"},
    {"x := y", 3, "':='"},
    {"x = y", 3, "nothing can be assigned here: use == to compare"},
    {"x < y and phi", 11, "'and' needs conditions, but 'phi' is a number"},
    {"phi or x < y", 1, "'or' needs conditions"},
    {"not phi", 5, "'not' needs conditions, but 'phi' is a number"},
    {"not (phi + 1)", 5, "'not' needs conditions"},
    {"inside == inside", 1, "'==' needs numbers, but 'inside' is a condition"},
    {"x == not inside", 6, "'not' cannot stand here"},
    {"x ≤ y", 3, "'≤' is no operator here: write '<='"},
    {"1/0 > 1", 2, "division by zero"},
    {"not", 4, "a number, a name or '(' is missing before the end"},
};

TEST(Expression, bad_conditions_are_pointed_at) {
    for (const Bad& bad : kBadConditions) {
        EXPECT_THAT(error_of(bad.text, ValueType::boolean),
                    HasSubstr(fmt::format("in test, column {}: {}", bad.column, bad.message)));
    }
}

TEST(Expression, error_shows_the_place) {
    try {
        Expression("state 'alphaR'", "-50*deg <= phi <= 30*deg", kNames, ValueType::boolean);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(
            error.message(),
            "in state 'alphaR', column 16: chained comparison: write '-50*deg <= phi and phi <= 30*deg'\n"
            "  -50*deg <= phi <= 30*deg\n"
            "                 ^");
    }
}

TEST(Expression, lists_the_variables_it_uses_in_their_order) {
    const Expression expression("test", "y*y + x - y/2*deg", kNames, ValueType::number);
    EXPECT_THAT(expression.variables(), ElementsAre("y", "x"));
    EXPECT_EQ(expression.text(), "y*y + x - y/2*deg");
}

const std::vector<Bad> kNotFinite = {
    {"y + x/zero", 6, "division by zero, with y = 3, x = 2, zero = 0\n  y + x/zero\n       ^"},
    {"zero/zero", 5, "division by zero"},
    {"1/(1 - 1)", 2, "division by zero"},
    {"1/(x/zero)", 5, "division by zero"},                              // and not 1/inf = 0
    {"x > 0 and sqrt(phi) > 0", 11, "the result is no finite number"},  // and not nan > 0 = false
    {"min(ln(zero), x)", 5, "the result is no finite number (-inf), with zero = 0, x = 2"},
    {"phi^0.5", 4, "the result is no finite number"},
    {"zero^-1", 5, "the result is no finite number (inf)"},
    {"acos(x)", 1, "the result is no finite number"},
    {"exp(-exp(1000*x))", 6, "the result is no finite number (inf)"},
    {"1e300*1e300 > 1", 6, "the result is no finite number (inf)"},
    {"1e308 + 1e308*y", 14, "the result is no"},
};

TEST(Expression, without_result_names_the_operation_and_the_values) {
    for (const Bad& bad : kNotFinite) {
        const ValueType type =
            bad.text.find('>') == std::string::npos ? ValueType::number : ValueType::boolean;
        const Expression expression("test", bad.text, kNames, type);
        try {
            evaluate(expression);
            ADD_FAILURE() << bad.text;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_THAT(error.message(), HasSubstr(fmt::format("column {}: {}", bad.column, bad.message)));
        }
    }
}

TEST(Expression, evaluates_again_after_an_error) {
    const Expression expression("test", "x/y", kNames, ValueType::number);
    ExpressionEvaluator evaluator = expression.evaluator();
    evaluator.variables()[0] = 6.0;
    evaluator.variables()[1] = 0.0;
    EXPECT_THROW(evaluator(), Error);
    evaluator.variables()[1] = 3.0;
    EXPECT_EQ(evaluator(), 2.0);
    evaluator.variables()[0] = 9.0;
    EXPECT_EQ(evaluator(), 3.0);
}

TEST(Expression, evaluation_allocates_nothing) {
    const Expression expression("test", "x < y and not (phi/x + min(x, y, 3) > sqrt(y)) or inside", kNames,
                                ValueType::boolean);
    ExpressionEvaluator evaluator = expression.evaluator();
    std::ranges::fill(evaluator.variables(), 1.0);
    evaluator();  // muParser compiles when it is called for the first time
    const std::size_t before = allocations;
    for (int i = 0; i < 100; ++i) {
        evaluator.variables()[0] = i + 1;
        evaluator();
    }
    EXPECT_EQ(allocations, before);
}

TEST(Expression, refuses_what_is_too_long_or_too_deep) {
    const auto repeated = [](const std::string& part, int n) {
        std::string text;
        for (int i = 0; i < n; ++i) text += part;
        return text;
    };
    EXPECT_EQ(evaluate(repeated("(", 99) + "x" + repeated(")", 99), ValueType::number), 2.0);
    EXPECT_EQ(evaluate(repeated("-", 100) + "x", ValueType::number), 2.0);
    EXPECT_EQ(evaluate("x" + repeated("+x", 1'000), ValueType::number), 2'002.0);
    EXPECT_THAT(error_of(repeated("(", 2'000) + "x" + repeated(")", 2'000), ValueType::number),
                HasSubstr("column 101: nested more than 100 levels deep"));
    EXPECT_THAT(error_of(repeated("-", 9'000) + "x", ValueType::number), HasSubstr("nested more than 100"));
    EXPECT_THAT(error_of(repeated("not ", 2'000) + "inside", ValueType::boolean),
                HasSubstr("nested more than 100"));
    EXPECT_THAT(error_of(repeated("x^", 2'000) + "x", ValueType::number), HasSubstr("nested more than 100"));
    EXPECT_THAT(error_of(repeated("sin(", 2'000), ValueType::number), HasSubstr("nested more than 100"));
    EXPECT_THAT(error_of("x" + repeated("+x", 4'999), ValueType::number), HasSubstr("too long: split it"));
    EXPECT_THAT(error_of("x" + repeated("+x", 5'000), ValueType::number), HasSubstr("more than the 10000"));
}

TEST(Expression, serves_several_threads) {
    const Expression expression("test", "sqrt(x*x + y*y)", kNames, ValueType::number);
    std::vector<std::thread> threads;
    std::array<bool, 4> right{};
    for (std::size_t t = 0; t < right.size(); ++t) {
        threads.emplace_back([&, t] {
            bool all = true;
            for (int round = 0; round < 50; ++round) {
                ExpressionEvaluator evaluator = expression.evaluator();
                for (int i = 0; i < 50; ++i) {
                    const double scale = static_cast<double>(t + 1) * i;
                    evaluator.variables()[0] = 3 * scale;
                    evaluator.variables()[1] = 4 * scale;
                    all = all && evaluator() == 5 * scale;
                }
            }
            right[t] = all;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_THAT(right, testing::Each(true));
}

// Random valid expressions against an evaluator of a few lines that walks a tree: the text is
// written with no more parentheses than precedence demands, or with some more.

/// A random expression: its text, how strongly its top binds, and how to compute it. Empty
/// results are errors.
struct Tree {
    std::string text;
    int strength;  // 0 or, 1 and, 2 not, 3 comparison, 4 sum, 5 product, 6 sign, 7 power, 8 atom
    std::function<std::optional<double>()> value;
};

class Generator {
public:
    explicit Generator(std::uint32_t seed) : random_(seed) {}

    Tree number(int depth) {
        if (depth == 0) return leaf();
        switch (pick(8)) {
            case 0:
                return leaf();
            case 1:
                return binary('+', 4, 4, 5, depth);
            case 2:
                return binary('-', 4, 4, 5, depth);
            case 3:
                return binary('*', 5, 5, 6, depth);
            case 4:
                return binary('/', 5, 5, 6, depth);
            case 5:
                return binary('^', 7, 8, 6, depth);
            case 6: {
                Tree a = number(depth - 1);
                return {"-" + at_least(a, 6), 6, [a] { return map(a.value(), [](double v) { return -v; }); }};
            }
            default: {
                Tree a = number(depth - 1);
                Tree b = number(depth - 1);
                if (pick(2) == 0) {
                    return {"sqrt(" + a.text + ")", 8,
                            [a] { return map(a.value(), [](double v) { return std::sqrt(v); }); }};
                }
                return {"min(" + a.text + "," + b.text + ")", 8,
                        [a, b] { return both(a, b, [](double l, double r) { return std::min(l, r); }); }};
            }
        }
    }

    Tree condition(int depth) {
        if (depth == 0) return {"inside", 8, [] { return 1.0; }};
        switch (pick(5)) {
            case 0: {
                Tree a = condition(depth - 1);
                Tree b = condition(depth - 1);
                return {at_least(a, 0) + " or " + at_least(b, 1), 0, [a, b]() -> std::optional<double> {
                            const auto left = a.value();
                            return !left || *left != 0 ? left : b.value();
                        }};
            }
            case 1: {
                Tree a = condition(depth - 1);
                Tree b = condition(depth - 1);
                return {at_least(a, 1) + " and " + at_least(b, 2), 1, [a, b]() -> std::optional<double> {
                            const auto left = a.value();
                            return !left || *left == 0 ? left : b.value();
                        }};
            }
            case 2: {
                Tree a = condition(depth - 1);
                return {"not " + at_least(a, 2), 2,
                        [a] { return map(a.value(), [](double v) { return v == 0 ? 1.0 : 0.0; }); }};
            }
            default: {
                Tree a = number(depth - 1);
                Tree b = number(depth - 1);
                switch (pick(4)) {
                    case 0:
                        return {at_least(a, 4) + "<" + at_least(b, 4), 3,
                                [a, b] { return both(a, b, std::less<>()); }};
                    case 1:
                        return {at_least(a, 4) + ">=" + at_least(b, 4), 3,
                                [a, b] { return both(a, b, std::greater_equal<>()); }};
                    case 2:
                        return {at_least(a, 4) + "==" + at_least(b, 4), 3,
                                [a, b] { return both(a, b, std::equal_to<>()); }};
                    default:
                        return {at_least(a, 4) + " != " + at_least(b, 4), 3,
                                [a, b] { return both(a, b, std::not_equal_to<>()); }};
                }
            }
        }
    }

private:
    template <typename Fn>
    static std::optional<double> map(std::optional<double> value, Fn fn) {
        if (!value) return value;
        const double result = fn(*value);
        return std::isfinite(result) ? std::optional(result) : std::nullopt;
    }
    template <typename Fn>
    static std::optional<double> both(const Tree& a, const Tree& b, Fn fn) {
        const std::optional<double> left = a.value();
        const std::optional<double> right = b.value();
        if (!left) return left;
        return map(right, [&](double r) { return static_cast<double>(fn(*left, r)); });
    }

    int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

    std::string at_least(const Tree& tree, int strength) {
        return tree.strength < strength || pick(6) == 0 ? "(" + tree.text + ")" : tree.text;
    }

    Tree leaf() {
        constexpr std::array<const char*, 4> names = {"x", "y", "phi", "zero"};
        if (pick(2) == 0) {
            const std::string name = names[static_cast<std::size_t>(pick(4))];
            return {name, 8, [value = kValues.at(name)] { return value; }};
        }
        const double value = pick(7) + 0.5;  // no literal zero: that is refused when parsed
        return {fmt::format("{}", value), 8, [value] { return value; }};
    }

    Tree binary(char sign, int strength, int left, int right, int depth) {
        Tree a = number(depth - 1);
        Tree b = number(depth - 1);
        return {at_least(a, left) + " " + sign + at_least(b, right), strength, [a, b, sign] {
                    return both(a, b, [sign](double l, double r) {
                        switch (sign) {
                            case '+':
                                return l + r;
                            case '-':
                                return l - r;
                            case '*':
                                return l * r;
                            case '/':
                                return l / r;
                            default:
                                return std::pow(l, r);
                        }
                    });
                }};
    }

    std::mt19937 random_;
};

TEST(Expression, agrees_with_a_tree_walk_on_random_expressions) {
    Generator generator(11);
    int failed = 0;
    for (int i = 0; i < 4'000; ++i) {
        const ValueType type = i % 2 == 0 ? ValueType::number : ValueType::boolean;
        const int depth = 1 + i % 5;
        const Tree tree = type == ValueType::number ? generator.number(depth) : generator.condition(depth);
        const std::optional<double> expected = tree.value();
        const Expression expression("test", tree.text, kNames, type);
        if (expected) {
            ASSERT_EQ(evaluate(expression), *expected) << tree.text;
        } else {
            ASSERT_THROW(evaluate(expression), Error) << tree.text;
            ++failed;
        }
    }
    EXPECT_GT(failed, 100);
    EXPECT_LT(failed, 2'000);
}

TEST(Expression, takes_any_text_without_harm) {
    constexpr std::array<const char*, 40> words = {
        "x",  "y",   "phi", "inside", "zero", "1", "2.5", "0",  "1e5", "(",    ")", "(",      ")",    ",",
        "+",  "-",   "*",   "/",      "^",    "<", "<=",  "==", "!=",  "=",    ">", " and ",  " or ", " not ",
        "pi", "deg", "min", "sqrt(",  "\"",   "'", "&&",  "?",  "°",   "max(", " ", "unknown"};
    std::mt19937 random(12);
    int accepted = 0;
    for (int i = 0; i < 60'000; ++i) {
        std::string text;
        const auto length = random() % 12;
        for (unsigned j = 0; j <= length; ++j) {
            if (i % 4 == 0) {
                text += static_cast<char>(random() % 256);
            } else {
                text += words[random() % words.size()];
            }
        }
        try {
            const double value = evaluate(text, i % 2 == 0 ? ValueType::number : ValueType::boolean);
            EXPECT_TRUE(std::isfinite(value)) << text;
            ++accepted;
        } catch (const Error&) {
        }
    }
    EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace coromd::functions
