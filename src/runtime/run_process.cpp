// SPDX-License-Identifier: LGPL-3.0-or-later
#include <csignal>

#include "coromd/core/error.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/timeout.hpp"
#include "coromd/runtime/timer.hpp"
#include "coromd/runtime/with.hpp"
#include "process_table.hpp"
#include "waiter.hpp"

namespace coromd::runtime {
namespace {

/// SIGTERM, and SIGKILL to what is left after `grace`. Where the leader is a script that dies at
/// once, what it started may still be writing its last files: the grace is for the whole group.
task<void> stop(Process& process, std::chrono::nanoseconds grace) {
    constexpr std::chrono::milliseconds kPollInterval{20};
    const auto begin = std::chrono::steady_clock::now();
    const auto in_grace = [&] { return std::chrono::steady_clock::now() - begin < grace; };

    process.signal_group(SIGTERM);
    co_await with_timeout(grace, process.wait());
    while (in_grace() && detail::group_lives(process.pid())) co_await sleep_for(kPollInterval);
    process.signal_group(SIGKILL);
    co_await process.wait();
}

}  // namespace

task<ProcessResult> run_process(Context& context, Command command, std::chrono::nanoseconds grace) {
    detail::throw_if_cancelled(co_await asio::this_coro::cancellation_state);
    Process process = Process::start(context, command);
    bool cancelled = false;
    try {
        co_await process.wait();
    } catch (const Cancelled&) {
        cancelled = true;
    }
    if (cancelled) {
        co_await shield(stop(process, grace));
        throw Cancelled();
    }
    co_return process.result();
}

}  // namespace coromd::runtime
