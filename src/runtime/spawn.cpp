// SPDX-License-Identifier: LGPL-3.0-or-later
#include "spawn.hpp"

#include <utility>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include "coromd/core/error.hpp"

namespace coromd::runtime::detail {
namespace {

/// Asio would throw its own error at the next co_await of a cancelled coroutine. Here the waits
/// themselves ask, and throw Cancelled.
task<void> run(task<void> body) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await std::move(body);
}

}  // namespace

void Child::start(const asio::any_io_executor& executor, task<void> body) noexcept {
    // The signal reaches the coroutine from co_spawn on; before that there is the flag.
    auto begin = [this, executor, body = std::move(body)]() mutable {
        if (cancelled_) {
            ended(std::make_exception_ptr(Cancelled()));
            return;
        }
        auto on_end = [this](std::exception_ptr error) { ended(std::move(error)); };
        asio::co_spawn(executor, run(std::move(body)), asio::bind_cancellation_slot(signal_.slot(), on_end));
    };
    asio::post(executor, std::move(begin));
}

void Child::cancel() {
    if (std::exchange(cancelled_, true)) return;
    signal_.emit(asio::cancellation_type::terminal);
}

}  // namespace coromd::runtime::detail
