// SPDX-License-Identifier: LGPL-3.0-or-later
#include <atomic>

#include <sys/wait.h>

#include "coromd/runtime/event.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/offload.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/race.hpp"
#include "coromd/runtime/semaphore.hpp"
#include "coromd/runtime/timeout.hpp"
#include "coromd/runtime/with.hpp"
#include "process_table.hpp"
#include "runtime_test.hpp"

// Composed coroutines, cancelled after every possible number of turns of the loop: wherever that
// meets them, permits, processes and descriptors are given back and what was begun is ended.

namespace coromd::runtime {
namespace {

using namespace test;

/// Runs what `make` returns and stops it after `turns`. Whether it ended by itself before that.
template <typename Make>
bool ends_before(std::size_t turns, Make make) {
    Context context(2);
    after_turns(context.executor(), turns, [&] { context.request_stop(); });
    try {
        context.run(make(context));
        return true;
    } catch (const Cancelled&) {
        return false;
    }
}

TEST(Abandon, WaitsAtEverySuspension) {
    bool ended = false;
    std::size_t cut_off = 0;
    for (std::size_t turns = 0; !ended; ++turns) {
        ASSERT_LT(turns, 10'000u);
        Semaphore semaphore(3);
        Event event;
        int opened = 0;
        int closed = 0;

        auto use = [&](int& n) -> task<int> {
            ++opened;
            const Permit permit = co_await semaphore.acquire(2);
            co_await take_turns(2);
            co_return n;
        };
        auto close = [&](int&) -> task<> {
            co_await take_turns(2);
            ++closed;
        };
        auto user = [&](int n) -> task<> {
            const Permit permit = co_await semaphore.acquire();
            co_await with(n, use, close);
        };
        auto racer = [&]() -> task<> {
            std::vector<task<>> racers;
            racers.push_back(event.wait());
            racers.push_back(user(1));
            co_await race(std::move(racers));
            co_await with_timeout(0s, event.wait());
        };
        auto compose = [&](Context&) -> task<> {
            co_await gather(racer(), user(2));
            co_await user(3);
            event.set();
            co_await shield(take_turns(2));
            co_await event.wait();
        };
        ended = ends_before(turns, compose);
        if (!ended) ++cut_off;
        ASSERT_EQ(semaphore.available(), 3u) << turns;
        ASSERT_EQ(semaphore.waiting(), 0u) << turns;
        ASSERT_EQ(closed, opened) << turns;
        if (ended) {
            EXPECT_EQ(opened, 3);
        }
    }
    EXPECT_GT(cut_off, 20u);
}

TEST(Abandon, ProcessesAndThePoolAtManySuspensions) {
    bool ended = false;
    { Context context; }  // what Asio opens once
    const std::size_t files = count_open_files();
    // How often the loop turns while a process runs depends on the machine, hence the larger strides.
    for (std::size_t turns = 0; !ended; turns += 1 + turns / 8) {
        Semaphore slots(2);
        std::vector<pid_t> pids;
        std::atomic<int> working = 0;

        auto program = [&](Context& context) -> task<> {
            const Permit slot = co_await slots.acquire();
            Command command({"sh", "-c", "echo $$; true"});
            const ProcessResult result = co_await run_process(context, command);
            pids.push_back(result.pid);
            co_await offload(context, [&] { ++working; });
            co_await offload(context, [&] { --working; });
        };
        auto compose = [&](Context& context) -> task<> {
            co_await gather(program(context), program(context), program(context));
            co_await program(context);
        };
        ended = ends_before(turns, compose);
        ASSERT_EQ(slots.available(), 2u) << turns;
        if (ended) {
            EXPECT_EQ(working, 0);
            EXPECT_EQ(pids.size(), 4u);
        }
        ASSERT_EQ(count_open_files(), files) << turns;
        ASSERT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << turns;  // no child is left, not even a zombie
    }
}

TEST(Abandon, ErrorsAtEveryTurn) {
    for (int turns = 0; turns < 40; ++turns) {
        Context context;
        Semaphore semaphore(1);
        Event never;
        auto user = [&]() -> task<> {
            const Permit permit = co_await semaphore.acquire();
            co_await take_turns(5);
        };
        EXPECT_EQ(thrown_by([&] {
                      context.run(gather(user(), user(), user(), never.wait(), error_after(turns, "cut")));
                  }),
                  "cut");
        ASSERT_EQ(semaphore.available(), 1u);
    }
}

}  // namespace
}  // namespace coromd::runtime
