// SPDX-License-Identifier: LGPL-3.0-or-later
//
// An expression is parsed once, by our own parser. Each evaluator then owns a muParser object,
// which must not be shared between threads, compiled from the parser's code. Its variables are
// bound to doubles that stay where they are, so that an evaluation is a walk over byte code.
// muParser's optimizer stays off: it rewrites sums and products, and finds little to gain where every
// operation is checked.
#include "coromd/functions/expression.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <muParser.h>

#include "parser.hpp"
#include "text.hpp"

namespace coromd::functions {

namespace {

/// Thrown through muParser, which lets foreign exceptions pass.
struct NoFiniteResult {
    std::size_t place;
    double value;
    bool division_by_zero;
};

double check_finite(double value, double place) {
    if (!std::isfinite(value)) throw NoFiniteResult{static_cast<std::size_t>(place), value, false};
    return value;
}

double divide(double a, double b, double place) {
    if (b == 0.0) throw NoFiniteResult{static_cast<std::size_t>(place), a / b, true};
    return check_finite(a / b, place);
}

}  // namespace

struct Expression::Compiled {
    SourceText source;
    ParsedExpression parsed;
};

struct ExpressionEvaluator::Impl {
    explicit Impl(std::shared_ptr<const Expression::Compiled> compiled_)
        : compiled(std::move(compiled_)),
          variables(compiled->parsed.variables.size()),
          constants(compiled->parsed.constants) {
        parser.EnableOptimizer(false);
        parser.DefineFun(mu::string_type(kCheckedFunction), check_finite, false);
        parser.DefineFun(mu::string_type(kDivideFunction), divide, false);
        for (std::size_t i = 0; i < variables.size(); ++i)
            parser.DefineVar(fmt::format("v{}", i), &variables[i]);
        for (std::size_t i = 0; i < constants.size(); ++i)
            parser.DefineVar(fmt::format("c{}", i), &constants[i]);
        parser.SetExpr(compiled->parsed.code);
    }

    [[noreturn]] void fail(const NoFiniteResult& problem) const {
        std::string message = problem.division_by_zero
                                  ? std::string("division by zero")
                                  : fmt::format("the result is no finite number ({})", problem.value);
        for (std::size_t i = 0; i < variables.size(); ++i) {
            message += fmt::format("{} {} = {}", i == 0 ? ", with" : ",", compiled->parsed.variables[i],
                                   variables[i]);
        }
        compiled->source.fail_at(problem.place, message, ErrorKind::input);
    }

    std::shared_ptr<const Expression::Compiled> compiled;
    std::vector<double> variables;  // muParser holds pointers to these and the constants
    std::vector<double> constants;
    mu::Parser parser;
};

ExpressionEvaluator::ExpressionEvaluator(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
ExpressionEvaluator::ExpressionEvaluator(ExpressionEvaluator&&) noexcept = default;
ExpressionEvaluator& ExpressionEvaluator::operator=(ExpressionEvaluator&&) noexcept = default;
ExpressionEvaluator::~ExpressionEvaluator() = default;

std::span<double> ExpressionEvaluator::variables() noexcept {
    return impl_->variables;
}

double ExpressionEvaluator::operator()() {
    try {
        return impl_->parser.Eval();
    } catch (const NoFiniteResult& problem) {
        impl_->fail(problem);
    } catch (const mu::ParserError& error) {
        impl_->compiled->source.fail_at(0, error.GetMsg());
    }
}

Expression::Expression(std::string what, std::string text, std::span<const ExpressionName> names,
                       ValueType type) {
    SourceText source(std::move(what), std::move(text));
    ParsedExpression parsed = parse_expression(source, names, type);
    compiled_ = std::make_shared<const Compiled>(Compiled{std::move(source), std::move(parsed)});
}

const std::string& Expression::text() const noexcept {
    return compiled_->source.text();
}

const std::vector<std::string>& Expression::variables() const noexcept {
    return compiled_->parsed.variables;
}

ExpressionEvaluator Expression::evaluator() const {
    try {
        return ExpressionEvaluator(std::make_unique<ExpressionEvaluator::Impl>(compiled_));
    } catch (const mu::ParserError& error) {
        compiled_->source.fail_at(0, error.GetMsg());
    }
}

}  // namespace coromd::functions
