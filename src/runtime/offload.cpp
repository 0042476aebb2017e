// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/offload.hpp"

#include <atomic>

#include <asio/post.hpp>

#include "waiter.hpp"

namespace coromd::runtime::detail {
namespace {

/// A coroutine that waits for the pool. The pool's thread touches it until it has put the
/// resumption into the loop's queue, which also makes its writes visible there.
class PoolWait final : public Waiter {
public:
    PoolWait(PoolJob& job, asio::any_io_executor loop) : job_(job), loop_(std::move(loop)) {}

    void run() noexcept {
        if (!cancelled_) {
            try {
                job_.call();
            } catch (...) {
                error_ = std::current_exception();
            }
        }
        const asio::any_io_executor loop = loop_;  // *this may be gone before post() returns
        asio::post(loop, [this] { resume(); });
    }

    void finish() const {
        if (cancelled_) throw Cancelled();
        if (error_) std::rethrow_exception(error_);
    }

private:
    void on_cancel() noexcept override { cancelled_ = true; }

    PoolJob& job_;
    asio::any_io_executor loop_;
    std::exception_ptr error_;
    std::atomic<bool> cancelled_ = false;
};

}  // namespace

task<void> run_on_pool(Context& context, PoolJob& job) {
    throw_if_cancelled(co_await asio::this_coro::cancellation_state);
    PoolWait wait(job, co_await asio::this_coro::executor);
    context.post_to_pool([&wait] { wait.run(); });
    co_await wait.suspend();
    wait.finish();
}

}  // namespace coromd::runtime::detail
