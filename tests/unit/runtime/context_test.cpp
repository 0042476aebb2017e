// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/context.hpp"

#include <future>
#include <thread>

#include "coromd/runtime/gather.hpp"
#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;

TEST(Context, ReturnsWhatTheCoroutineReturns) {
    Context context;
    EXPECT_EQ(context.run(value_after(3, 42)), 42);
    auto owned = context.run(value_after(0, std::make_unique<int>(7)));
    EXPECT_EQ(*owned, 7);
}

TEST(Context, RethrowsWhatTheCoroutineThrows) {
    Context context;
    EXPECT_EQ(thrown_by([&] { context.run(error_after(0, "at once")); }), "at once");
    EXPECT_EQ(thrown_by([&] { context.run(error_after(2, "later")); }), "later");
}

TEST(Context, RunsAgainAfterValuesAndErrors) {
    Context context;
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(context.run(value_after(i, i)), i);
        EXPECT_EQ(thrown_by([&] { context.run(error_after(i, "e")); }), "e");
    }
}

TEST(Context, RefusesToRunWithinItself) {
    Context context;
    auto nested = [&]() -> task<> {
        context.run(take_turns(1));
        co_return;
    };
    EXPECT_THAT(thrown_by([&] { context.run(nested()); }),
                testing::HasSubstr("was called from what it runs"));
    EXPECT_EQ(context.run(value_after(1, 1)), 1);
}

TEST(Context, StopFromAnotherThreadCancels) {
    Context context;
    std::promise<void> running;
    auto body = [&]() -> task<> {
        running.set_value();
        co_await wait_forever();
    };
    std::thread stopper([&] {
        running.get_future().wait();
        context.request_stop();
    });
    EXPECT_FALSE(context.stop_requested());
    EXPECT_THROW(context.run(body()), Cancelled);
    EXPECT_TRUE(context.stop_requested());
    stopper.join();
}

TEST(Context, StopBeforeRunLetsNothingBegin) {
    Context context;
    context.request_stop();
    bool began = false;
    auto body = [&]() -> task<> {
        began = true;
        co_return;
    };
    EXPECT_THROW(context.run(body()), Cancelled);
    EXPECT_THROW(context.run(body()), Cancelled);
    EXPECT_FALSE(began);
}

TEST(Context, StopLeavesAFinishedValueAlone) {
    Context context;
    auto body = [&]() -> task<int> {
        context.request_stop();
        co_return 5;
    };
    EXPECT_EQ(context.run(body()), 5);
}

TEST(Context, CancelledCoroutineCanStillCatchAndReturn) {
    Context context;
    auto body = [&]() -> task<std::string> {
        context.request_stop();
        std::string seen;
        for (int i = 0; i < 3; ++i) {
            try {
                co_await wait_forever();
            } catch (const Cancelled&) {
                seen += "c";  // every wait from here on ends so
            }
        }
        co_return seen;
    };
    EXPECT_EQ(context.run(body()), "ccc");
}

TEST(Context, StrayExceptionWaitsForTheCoroutine) {
    Context context;
    bool unwound = false;
    auto body = [&]() -> task<> {
        asio::post(context.executor(), [] { throw Error(ErrorKind::system, "stray"); });
        try {
            co_await wait_forever();
        } catch (const Cancelled&) {
            unwound = true;
            throw;
        }
    };
    EXPECT_EQ(thrown_by([&] { context.run(body()); }), "stray");
    EXPECT_TRUE(unwound);
}

TEST(Context, WorkOnThePoolIsFinishedByTheDestructor) {
    std::atomic<int> done = 0;
    {
        Context context(2);
        for (int i = 0; i < 100; ++i) context.post_to_pool([&] { ++done; });
    }
    EXPECT_EQ(done, 100);
}

TEST(Context, TasksThatAreNeverAwaitedAreDestroyed) {
    auto watched = std::make_shared<int>(0);
    {
        Context context;
        auto keep = [](std::shared_ptr<int>) -> task<> { co_return; };
        task<> never = keep(watched);
        std::vector<task<>> children;
        children.push_back(keep(watched));
        task<> group = gather(std::move(children));
    }
    EXPECT_EQ(watched.use_count(), 1);
}

TEST(Context, LogsNowhereByDefault) {
    Context context;
    context.log().error("nobody sees this");
    EXPECT_NE(context.logger(), nullptr);
}

}  // namespace
}  // namespace coromd::runtime
