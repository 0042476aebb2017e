// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "coromd/runtime/detail/group.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::runtime {

/// Who won a race, and with what.
template <typename T>
struct RaceResult {
    std::size_t index;
    T value;
};

template <>
struct RaceResult<void> {
    std::size_t index;
};

/// Runs all children until the first of them ends; the others are cancelled and waited for.
/// An error wins as well as a value does, and is rethrown. Throws Error(usage) without children.
///
/// Cancellation: cancels the children, waits until all have ended, throws Cancelled. Where a child
/// had ended first, that is the result.
template <typename T>
task<RaceResult<T>> race(std::vector<task<T>> children) {
    std::vector<std::optional<T>> places(children.size());
    std::vector<task<void>> storing = detail::storing_results(std::move(children), places);
    const std::size_t winner = co_await detail::race_all(std::move(storing));
    RaceResult<T> result{winner, std::move(*places[winner])};
    co_return result;
}

/// The same for children without a result.
task<RaceResult<void>> race(std::vector<task<void>> children);

}  // namespace coromd::runtime
