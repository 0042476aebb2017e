// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "coromd/core/outcome.hpp"
#include "coromd/core/proportion.hpp"
#include "coromd/functions/function.hpp"
#include "coromd/propagation/until.hpp"
#include "coromd/runtime/task.hpp"
#include "coromd/sampling/campaign_kind.hpp"

namespace coromd::sampling {

/// Committor of a configuration: the probability to reach each of some states first, from shots
/// with velocities drawn from the Maxwell-Boltzmann distribution.
/// Geissler, Dellago, Chandler, J. Phys. Chem. B 103, 3706 (1999).
class CommittorOptions {
public:
    /// `max_steps`: when a shot is given up.
    CommittorOptions(int walkers, double temperature_k, std::int64_t max_steps);
    /// Wall time between two looks at the states (10 s).
    CommittorOptions& slice(std::chrono::milliseconds wall_time);

    int walkers() const noexcept { return walkers_; }
    double temperature_k() const noexcept { return temperature_k_; }
    const propagation::UntilLimits& limits() const noexcept { return limits_; }

private:
    int walkers_;
    double temperature_k_;
    propagation::UntilLimits limits_;
};

/// One walker: "walkers/003" and what became of it.
struct Shot {
    std::string name;
    Outcome<propagation::UntilResult> outcome;
};

class CommittorResult {
public:
    CommittorResult(std::vector<std::string> states, std::vector<Shot> shots);

    const std::vector<std::string>& states() const noexcept { return states_; }
    const std::vector<Shot>& shots() const noexcept { return shots_; }
    /// Of the shots that reached any state, those that reached this one, with the 95 % interval. A
    /// shot that ends where two states overlap counts for the one that was named first.
    Proportion committor(std::size_t state) const;
    int failed() const;

    /// A table of the shots and the committor of each state.
    std::string text() const;
    std::string json() const;

private:
    std::vector<std::string> states_;
    std::vector<Shot> shots_;
};

/// Shoots all walkers from the system's structure, as many at a time as the queue takes. One
/// walker's failure does not stop the others. A campaign that is started again with more walkers
/// adds to those that it has.
/// Cancellation: as propagation::until_any().
runtime::task<CommittorResult> committor(MethodContext& context, std::vector<functions::FunctionPtr> states,
                                         CommittorOptions options);

}  // namespace coromd::sampling
