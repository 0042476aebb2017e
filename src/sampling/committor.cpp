// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/sampling/committor.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "coromd/core/error.hpp"
#include "coromd/runtime/gather.hpp"
#include "kinds.hpp"
#include "remembered.hpp"

namespace coromd::sampling {

using functions::FunctionPtr;
using propagation::UntilResult;
using runtime::task;

namespace {

constexpr std::int64_t kMostWalkers = 1'000'000;

std::string walker_name(int number) {
    return fmt::format("walkers/{:03}", number);
}

std::string ending(const UntilResult& result, const std::vector<std::string>& states) {
    if (!result.reached()) return "no state";
    std::string names;
    for (const std::size_t state : result.conditions) names += (names.empty() ? "" : "+") + states[state];
    return names;
}

void report_end(Recorder& recorder, const std::string& name, const std::string& phase,
                const UntilResult* result) {
    Progress progress;
    progress.subject = name;
    progress.phase = phase;
    if (result != nullptr) {
        progress.time_ps = result->time_ps;
        progress.part = result->parts;
    }
    recorder.progress(progress);
}

task<UntilResult> shoot(MethodContext& context, trajectory::Trajectory reference,
                        const std::vector<FunctionPtr>& states, const CommittorOptions& options,
                        std::string name) {
    const auto engine = context.system.engine(name);
    co_await propagation::start_with_new_velocities(context.runtime, *engine, std::move(reference), 0,
                                                    options.temperature_k(),
                                                    context.campaign.random(name + "/velocities"));
    co_return co_await propagation::until_any(context.runtime, *engine, states, options.limits());
}

/// A shot that tells how it ended, while others still run.
task<UntilResult> shoot_and_report(MethodContext& context, trajectory::Trajectory reference,
                                   const std::vector<FunctionPtr>& states,
                                   const std::vector<std::string>& names, const CommittorOptions& options,
                                   std::string name) {
    try {
        task<UntilResult> shot = shoot(context, std::move(reference), states, options, name);
        UntilResult result =
            co_await remembered(context, name, names, options.limits().max_steps(), std::move(shot));
        report_end(context.recorder, name, "reached " + ending(result, names), &result);
        co_return result;
    } catch (const Error& error) {
        context.runtime.log().error("{}: {}", name, error.what());
        report_end(context.recorder, name, "failed", nullptr);
        throw;
    }
}

std::vector<std::string> names_of(const std::vector<FunctionPtr>& functions) {
    std::vector<std::string> names;
    for (const FunctionPtr& function : functions) names.push_back(function->name());
    return names;
}

/// The committor as a campaign file describes it.
class CommittorMethod final : public Method {
public:
    CommittorMethod(functions::Definitions definitions, CommittorOptions options)
        : definitions_(std::move(definitions)), options_(options) {
        for (const functions::Definition& definition : definitions_.all())
            if (definition.type == functions::ValueType::boolean) states_.push_back(definition.function);
    }

    std::string plan() const override {
        std::string states;
        for (const FunctionPtr& state : states_) states += (states.empty() ? "" : " or ") + state->name();
        return fmt::format(
            "{} walkers with new velocities at {} K, each until {} or {} steps, looked at every {:.3g} s",
            options_.walkers(), options_.temperature_k(), states, options_.limits().max_steps(),
            static_cast<double>(options_.limits().slice().count()) / 1000.0);
    }

    std::string identity() const override {
        return fmt::format("temperature = {}\n", options_.temperature_k());
    }

    void check(const engine::MdSystem& system) const override {
        definitions_.check(*system.structure().topology());
        if (options_.limits().max_steps() % system.nstout() != 0)
            fail(ErrorKind::usage,
                 "walkers.max_steps = {} is no multiple of the {} steps between two frames of the trajectory",
                 options_.limits().max_steps(), system.nstout());
    }

    task<Summary> run(MethodContext& context) override {
        const CommittorResult result = co_await committor(context, states_, options_);
        Summary summary;
        summary.complete = result.failed() == 0;
        summary.text = result.text();
        summary.json = result.json();
        co_return summary;
    }

private:
    functions::Definitions definitions_;
    CommittorOptions options_;
    std::vector<FunctionPtr> states_;
};

std::unique_ptr<Method> from_settings(SettingsReader& top, const functions::Definitions& definitions) {
    const auto is_state = [](const functions::Definition& d) {
        return d.type == functions::ValueType::boolean;
    };
    if (std::ranges::none_of(definitions.all(), is_state))
        top.complain("states", "a committor needs at least one state: add a table [states]");
    SettingsReader walkers = top.table("walkers");
    const std::int64_t count = walkers.integer_from("count", 1);
    if (count > kMostWalkers)
        walkers.complain("count",
                         fmt::format("{} walkers are too many: {} is the limit", count, kMostWalkers));
    const double temperature = walkers.number("temperature");
    if (!(temperature > 0)) walkers.complain("temperature", "'walkers.temperature' must be positive (in K)");
    CommittorOptions options(static_cast<int>(count), temperature, walkers.integer_from("max_steps", 1));
    options.slice(walkers.duration("slice", std::chrono::seconds(10)));
    walkers.finish();
    return std::make_unique<CommittorMethod>(definitions, options);
}

}  // namespace

CommittorOptions::CommittorOptions(int walkers, double temperature_k, std::int64_t max_steps)
    : walkers_(walkers), temperature_k_(temperature_k), limits_(max_steps) {
    if (walkers < 1) fail(ErrorKind::usage, "a committor needs walkers, not {}", walkers);
    if (!(temperature_k > 0)) fail(ErrorKind::usage, "a temperature of {} K is not positive", temperature_k);
    limits_.slice(std::chrono::seconds(10));
}

CommittorOptions& CommittorOptions::slice(std::chrono::milliseconds wall_time) {
    limits_.slice(wall_time);
    return *this;
}

CommittorResult::CommittorResult(std::vector<std::string> states, std::vector<Shot> shots)
    : states_(std::move(states)), shots_(std::move(shots)) {}

Proportion CommittorResult::committor(std::size_t state) const {
    std::int64_t reached = 0;
    std::int64_t here = 0;
    for (const Shot& shot : shots_) {
        if (!shot.outcome.ok() || !shot.outcome.value().reached()) continue;
        ++reached;
        here += shot.outcome.value().conditions.front() == state ? 1 : 0;
    }
    return wilson(here, reached);
}

int CommittorResult::failed() const {
    return static_cast<int>(
        std::ranges::count_if(shots_, [](const Shot& shot) { return !shot.outcome.ok(); }));
}

std::string CommittorResult::text() const {
    std::string text =
        fmt::format("{:<14} {:<16} {:>9} {:>6} {:>9}\n", "walker", "state", "ps", "parts", "wall s");
    for (const Shot& shot : shots_) {
        if (!shot.outcome.ok()) {
            text += fmt::format("{:<14} failed\n", shot.name);
            continue;
        }
        const UntilResult& result = shot.outcome.value();
        text += fmt::format("{:<14} {:<16} {:>9.3f} {:>6} {:>9.1f}\n", shot.name, ending(result, states_),
                            result.time_ps, result.parts, result.wall_seconds);
    }
    text += "\ncommittor (95 % interval of Wilson)\n";
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const Proportion p = committor(i);
        if (p.trials == 0)
            text += fmt::format("  {:<14} no walker reached a state\n", states_[i]);
        else
            text += fmt::format("  {:<14} {:.2f}  [{:.2f}, {:.2f}]  {} of {}\n", states_[i], p.estimate,
                                p.low, p.high, p.successes, p.trials);
    }
    for (const Shot& shot : shots_)
        if (!shot.outcome.ok()) text += fmt::format("\n{}\n", shot.outcome.error_text());
    return text;
}

std::string CommittorResult::json() const {
    using nlohmann::json;
    json walkers = json::array();
    for (const Shot& shot : shots_) {
        json walker{{"name", shot.name}};
        if (shot.outcome.ok()) {
            const UntilResult& result = shot.outcome.value();
            json reached = json::array();
            for (const std::size_t state : result.conditions) reached.push_back(states_[state]);
            walker["states"] = reached;
            walker["steps"] = result.steps;
            walker["time_ps"] = result.time_ps;
            walker["parts"] = result.parts;
            walker["wall_seconds"] = result.wall_seconds;
            walker["trajectory"] = result.trajectory.files().front().string();
        } else {
            walker["error"] = shot.outcome.error_text();
        }
        walkers.push_back(std::move(walker));
    }
    json committors = json::object();
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const Proportion p = committor(i);
        committors[states_[i]] = {
            {"successes", p.successes}, {"trials", p.trials}, {"low", p.low}, {"high", p.high}};
        committors[states_[i]]["estimate"] = p.trials > 0 ? json(p.estimate) : json(nullptr);
    }
    return json{{"walkers", walkers}, {"committor", committors}, {"failed", failed()}}.dump(
        2, ' ', false, json::error_handler_t::replace);
}

task<CommittorResult> committor(MethodContext& context, std::vector<FunctionPtr> states,
                                CommittorOptions options) {
    if (states.empty()) fail(ErrorKind::usage, "a committor needs at least one state");
    const std::vector<std::string> names = names_of(states);
    const trajectory::Trajectory reference = co_await context.system.reference();
    std::vector<task<UntilResult>> walkers;
    for (int i = 0; i < options.walkers(); ++i)
        walkers.push_back(shoot_and_report(context, reference, states, names, options, walker_name(i)));
    std::vector<Outcome<UntilResult>> outcomes = co_await runtime::gather_outcomes(std::move(walkers));

    std::vector<Shot> shots;
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        shots.push_back({walker_name(static_cast<int>(i)), std::move(outcomes[i])});
    CommittorResult result(names, std::move(shots));
    co_return result;
}

MethodKind committor_kind() {
    return {"committor", "shots from one configuration until any of the states is reached", from_settings};
}

}  // namespace coromd::sampling
