// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Evaluating functions frame by frame.
//
// A FramePass holds a reader and the bound functions, and is advanced on the pool in slices of a
// few tenths of a second. Between two slices the coroutine is back on the loop, which is where a
// cancellation ends it: a slice itself is never interrupted.
#include "coromd/functions/function.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/runtime/offload.hpp"

namespace coromd::functions {

namespace {

using trajectory::Frame;
using trajectory::FrameNeeds;
using trajectory::Topology;
using trajectory::Trajectory;
using trajectory::TrajectoryReader;

constexpr std::chrono::milliseconds kSlice{200};

std::vector<std::int32_t> sorted_once(std::vector<std::int32_t> atoms) {
    std::ranges::sort(atoms);
    const auto repeated = std::ranges::unique(atoms);
    atoms.erase(repeated.begin(), repeated.end());
    return atoms;
}

FrameNeeds positions_up_to_last(const std::vector<std::int32_t>& atoms) {
    return {
        .atoms = atoms.empty() ? 0 : std::int64_t{atoms.back()} + 1, .velocities = false, .forces = false};
}

/// "'a.xtc'" or "'a.xtc' and 2 more".
std::string described(const Trajectory& trajectory) {
    const auto& files = trajectory.files();
    if (files.size() == 1) return fmt::format("'{}'", files.front().string());
    return fmt::format("'{}' and {} more", files.front().string(), files.size() - 1);
}

/// One pass of some functions over a trajectory.
class FramePass {
public:
    FramePass(std::span<const FrameFunction* const> functions, Trajectory trajectory)
        : functions_(functions), trajectory_(std::move(trajectory)) {}

    /// Computes for a while. Returns false when all frames are done.
    bool advance() {
        if (!reader_) start();
        const auto stop = std::chrono::steady_clock::now() + kSlice;
        while (next_frame_ < n_frames_) {
            evaluate_frame();
            ++next_frame_;
            if (std::chrono::steady_clock::now() >= stop) return next_frame_ < n_frames_;
        }
        return false;
    }

    /// One for each function, when all frames are done.
    std::vector<Values> take_values() {
        std::vector<Values> values;
        for (std::vector<double>& column : columns_) values.emplace_back(n_frames_, 1, std::move(column));
        return values;
    }

private:
    void start() {
        reader_.emplace(trajectory_);
        n_frames_ = reader_->n_frames();
        columns_.resize(functions_.size());
        if (n_frames_ == 0) return;  // without frames there may be no atoms to bind to
        const std::shared_ptr<const Topology> topology = topology_of_trajectory();
        for (const FrameFunction* function : functions_) {
            try {
                evaluators_.push_back(function->bind(*topology));
            } catch (Error& error) {
                throw std::move(error).add_context(
                    fmt::format("function '{}' of {}", function->name(), described(trajectory_)));
            }
            needs_ = union_of(needs_, evaluators_.back()->needs());
        }
        for (std::vector<double>& column : columns_) column.reserve(static_cast<std::size_t>(n_frames_));
    }

    std::shared_ptr<const Topology> topology_of_trajectory() const {
        if (!trajectory_.structure().empty()) return trajectory_.topology();
        return std::make_shared<const Topology>(
            std::vector<trajectory::Atom>(static_cast<std::size_t>(trajectory_.n_atoms())));
    }

    void evaluate_frame() {
        reader_->read(next_frame_, frame_, needs_);
        const bool all_atoms = needs_.atoms == FrameNeeds::kAllAtoms;
        if (!all_atoms && static_cast<std::int64_t>(frame_.positions.size()) < needs_.atoms) {
            fail(ErrorKind::input, "frame {} of {} has the positions of {} atoms, but {} are needed",
                 next_frame_, described(trajectory_), frame_.positions.size(), needs_.atoms);
        }
        for (std::size_t i = 0; i < functions_.size(); ++i) columns_[i].push_back(value_of(i));
    }

    double value_of(std::size_t i) {
        try {
            const double value = (*evaluators_[i])(frame_);
            if (!std::isfinite(value)) fail(ErrorKind::input, "its value is no finite number ({})", value);
            return value;
        } catch (Error& error) {
            throw std::move(error).add_context(where(i));
        } catch (const std::exception& error) {
            throw Error(ErrorKind::usage, error.what()).add_context(where(i));
        }
    }

    std::string where(std::size_t i) const {
        return fmt::format("function '{}' in frame {} of {}", functions_[i]->name(), next_frame_,
                           described(trajectory_));
    }

    std::span<const FrameFunction* const> functions_;
    Trajectory trajectory_;
    std::vector<std::unique_ptr<FrameEvaluator>> evaluators_;
    FrameNeeds needs_{.atoms = 0, .velocities = false, .forces = false};
    std::optional<TrajectoryReader> reader_;
    std::int64_t n_frames_ = 0;
    std::int64_t next_frame_ = 0;
    Frame frame_;
    std::vector<std::vector<double>> columns_;
};

/// `functions` must outlive the wait.
runtime::task<std::vector<Values>> evaluate_frames(runtime::Context& context,
                                                   std::span<const FrameFunction* const> functions,
                                                   Trajectory trajectory) {
    FramePass pass(functions, std::move(trajectory));
    auto advance = [&pass] { return pass.advance(); };
    for (bool more = true; more;) more = co_await runtime::offload(context, advance);
    co_return pass.take_values();
}

using Callable = std::function<double(const Frame&)>;

class CallableEvaluator final : public FrameEvaluator {
public:
    CallableEvaluator(std::vector<std::int32_t> atoms, std::shared_ptr<const Callable> call)
        : FrameEvaluator(std::move(atoms), FrameNeeds{}), call_(std::move(call)) {}
    double operator()(const Frame& frame) override { return (*call_)(frame); }

private:
    std::shared_ptr<const Callable> call_;
};

class CallableFunction final : public FrameFunction {
public:
    CallableFunction(std::string name, Callable call)
        : FrameFunction(std::move(name)), call_(std::make_shared<const Callable>(std::move(call))) {
        if (!*call_) fail(ErrorKind::usage, "function '{}' has nothing to call", this->name());
    }

    std::unique_ptr<FrameEvaluator> bind(const Topology& topology) const override {
        std::vector<std::int32_t> atoms(static_cast<std::size_t>(topology.size()));
        std::iota(atoms.begin(), atoms.end(), 0);
        return std::make_unique<CallableEvaluator>(std::move(atoms), call_);
    }

private:
    std::shared_ptr<const Callable> call_;
};

}  // namespace

FrameEvaluator::FrameEvaluator(std::vector<std::int32_t> atoms)
    : atoms_(sorted_once(std::move(atoms))), needs_(positions_up_to_last(atoms_)) {}

FrameEvaluator::FrameEvaluator(std::vector<std::int32_t> atoms, FrameNeeds needs)
    : atoms_(sorted_once(std::move(atoms))), needs_(union_of(needs, positions_up_to_last(atoms_))) {}

FrameNeeds union_of(const FrameNeeds& a, const FrameNeeds& b) noexcept {
    return {.atoms = std::max(a.atoms, b.atoms),
            .velocities = a.velocities || b.velocities,
            .forces = a.forces || b.forces};
}

runtime::task<Values> FrameFunction::evaluate(runtime::Context& context, Trajectory trajectory) const {
    const FrameFunction* const self = this;
    std::vector<Values> values =
        co_await evaluate_frames(context, std::span(&self, 1), std::move(trajectory));
    co_return std::move(values.front());
}

namespace {

runtime::task<std::vector<Values>> evaluate_all(runtime::Context& context, std::vector<FunctionPtr> functions,
                                                Trajectory trajectory) {
    std::vector<const FrameFunction*> frame_functions;
    for (const FunctionPtr& function : functions) {
        if (const auto* f = dynamic_cast<const FrameFunction*>(function.get())) frame_functions.push_back(f);
    }
    std::vector<Values> frame_values;
    if (!frame_functions.empty())
        frame_values = co_await evaluate_frames(context, frame_functions, trajectory);

    std::vector<Values> values;
    auto next_frame_value = frame_values.begin();
    for (const FunctionPtr& function : functions) {
        if (dynamic_cast<const FrameFunction*>(function.get()) != nullptr) {
            values.push_back(std::move(*next_frame_value++));
        } else {
            values.push_back(co_await function->evaluate(context, trajectory));
        }
    }
    co_return values;
}

/// What a cache knows of some functions for one content.
struct Known {
    std::string content;
    std::vector<std::optional<Values>> values;
};

Known look_up(ValueCache& cache, const std::vector<FunctionPtr>& functions, const Trajectory& trajectory) {
    Known known{content_key(cache, trajectory), {}};
    for (const FunctionPtr& function : functions) {
        const std::string identity = function->identity();
        known.values.push_back(identity.empty() ? std::nullopt : cache.find(known.content, identity));
    }
    return known;
}

void keep(ValueCache& cache, const std::string& content, const std::vector<FunctionPtr>& functions,
          const std::vector<Values>& values, const Trajectory& trajectory) {
    // A file that was changed meanwhile: nobody knows which frames were read.
    if (content_key(cache, trajectory) != content) return;
    for (std::size_t i = 0; i < functions.size(); ++i)
        if (const std::string identity = functions[i]->identity(); !identity.empty())
            cache.store(content, identity, values[i]);
}

}  // namespace

runtime::task<std::vector<Values>> evaluate_together(runtime::Context& context,
                                                     std::vector<FunctionPtr> functions,
                                                     Trajectory trajectory, ValueCache* cache) {
    if (cache == nullptr)
        co_return co_await evaluate_all(context, std::move(functions), std::move(trajectory));
    auto ask = [&] { return look_up(*cache, functions, trajectory); };
    Known known = co_await runtime::offload(context, ask);
    std::vector<FunctionPtr> missing;
    for (std::size_t i = 0; i < functions.size(); ++i)
        if (!known.values[i]) missing.push_back(functions[i]);
    std::vector<Values> computed;
    if (!missing.empty()) {
        computed = co_await evaluate_all(context, missing, trajectory);
        auto tell = [&] { keep(*cache, known.content, missing, computed, trajectory); };
        co_await runtime::offload(context, tell);
    }
    std::vector<Values> values;
    auto next = computed.begin();
    for (std::optional<Values>& value : known.values)
        values.push_back(value ? std::move(*value) : std::move(*next++));
    co_return values;
}

FrameFunctionPtr frame_function(std::string name, Callable call) {
    return std::make_shared<const CallableFunction>(std::move(name), std::move(call));
}

}  // namespace coromd::functions
