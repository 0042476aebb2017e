// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include "coromd/runtime/detail/group.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::runtime {

/// Awaits `child` for at most `limit`, then cancels it and waits until it has ended. True where
/// the child ended well, even if that was after the limit; false where the limit cut it off.
/// Rethrows an error of the child.
///
/// Cancellation: reaches the child; throws Cancelled when that has ended so.
task<bool> with_timeout(std::chrono::nanoseconds limit, task<void> child);

/// The same for a child with a result, which is never lost: empty only where the limit cut it off.
template <typename T>
task<std::optional<T>> with_timeout(std::chrono::nanoseconds limit, task<T> child) {
    std::optional<T> result;
    task<void> storing = detail::store_result(std::move(child), result);
    co_await with_timeout(limit, std::move(storing));
    co_return result;
}

}  // namespace coromd::runtime
