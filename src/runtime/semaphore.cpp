// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/semaphore.hpp"

#include <cassert>
#include <iterator>

#include "waiter.hpp"

namespace coromd::runtime {

// A permit belongs to a turn from the moment serve() takes it off the queue, before its coroutine
// has run again: a cancellation that comes in between finds the permit in the hands of the
// coroutine, which gives it back by the Permit's destructor at its next wait.

/// One coroutine in Semaphore::acquire().
class Semaphore::Turn final : public detail::Waiter {
public:
    Turn(Semaphore& semaphore, std::size_t n) : semaphore_(semaphore), n_(n) {
        semaphore.queue_.push_back(this);
        place_ = std::prev(semaphore.queue_.end());
    }
    std::size_t permits() const noexcept { return n_; }
    bool cancelled() const noexcept { return cancelled_; }

private:
    void on_cancel() noexcept override {
        semaphore_.queue_.erase(place_);
        cancelled_ = true;
        resume();
        semaphore_.serve();  // those behind may want less
    }

    Semaphore& semaphore_;
    std::size_t n_;
    std::list<Turn*>::iterator place_;
    bool cancelled_ = false;
};

Semaphore::Semaphore(std::size_t permits) : capacity_(permits), available_(permits) {}

Semaphore::~Semaphore() {
    assert(queue_.empty() && available_ == capacity_ && "a Semaphore must outlive its waiters and permits");
}

task<Permit> Semaphore::acquire(std::size_t n) {
    if (n > capacity_) fail(ErrorKind::usage, "{} permits asked of a semaphore that has {}", n, capacity_);
    detail::throw_if_cancelled(co_await asio::this_coro::cancellation_state);
    if (queue_.empty() && n <= available_) {
        available_ -= n;
        co_return Permit(*this, n);
    }
    Turn turn(*this, n);
    co_await turn.suspend();
    if (turn.cancelled()) throw Cancelled();
    co_return Permit(*this, n);
}

void Semaphore::give_back(std::size_t n) noexcept {
    available_ += n;
    serve();
}

void Semaphore::serve() noexcept {
    while (!queue_.empty() && queue_.front()->permits() <= available_) {
        Turn* turn = queue_.front();
        queue_.pop_front();
        available_ -= turn->permits();
        turn->resume();
    }
}

Permit& Permit::operator=(Permit&& other) noexcept {
    if (this != &other) {
        release();
        semaphore_ = std::exchange(other.semaphore_, nullptr);
        count_ = std::exchange(other.count_, 0);
    }
    return *this;
}

void Permit::release() noexcept {
    Semaphore* semaphore = std::exchange(semaphore_, nullptr);
    if (semaphore) semaphore->give_back(std::exchange(count_, 0));
}

}  // namespace coromd::runtime
