// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include "coromd/core/outcome.hpp"
#include "coromd/runtime/detail/group.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::runtime {

/// Runs all children beside each other; their results in the order of the children.
///
/// Fails fast: the first error cancels the others, and is rethrown when all of them have ended.
///
/// Cancellation: cancels the children, waits until all have ended, throws Cancelled. Where a
/// child's error came first, that is rethrown.
template <typename T>
task<std::vector<T>> gather(std::vector<task<T>> children) {
    std::vector<std::optional<T>> places(children.size());
    std::vector<task<void>> storing = detail::storing_results(std::move(children), places);
    co_await detail::gather_all(std::move(storing));

    std::vector<T> results;
    results.reserve(places.size());
    for (std::optional<T>& place : places) results.push_back(std::move(*place));
    co_return results;
}

/// The same for children without a result.
inline task<void> gather(std::vector<task<void>> children) {
    return detail::gather_all(std::move(children));
}

namespace detail {

/// What stands for a child's result in the tuple that gather() returns.
template <typename T>
using TupleValue = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <typename T>
task<void> storing_result(task<T> child, std::optional<TupleValue<T>>& place) {
    if constexpr (std::is_void_v<T>) {
        place.emplace();
        return child;
    } else {
        return store_result(std::move(child), place);
    }
}

}  // namespace detail

/// The same for a few children of different types; std::monostate stands for void.
template <typename... Ts>
    requires(sizeof...(Ts) > 0)
task<std::tuple<detail::TupleValue<Ts>...>> gather(task<Ts>... children) {
    std::tuple<std::optional<detail::TupleValue<Ts>>...> places;
    std::vector<task<void>> storing;
    storing.reserve(sizeof...(Ts));
    std::apply(
        [&](auto&... place) {
            (storing.push_back(detail::storing_result<Ts>(std::move(children), place)), ...);
        },
        places);
    co_await detail::gather_all(std::move(storing));
    co_return std::apply(
        [](auto&... place) { return std::tuple<detail::TupleValue<Ts>...>(std::move(*place)...); }, places);
}

/// Runs all children beside each other and keeps every result, values and errors, in the order of
/// the children.
///
/// Cancellation: cancels the children, waits until all have ended, throws Cancelled.
template <typename T>
task<std::vector<Outcome<T>>> gather_outcomes(std::vector<task<T>> children) {
    std::vector<std::optional<T>> places(children.size());
    std::vector<task<void>> storing = detail::storing_results(std::move(children), places);
    std::vector<std::exception_ptr> errors = co_await detail::gather_errors(std::move(storing));

    std::vector<Outcome<T>> outcomes;
    outcomes.reserve(places.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
        if (errors[i]) {
            outcomes.emplace_back(std::move(errors[i]));
        } else {
            outcomes.emplace_back(std::move(*places[i]));
        }
    }
    co_return outcomes;
}

/// The same for children without a result.
task<std::vector<Outcome<void>>> gather_outcomes(std::vector<task<void>> children);

}  // namespace coromd::runtime
