// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/event.hpp"

#include <cassert>
#include <iterator>

#include "waiter.hpp"

namespace coromd::runtime {

/// One coroutine in Event::wait().
class Event::Wait final : public detail::Waiter {
public:
    explicit Wait(Event& event) : event_(event) {
        event.waits_.push_back(this);
        place_ = std::prev(event.waits_.end());
    }
    bool cancelled() const noexcept { return cancelled_; }

private:
    void on_cancel() noexcept override {
        event_.waits_.erase(place_);
        cancelled_ = true;
        resume();
    }

    Event& event_;
    std::list<Wait*>::iterator place_;
    bool cancelled_ = false;
};

Event::~Event() {
    assert(waits_.empty() && "an Event must outlive those who wait for it");
}

void Event::set() noexcept {
    set_ = true;
    for (Wait* wait : waits_) wait->resume();
    waits_.clear();
}

task<void> Event::wait() {
    detail::throw_if_cancelled(co_await asio::this_coro::cancellation_state);
    if (set_) co_return;
    Wait wait(*this);
    co_await wait.suspend();
    if (wait.cancelled()) throw Cancelled();
}

}  // namespace coromd::runtime
