// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/timer.hpp"

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>

#include "waiter.hpp"

namespace coromd::runtime {

task<void> sleep_for(std::chrono::nanoseconds duration) {
    detail::throw_if_cancelled(co_await asio::this_coro::cancellation_state);
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(duration);
    asio::error_code error;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) throw Cancelled();
}

}  // namespace coromd::runtime
