// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "coromd/core/log.hpp"
#include "coromd/runtime/detail/group.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::runtime {

/// What a shutdown does with jobs that run and can outlive the program.
enum class Shutdown {
    as_usual,    ///< what is usual where they run: on clusters they are left running, elsewhere stopped
    stop_jobs,   ///< they are stopped gracefully
    leave_jobs,  ///< they run on, and are found again at the next start
};

/// The loop that runs all coroutines, the pool that runs what would block it, and the logger:
/// what lower floors are handed in place of the session, which owns it.
///
/// One thread, the one that calls run(), runs all coroutines, so that what they share needs no
/// locks. Semaphores, events and processes are used on that thread only, and outlive no Context.
class Context {
public:
    /// `pool_threads`: 0 for as many as there are CPUs for this process. The threads start when
    /// they are first needed.
    explicit Context(unsigned pool_threads = 0, Logger log = null_logger());
    /// Waits for what the pool still runs.
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    /// Runs `main` on the calling thread until it and everything it awaits has ended; returns its
    /// value or rethrows. May be called again when it has returned. An exception out of a handler
    /// that others put on executor() cancels `main` and is rethrown when that has ended.
    ///
    /// Cancellation: request_stop() cancels `main`; run() throws what `main` throws, usually
    /// Cancelled.
    template <typename T>
    T run(task<T> main) {
        if constexpr (std::is_void_v<T>) {
            run_main(std::move(main));
        } else {
            std::optional<T> result;
            run_main(detail::store_result(std::move(main), result));
            return std::move(*result);
        }
    }

    /// Cancels what run() runs, now and in later calls. The first call decides about the jobs. Safe from
    /// any thread.
    void request_stop(Shutdown how = Shutdown::as_usual);
    /// Whether request_stop() was called: a shutdown, as opposed to a program that cancels
    /// something of its own. Safe from any thread.
    bool stop_requested() const noexcept;
    /// Whether a shutdown was requested that leaves jobs running, where `usual` is what is usual.
    /// Safe from any thread.
    bool leaves_jobs(bool usual) const noexcept;

    /// The loop.
    asio::any_io_executor executor() noexcept;
    /// Runs `work` on a thread of the pool; it must not throw. Safe from any thread. Coroutines
    /// use offload().
    void post_to_pool(std::function<void()> work);
    const Logger& logger() const noexcept;
    spdlog::logger& log() const noexcept { return *logger(); }

private:
    struct Impl;

    void run_main(task<void> main);

    std::unique_ptr<Impl> impl_;
};

}  // namespace coromd::runtime
