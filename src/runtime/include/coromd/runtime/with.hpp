// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "coromd/runtime/detail/group.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::runtime {

/// Runs `child` to its end although the coroutine that awaits it is cancelled, before or meanwhile.
/// Rethrows an error of the child.
///
/// Cancellation: does not reach the child; throws Cancelled when that has ended.
task<void> shield(task<void> child);

/// The same for a child with a result.
template <typename T>
task<T> shield(task<T> child) {
    std::optional<T> result;
    task<void> storing = detail::store_result(std::move(child), result);
    co_await shield(std::move(storing));
    co_return std::move(*result);
}

namespace detail {

/// shield() that returns the child's error instead of throwing, and says nothing of cancellation.
task<std::exception_ptr> run_shielded(task<void> child);

}  // namespace detail

/// Clean-up that must wait, as a scope: awaits body(resource), then exit(resource), which runs
/// whatever became of the body and is shielded from cancellation. Returns what the body returned.
/// Where both fail the body's error is thrown.
///
/// `body(R&)` returns task<T>, `exit(R&)` returns task<void>. Both are named closures or functions
/// that live until this ends, so that they may capture.
///
/// Cancellation: reaches the body, not the exit; throws Cancelled when the body did and the exit
/// has ended.
template <typename R, typename Body, typename Exit>
std::invoke_result_t<Body&, R&> with(R resource, Body& body, Exit& exit) {
    using T = typename std::invoke_result_t<Body&, R&>::value_type;
    static_assert(std::is_same_v<std::invoke_result_t<Exit&, R&>, task<void>>,
                  "exit(R&) must return task<void>");

    std::exception_ptr error;
    std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> result;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await body(resource);
        } else {
            result.emplace(co_await body(resource));
        }
    } catch (...) {
        error = std::current_exception();
    }
    // Not in the handler: a co_await is not allowed there.
    const std::exception_ptr exit_error = co_await detail::run_shielded(exit(resource));
    if (!error) error = exit_error;
    if (error) std::rethrow_exception(error);
    if constexpr (!std::is_void_v<T>) co_return std::move(*result);
}

}  // namespace coromd::runtime
