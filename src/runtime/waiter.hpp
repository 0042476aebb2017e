// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <optional>

#include <asio/cancellation_state.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "coromd/core/error.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::runtime::detail {

/// What every wait begins with: throw_if_cancelled(co_await asio::this_coro::cancellation_state).
inline void throw_if_cancelled(const asio::cancellation_state& state) {
    if (state.cancelled() != asio::cancellation_type::none) throw Cancelled();
}

/// One coroutine that waits for something other than Asio: on its frame, used once, on the loop.
///
/// It is resumed from the loop's queue, never from within resume(): whoever calls that may hold
/// references to anything, and a thousand that are resumed at once do not nest.
class Waiter {
public:
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    /// Suspends the coroutine until resume() is called, or not at all where it was before.
    /// Cancellation: calls on_cancel() and goes on waiting.
    task<void> suspend();
    /// Lets the coroutine go on. Calls after the first do nothing.
    void resume() noexcept;

protected:
    Waiter() = default;
    ~Waiter() = default;

private:
    /// Called inside the emission of the cancellation, at most once, and not after resume().
    virtual void on_cancel() noexcept = 0;

    using Handler = asio::async_result<asio::use_awaitable_t<>, void()>::handler_type;

    void hold(Handler handler);

    std::optional<Handler> handler_;
    bool resumed_ = false;
};

}  // namespace coromd::runtime::detail
