// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The definitions are those that the campaign has recorded, by name: in which order they were written
// is not known, so that one that needs others is tried again when those are there.
//
// Trajectories are taken in an order in which any first part is spread over all of them (bit
// reversal), so that what a limit leaves is a fair sample.
#include "coromd/report/variables.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/functions/definitions.hpp"
#include "coromd/functions/value_cache.hpp"
#include "coromd/report/html.hpp"
#include "coromd/report/material.hpp"

namespace coromd::report {

namespace fs = std::filesystem;
using functions::Definitions;
using functions::FunctionPtr;
using runtime::task;

namespace {

constexpr std::string_view kVariables = "variables.";
constexpr std::size_t kMostVariables = 12;
constexpr std::size_t kMostProblems = 5;

/// The time of each frame, as a function like any other so that it is cached with them.
class FrameTime final : public functions::FrameFunction {
public:
    FrameTime() : FrameFunction("time") {}
    std::string identity() const override { return "time of the frame"; }
    std::unique_ptr<functions::FrameEvaluator> bind(const trajectory::Topology&) const override {
        return std::make_unique<Evaluator>();
    }

private:
    class Evaluator final : public functions::FrameEvaluator {
    public:
        Evaluator() : FrameEvaluator(std::vector<std::int32_t>()) {}
        double operator()(const trajectory::Frame& frame) override { return frame.time_ps; }
    };
};

/// What was defined, and the function of the time behind it.
struct Functions {
    std::vector<Variable> variables;
    std::vector<FunctionPtr> functions;
};

Variable described(const Registry<functions::CollectiveVariableKind>& kinds, std::string name,
                   std::string text) {
    Variable variable{std::move(name), std::move(text), {}, false};
    const auto open = variable.text.find('(');
    if (open == std::string::npos) return variable;
    std::string kind = variable.text.substr(0, open);
    while (!kind.empty() && kind.back() == ' ') kind.pop_back();
    if (const functions::CollectiveVariableKind* known = kinds.find(kind)) variable.units = known->units;
    variable.periodic = kind == "dihedral";
    return variable;
}

Functions recorded_functions(const Material& material, std::vector<std::string>& left_out) {
    std::map<std::string, std::string> waiting;
    for (const campaign::InputRow& input : material.inputs)
        if (input.name.starts_with(kVariables)) waiting[input.name.substr(kVariables.size())] = input.content;
    const Registry<functions::CollectiveVariableKind> kinds = functions::builtin_collective_variables();
    Definitions define;
    Functions out;
    std::map<std::string, std::string> reasons;
    for (bool more = true; more;) {
        more = false;
        for (auto it = waiting.begin(); it != waiting.end();) {
            try {
                FunctionPtr function = define.variable(it->first, it->second);
                if (out.variables.size() < kMostVariables) {
                    out.functions.push_back(std::move(function));
                    out.variables.push_back(described(kinds, it->first, it->second));
                } else {
                    left_out.push_back(
                        fmt::format("The variable {} is left out: {} are shown.", it->first, kMostVariables));
                }
                it = waiting.erase(it);
                more = true;
            } catch (const Error& error) {
                reasons[it->first] = error.what();
                ++it;
            }
        }
    }
    for (const auto& [name, text] : waiting)
        left_out.push_back(fmt::format("The variable {} cannot be computed here: {}", name, reasons[name]));
    if (!out.functions.empty()) out.functions.push_back(std::make_shared<const FrameTime>());
    return out;
}

/// What names the atoms of a trajectory: the run input beside it.
fs::path structure_for(const std::map<fs::path, fs::path>& inputs, const Product& product) {
    const auto at = inputs.find(product.files.front().parent_path());
    return at == inputs.end() ? fs::path() : at->second;
}

/// 0 to n-1, any first part of it spread over all of them.
std::vector<std::size_t> spread_order(std::size_t n) {
    std::vector<std::size_t> order;
    const int bits = std::bit_width(n == 0 ? 0 : n - 1);
    for (std::size_t i = 0; i < std::size_t{1} << bits; ++i) {
        std::size_t reversed = 0;
        for (int bit = 0; bit < bits; ++bit) reversed |= ((i >> bit) & 1) << (bits - 1 - bit);
        if (reversed < n) order.push_back(reversed);
    }
    return order;
}

TrajectoryValues values_of(const Product& product, std::vector<functions::Values> values) {
    TrajectoryValues out;
    out.subject = product.key.substr(0, product.key.rfind('/'));
    out.time_ps = values.back().data();
    values.pop_back();
    for (const functions::Values& column : values) out.columns.push_back(column.data());
    return out;
}

}  // namespace

task<VariableValues> evaluate_variables(runtime::Context& context, const Material& material,
                                        ValueLimits limits) {
    VariableValues out;
    Functions defined = recorded_functions(material, out.left_out);
    out.variables = defined.variables;
    if (defined.functions.empty()) co_return out;

    std::map<fs::path, fs::path> inputs;
    std::vector<const Product*> trajectories;
    for (const Product& product : material.products) {
        if (product.files.empty()) continue;
        if (product.kind == "tpr")
            inputs[product.files.front().parent_path()] = material.directory / product.files.front();
        if (product.kind == "trajectory") trajectories.push_back(&product);
    }
    const auto cache = functions::sqlite_value_cache(material.directory / "values.sqlite");
    const auto stop = std::chrono::steady_clock::now() + limits.time;
    std::vector<std::pair<std::size_t, TrajectoryValues>> found;
    std::int64_t frames = 0;
    std::size_t failed = 0;
    std::size_t not_tried = 0;
    for (const std::size_t index : spread_order(trajectories.size())) {
        if (std::chrono::steady_clock::now() >= stop || frames >= limits.frames) {
            ++not_tried;
            continue;
        }
        const Product& product = *trajectories[index];
        std::string problem;
        try {
            std::vector<fs::path> files;
            for (const fs::path& file : product.files) files.push_back(material.directory / file);
            trajectory::Trajectory whole(std::move(files), structure_for(inputs, product));
            std::vector<functions::Values> values = co_await functions::evaluate_together(
                context, defined.functions, std::move(whole), cache.get());
            frames += values.back().n_frames();
            found.emplace_back(index, values_of(product, std::move(values)));
        } catch (const Error& error) {
            problem = error.what();
        }
        if (!problem.empty() && failed++ < kMostProblems)
            out.left_out.push_back(fmt::format("{} is left out: {}", product.key, problem));
    }
    std::ranges::sort(found, {}, [](const auto& one) { return one.first; });
    for (auto& [index, values] : found) out.trajectories.push_back(std::move(values));
    if (failed > kMostProblems)
        out.left_out.push_back(
            fmt::format("{} more trajectories could not be read.", failed - kMostProblems));
    if (not_tried > 0)
        out.left_out.push_back(fmt::format(
            "{} of {} trajectories are left out, for time or memory; those shown are spread evenly over all. "
            "A second report goes on from the values that this one kept; --limit-seconds and --limit-frames "
            "allow for more.",
            count_text(static_cast<std::int64_t>(not_tried)),
            count_text(static_cast<std::int64_t>(trajectories.size()))));
    co_return out;
}

}  // namespace coromd::report
