// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coromd::functions {

enum class ValueType {
    number,
    boolean  ///< a condition; its value is 1 or 0
};

/// A name that an expression may use.
struct ExpressionName {
    std::string name;
    ValueType type = ValueType::number;
};

/// Evaluates an Expression; one per thread.
class ExpressionEvaluator {
public:
    ExpressionEvaluator(ExpressionEvaluator&&) noexcept;
    ExpressionEvaluator& operator=(ExpressionEvaluator&&) noexcept;
    ~ExpressionEvaluator();

    /// The values of Expression::variables(), in that order, to be set before each call.
    std::span<double> variables() noexcept;
    /// The value for those; always finite. Allocates nothing.
    /// Throws Error(input) that points at the operation and lists the variables where an operation
    /// has no finite result: a division by zero, the root of a negative number.
    double operator()();

private:
    friend class Expression;
    struct Impl;
    explicit ExpressionEvaluator(std::unique_ptr<Impl> impl) noexcept;

    std::unique_ptr<Impl> impl_;
};

/// A checked formula over named variables: a number, or a condition. Immutable.
///
/// From the weakest to the strongest: or, and, not, comparison (< <= > >= == !=), + and -,
/// * and /, sign, ^ (from the right), calls and parentheses. So `not phi < 0` is not(phi < 0), and
/// -x^2 is -(x^2). Numbers and conditions never stand for each other. `and` and `or` look at their
/// right side only where the left one does not decide, so that `d > 0 and 1/d < 3` is safe.
/// Comparisons cannot be chained, nothing can be assigned; == and != compare exactly.
///
/// Constants: pi, deg (pi/180: `30*deg`). Functions: abs sqrt exp ln log (natural, too) log10 sin
/// cos tan asin acos atan atan2(y, x) sinh cosh tanh, and min and max of two or more.
class Expression {
public:
    /// `what` as messages shall name it: "state 'alphaR'". `type` is what the whole must be.
    /// Throws Error(usage) that points at the first column that makes no sense, and says what to
    /// write in its place where that can be guessed.
    Expression(std::string what, std::string text, std::span<const ExpressionName> names, ValueType type);

    const std::string& text() const noexcept;
    /// The names that are used, in the order in which they first occur.
    const std::vector<std::string>& variables() const noexcept;
    /// Throws nothing that the constructor did not. Safe from any thread.
    ExpressionEvaluator evaluator() const;

    /// pi, deg, the operators in letters and the functions: what cannot be the name of a variable.
    static bool is_reserved(std::string_view name) noexcept;

private:
    friend class ExpressionEvaluator;
    struct Compiled;

    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace coromd::functions
