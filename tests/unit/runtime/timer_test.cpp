// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/timer.hpp"

#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;

TEST(SleepFor, LastsAtLeastAsLong) {
    Context context;
    const auto begin = std::chrono::steady_clock::now();
    context.run(sleep_for(20ms));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
}

TEST(SleepFor, TakesTheShortestAndTheLongestDuration) {
    Context context;
    context.run(sleep_for(std::chrono::nanoseconds::min()));
    auto body = [&]() -> task<> {
        context.request_stop();
        co_await sleep_for(std::chrono::nanoseconds::max());
    };
    EXPECT_THROW(context.run(body()), Cancelled);
}

TEST(SleepFor, ThrowsCancelledWhereTheCoroutineIsAlready) {
    Context context;
    auto body = [&]() -> task<int> {
        context.request_stop();
        int cancelled = 0;
        for (const auto duration : {std::chrono::nanoseconds(kForever), 0ns}) {
            try {
                co_await sleep_for(duration);
            } catch (const Cancelled&) {
                ++cancelled;
            }
        }
        co_return cancelled;
    };
    EXPECT_EQ(context.run(body()), 2);
}

}  // namespace
}  // namespace coromd::runtime
