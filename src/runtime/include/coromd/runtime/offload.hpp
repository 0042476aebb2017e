// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::runtime {
namespace detail {

/// Work for the pool, on the frame of the coroutine that waits for it.
class PoolJob {
public:
    virtual void call() = 0;

protected:
    ~PoolJob() = default;
};

/// Calls job.call() on the pool; rethrows what it threw.
task<void> run_on_pool(Context& context, PoolJob& job);

template <typename Result, typename Fn>
class CallJob final : public PoolJob {
public:
    explicit CallJob(Fn& fn) : fn_(fn) {}
    void call() override { result_.emplace(fn_()); }
    Result take() { return std::move(*result_); }

private:
    Fn& fn_;
    std::optional<Result> result_;
};

template <typename Fn>
class CallJob<void, Fn> final : public PoolJob {
public:
    explicit CallJob(Fn& fn) : fn_(fn) {}
    void call() override { fn_(); }
    void take() {}

private:
    Fn& fn_;
};

/// `Stored` is a reference for a callable that came by reference, else it is moved in here.
template <typename Result, typename Stored>
task<Result> offload_call(Context& context, Stored fn) {
    CallJob<Result, std::remove_reference_t<Stored>> job(fn);
    co_await run_on_pool(context, job);
    co_return job.take();
}

}  // namespace detail

/// Runs fn() on the pool, so that it does not hold up the loop: computing, reading and writing
/// files. Its result or exception comes back on the loop.
///
/// Cancellation: fn() is not interrupted. Waits, without blocking the loop, until it has ended
/// (it is skipped where no thread has taken it yet), then throws Cancelled.
template <typename Fn>
auto offload(Context& context, Fn&& fn) -> task<std::invoke_result_t<std::remove_reference_t<Fn>&>> {
    using Result = std::invoke_result_t<std::remove_reference_t<Fn>&>;
    static_assert(std::is_lvalue_reference_v<Fn> || std::is_trivially_destructible_v<Fn>,
                  "GCC 12 destroys a temporary closure with captures twice in a co_await: "
                  "give it a name on a line of its own (auto work = [...] {...};) and pass that, "
                  "or capture by reference only");
    static_assert(!std::is_reference_v<Result>, "return a value: what a reference names may be gone");
    return detail::offload_call<Result, Fn>(context, std::forward<Fn>(fn));
}

}  // namespace coromd::runtime
