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
#include <filesystem>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/functions/definitions.hpp"
#include "coromd/functions/value_cache.hpp"
#include "coromd/report/html.hpp"
#include "coromd/report/material.hpp"
#include "coromd/runtime/gather.hpp"

namespace coromd::report {

namespace fs = std::filesystem;
using functions::Definitions;
using functions::FunctionPtr;
using runtime::task;

namespace {

constexpr std::string_view kVariables = "variables.";
constexpr std::size_t kMostVariables = 12;
constexpr std::size_t kMostProblems = 5;
// More than most pools have threads: some of them always wait for the disk.
constexpr std::size_t kWorkers = 16;

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

/// 0 to n-1, any first part of it spread over all of them.
std::vector<std::size_t> spread_order(std::size_t n) {
    std::vector<std::size_t> order;
    const auto bits = static_cast<int>(std::bit_width(n == 0 ? 0 : n - 1));
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

/// What several workers share: each takes the next trajectory, until a limit is reached.
struct Evaluation {
    const Material& material;
    const std::vector<FunctionPtr>& functions;
    ValueLimits limits;
    functions::ValueCache& cache;
    std::vector<const Product*> trajectories{};
    std::map<fs::path, fs::path> structures{};  // by folder
    std::vector<std::size_t> order{};
    std::chrono::steady_clock::time_point stop = std::chrono::steady_clock::now() + limits.time;

    std::size_t next = 0;
    std::int64_t frames = 0;
    std::vector<std::pair<std::size_t, TrajectoryValues>> found{};
    std::vector<std::string> problems{};

    void collect() {
        for (const Product& product : material.products) {
            if (product.files.empty()) continue;
            const fs::path& first = product.files.front();
            if (product.kind == "tpr") structures[first.parent_path()] = material.directory / first;
            if (product.kind == "trajectory") trajectories.push_back(&product);
        }
        order = spread_order(trajectories.size());
    }
    bool more() const {
        return next < order.size() && frames < limits.frames && std::chrono::steady_clock::now() < stop;
    }
    trajectory::Trajectory open(const Product& product) const {
        std::vector<fs::path> files;
        for (const fs::path& file : product.files) files.push_back(material.directory / file);
        // The run input beside it names the atoms; without one they have no names.
        const auto structure = structures.find(product.files.front().parent_path());
        return {std::move(files), structure == structures.end() ? fs::path() : structure->second};
    }
};

task<void> work(runtime::Context& context, Evaluation& all) {
    while (all.more()) {
        const std::size_t index = all.order[all.next++];
        const Product& product = *all.trajectories[index];
        try {
            trajectory::Trajectory whole = all.open(product);
            std::vector<functions::Values> values =
                co_await functions::evaluate_together(context, all.functions, std::move(whole), &all.cache);
            all.frames += values.back().n_frames();
            all.found.emplace_back(index, values_of(product, std::move(values)));
        } catch (const Error& error) {
            all.problems.push_back(fmt::format("{} is left out: {}", product.key, error.what()));
        }
    }
}

}  // namespace

task<VariableValues> evaluate_variables(runtime::Context& context, const Material& material,
                                        ValueLimits limits) {
    VariableValues out;
    Functions defined = recorded_functions(material, out.left_out);
    out.variables = defined.variables;
    if (defined.functions.empty()) co_return out;

    const auto cache = functions::sqlite_value_cache(material.directory / "values.sqlite");
    Evaluation all{material, defined.functions, limits, *cache};
    all.collect();
    std::vector<task<void>> workers;
    for (std::size_t i = 0; i < kWorkers; ++i) workers.push_back(work(context, all));
    co_await runtime::gather(std::move(workers));

    std::ranges::sort(all.found, {}, [](const auto& one) { return one.first; });
    for (auto& [index, values] : all.found) out.trajectories.push_back(std::move(values));
    std::ranges::sort(all.problems);
    for (std::size_t i = 0; i < std::min(all.problems.size(), kMostProblems); ++i)
        out.left_out.push_back(all.problems[i]);
    if (all.problems.size() > kMostProblems)
        out.left_out.push_back(
            fmt::format("{} more trajectories could not be read.", all.problems.size() - kMostProblems));
    if (all.next < all.order.size())
        out.left_out.push_back(fmt::format(
            "{} of {} trajectories are left out, for time or memory; those shown are spread evenly over all. "
            "A second report goes on from the values that this one kept; --limit-seconds and --limit-frames "
            "allow for more.",
            count_text(static_cast<std::int64_t>(all.order.size() - all.next)),
            count_text(static_cast<std::int64_t>(all.order.size()))));
    co_return out;
}

}  // namespace coromd::report
