// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/timeout.hpp"

#include <vector>

#include "coromd/core/error.hpp"
#include "coromd/runtime/timer.hpp"

namespace coromd::runtime {
namespace {

bool is_cancelled(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const Cancelled&) {
        return true;
    } catch (...) {
        return false;
    }
}

}  // namespace

// A race between the child and a timer, judged by what became of the child.
task<bool> with_timeout(std::chrono::nanoseconds limit, task<void> child) {
    std::vector<task<void>> runners;
    runners.push_back(std::move(child));
    runners.push_back(sleep_for(limit));
    const detail::GroupEnd end =
        co_await detail::run_group(std::move(runners), detail::GroupRule::first_ends);

    const std::exception_ptr& error = end.errors[0];
    if (!error) co_return true;
    const bool cut_off = end.decisive == 1u && is_cancelled(error);
    if (!cut_off) std::rethrow_exception(error);
    co_return false;
}

}  // namespace coromd::runtime
