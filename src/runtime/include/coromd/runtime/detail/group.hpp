// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "coromd/runtime/task.hpp"

// The type-erased inside of gather(), race(), with_timeout() and shield(); not for direct use.
namespace coromd::runtime::detail {

/// What a group does when one of its children ends or when the group itself is cancelled.
enum class GroupRule {
    wait_all,    ///< children do not disturb each other
    fail_fast,   ///< the first error cancels the others
    first_ends,  ///< the first to end, well or not, cancels the others
    shielded     ///< as wait_all, and a cancellation from outside does not reach the children
};

/// How a group ended. All children have.
struct GroupEnd {
    std::optional<std::size_t> decisive;     ///< the child that made the rule cancel the others
    bool cancelled = false;                  ///< from outside, before any child was decisive
    std::vector<std::exception_ptr> errors;  ///< one per child; null where it ended well
};

/// Runs the children beside each other and waits until all of them have ended.
///
/// Cancellation: throws Cancelled where it comes before the start (unless shielded); later it is
/// handed to the children (unless shielded) and noted in the result.
task<GroupEnd> run_group(std::vector<task<void>> children, GroupRule rule);

/// run_group() for gather(): rethrows the first error, or Cancelled.
task<void> gather_all(std::vector<task<void>> children);
/// run_group() for gather_outcomes(): the errors, or throws Cancelled.
task<std::vector<std::exception_ptr>> gather_errors(std::vector<task<void>> children);
/// run_group() for race(): the index of the child that ended first; rethrows its error.
task<std::size_t> race_all(std::vector<task<void>> children);

/// Awaits `child` and puts what it returns into `place`.
template <typename T>
task<void> store_result(task<T> child, std::optional<T>& place) {
    place.emplace(co_await std::move(child));
}

/// The children as tasks that put their results into `places`, one for each.
template <typename T>
std::vector<task<void>> storing_results(std::vector<task<T>> children,
                                        std::vector<std::optional<T>>& places) {
    std::vector<task<void>> storing;
    storing.reserve(children.size());
    for (std::size_t i = 0; i < children.size(); ++i) {
        storing.push_back(store_result(std::move(children[i]), places[i]));
    }
    return storing;
}

}  // namespace coromd::runtime::detail
