// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <asio/awaitable.hpp>

namespace coromd::runtime {

/// What a coroutine returns. Lazy: nothing runs before it is awaited, and it is awaited once.
/// Everything it waits for it waits for on the loop thread of its Context.
template <typename T = void>
using task = asio::awaitable<T>;

}  // namespace coromd::runtime
