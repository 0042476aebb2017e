// SPDX-License-Identifier: LGPL-3.0-or-later
#include "waiter.hpp"

#include <utility>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/post.hpp>

namespace coromd::runtime::detail {

// The handler owns the suspended coroutine, whose frame holds this Waiter, which holds the handler:
// a cycle that only resume() opens. That is sound because Context::run() never returns before all
// that it started has ended, so that no coroutine is left suspended when the loop is destroyed.

task<void> Waiter::suspend() {
    auto hold_handler = [this](Handler handler) { hold(std::move(handler)); };
    return asio::async_initiate<const asio::use_awaitable_t<>, void()>(hold_handler, asio::use_awaitable);
}

void Waiter::hold(Handler handler) {
    if (resumed_) {
        asio::post(std::move(handler));
        return;
    }
    asio::cancellation_slot slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
        slot.assign([this](asio::cancellation_type) {
            if (!resumed_) on_cancel();
        });
    }
    handler_.emplace(std::move(handler));
}

void Waiter::resume() noexcept {
    if (std::exchange(resumed_, true) || !handler_) return;
    asio::post(std::move(*handler_));
    handler_.reset();
}

}  // namespace coromd::runtime::detail
