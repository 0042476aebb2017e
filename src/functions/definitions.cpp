// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Definitions form a graph without cycles: an expression holds the functions that it names. When
// one is bound, everything that it depends on is bound once and put in an order in which each
// step finds its inputs computed, so that a frame costs one evaluation per definition, however
// often it is named.
#include "coromd/functions/definitions.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "call.hpp"
#include "coromd/core/error.hpp"
#include "text.hpp"

namespace coromd::functions {

namespace {

constexpr std::size_t kMaxDefinitions = 1000;  // also bounds how deep definitions can be nested
constexpr std::size_t kMaxNameBytes = 64;

/// A function that is an expression of other functions.
class ExpressionFunction final : public FrameFunction {
public:
    /// `inputs` belong to the variables of the expression.
    ExpressionFunction(std::string name, Expression expression, std::vector<FrameFunctionPtr> inputs)
        : FrameFunction(std::move(name)), expression_(std::move(expression)), inputs_(std::move(inputs)) {}

    const Expression& expression() const noexcept { return expression_; }
    const std::vector<FrameFunctionPtr>& inputs() const noexcept { return inputs_; }
    /// The text, and what its names stand for.
    std::string identity() const override {
        std::string text = expression_.text();
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            const std::string input = inputs_[i]->identity();
            if (input.empty()) return {};
            text += fmt::format("\nwhere {} is ({})", expression_.variables()[i], input);
        }
        return text;
    }
    std::unique_ptr<FrameEvaluator> bind(const trajectory::Topology& topology) const override;

private:
    Expression expression_;
    std::vector<FrameFunctionPtr> inputs_;
};

/// Computes one value from the frame or from values before it.
struct Step {
    std::string name;
    std::unique_ptr<FrameEvaluator> function;  // null for an expression
    std::optional<ExpressionEvaluator> expression;
    std::vector<std::size_t> inputs;  // the steps that the variables of the expression are
};

/// Binds a function and all that it depends on.
class StepBuilder {
public:
    explicit StepBuilder(const trajectory::Topology& topology) : topology_(topology) {}

    /// Returns the number of the step that computes `function`.
    std::size_t add(const FrameFunction& function) {
        if (const auto known = numbers_.find(&function); known != numbers_.end()) return known->second;
        Step step;
        step.name = function.name();
        if (const auto* expression = dynamic_cast<const ExpressionFunction*>(&function)) {
            for (const FrameFunctionPtr& input : expression->inputs()) step.inputs.push_back(add(*input));
            step.expression = expression->expression().evaluator();
        } else {
            step.function = function.bind(topology_);
            const auto& atoms = step.function->atoms();
            atoms_.insert(atoms_.end(), atoms.begin(), atoms.end());
            needs_ = union_of(needs_, step.function->needs());
        }
        steps_.push_back(std::move(step));
        numbers_.emplace(&function, steps_.size() - 1);
        return steps_.size() - 1;
    }

    std::vector<Step> take_steps() { return std::move(steps_); }
    std::vector<std::int32_t> take_atoms() { return std::move(atoms_); }
    const trajectory::FrameNeeds& needs() const noexcept { return needs_; }

private:
    const trajectory::Topology& topology_;
    std::map<const FrameFunction*, std::size_t> numbers_;
    std::vector<Step> steps_;
    std::vector<std::int32_t> atoms_;
    trajectory::FrameNeeds needs_{.atoms = 0, .velocities = false, .forces = false};
};

class StepsEvaluator final : public FrameEvaluator {
public:
    explicit StepsEvaluator(StepBuilder builder)
        : FrameEvaluator(builder.take_atoms(), builder.needs()),
          steps_(builder.take_steps()),
          values_(steps_.size()) {}

    double operator()(const trajectory::Frame& frame) override {
        for (std::size_t i = 0; i < steps_.size(); ++i) values_[i] = value_of(steps_[i], frame);
        return values_.back();
    }

private:
    double value_of(Step& step, const trajectory::Frame& frame) {
        if (step.expression) {
            std::ranges::transform(step.inputs, step.expression->variables().begin(),
                                   [this](std::size_t input) { return values_[input]; });
            return (*step.expression)();
        }
        const double value = (*step.function)(frame);
        if (!std::isfinite(value)) {
            fail(ErrorKind::input, "the value of '{}' is no finite number ({})", step.name, value);
        }
        return value;
    }

    std::vector<Step> steps_;
    std::vector<double> values_;
};

std::unique_ptr<FrameEvaluator> ExpressionFunction::bind(const trajectory::Topology& topology) const {
    StepBuilder builder(topology);
    builder.add(*this);
    return std::make_unique<StepsEvaluator>(std::move(builder));
}

}  // namespace

Definitions::Definitions(Registry<CollectiveVariableKind> kinds) : kinds_(std::move(kinds)) {}

FrameFunctionPtr Definitions::variable(std::string name, std::string text) {
    const std::string what = fmt::format("variable '{}'", name);
    check_name(name, what);
    const SourceText source(what, text);
    FrameFunctionPtr function = is_collective_variable(kinds_, tokenize(source))
                                    ? collective_variable(kinds_, name, text)
                                    : expression(name, what, text, ValueType::number);
    return add({.name = std::move(name), .text = std::move(text), .function = std::move(function)});
}

FrameFunctionPtr Definitions::variable(std::string name, FrameFunctionPtr function) {
    const std::string what = fmt::format("variable '{}'", name);
    check_name(name, what);
    if (!function) fail(ErrorKind::usage, "in {}: there is no function", what);
    return add({.name = std::move(name), .text = {}, .function = std::move(function)});
}

FrameFunctionPtr Definitions::state(std::string name, std::string text) {
    const std::string what = fmt::format("state '{}'", name);
    check_name(name, what);
    FrameFunctionPtr function = expression(name, what, text, ValueType::boolean);
    return add({.name = std::move(name),
                .type = ValueType::boolean,
                .text = std::move(text),
                .function = std::move(function)});
}

const Definition& Definitions::at(std::string_view name) const {
    if (const Definition* definition = find(name)) return *definition;
    std::string known;
    for (const Definition& definition : definitions_) {
        known += fmt::format("{}{}", known.empty() ? "" : ", ", definition.name);
    }
    fail(ErrorKind::usage, "nothing is defined under the name '{}': known are {}", name,
         known.empty() ? "none" : known);
}

void Definitions::check(const trajectory::Topology& topology) const {
    StepBuilder builder(topology);
    for (const Definition& definition : definitions_) builder.add(*definition.function);
}

const Definition* Definitions::find(std::string_view name) const noexcept {
    const auto place = std::ranges::find(definitions_, name, &Definition::name);
    return place == definitions_.end() ? nullptr : &*place;
}

void Definitions::check_name(std::string_view name, std::string_view what) const {
    if (!is_identifier(name) || name.size() > kMaxNameBytes) {
        fail(ErrorKind::usage,
             "{}: a name consists of up to {} letters, digits and '_', and begins with no digit", what,
             kMaxNameBytes);
    }
    if (Expression::is_reserved(name)) {
        fail(ErrorKind::usage, "{}: the name has a meaning in expressions, choose another one", what);
    }
    if (const Definition* other = find(name)) {
        fail(ErrorKind::usage, "{}: there is a {} of that name already", what,
             other->type == ValueType::boolean ? "state" : "variable");
    }
    if (definitions_.size() == kMaxDefinitions) {
        fail(ErrorKind::usage, "{}: there are more than {} definitions", what, kMaxDefinitions);
    }
}

FrameFunctionPtr Definitions::expression(std::string name, std::string what, std::string text,
                                         ValueType type) const {
    std::vector<ExpressionName> names;
    for (const Definition& definition : definitions_) names.push_back({definition.name, definition.type});
    Expression expression(std::move(what), std::move(text), names, type);
    std::vector<FrameFunctionPtr> inputs;
    for (const std::string& variable : expression.variables()) inputs.push_back(at(variable).function);
    return std::make_shared<const ExpressionFunction>(std::move(name), std::move(expression),
                                                      std::move(inputs));
}

FrameFunctionPtr Definitions::add(Definition definition) {
    definitions_.push_back(std::move(definition));
    return definitions_.back().function;
}

}  // namespace coromd::functions
