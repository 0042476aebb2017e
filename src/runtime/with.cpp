// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/with.hpp"

#include <vector>

#include "waiter.hpp"

namespace coromd::runtime {

task<std::exception_ptr> detail::run_shielded(task<void> child) {
    std::vector<task<void>> children;
    children.push_back(std::move(child));
    const GroupEnd end = co_await run_group(std::move(children), GroupRule::shielded);
    co_return end.errors[0];
}

task<void> shield(task<void> child) {
    const std::exception_ptr error = co_await detail::run_shielded(std::move(child));
    if (error) std::rethrow_exception(error);
    detail::throw_if_cancelled(co_await asio::this_coro::cancellation_state);
}

}  // namespace coromd::runtime
