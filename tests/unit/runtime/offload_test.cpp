// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/offload.hpp"

#include <future>
#include <memory>
#include <thread>

#include "coromd/runtime/gather.hpp"
#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;

TEST(Offload, RunsOnThePoolAndComesBackToTheLoop) {
    Context context(2);
    const std::thread::id loop = std::this_thread::get_id();
    auto body = [&]() -> task<> {
        const std::thread::id there = co_await offload(context, [&] { return std::this_thread::get_id(); });
        EXPECT_NE(there, loop);
        EXPECT_EQ(std::this_thread::get_id(), loop);
    };
    context.run(body());
}

TEST(Offload, ReturnsMoveOnlyValuesAndNothing) {
    Context context(1);
    auto body = [&]() -> task<int> {
        int seen = 0;
        co_await offload(context, [&] { seen = 1; });
        EXPECT_EQ(seen, 1);
        const std::unique_ptr<int> value = co_await offload(context, [] { return std::make_unique<int>(2); });
        co_return *value;
    };
    EXPECT_EQ(context.run(body()), 2);
}

TEST(Offload, TakesANamedCallableThatOwns) {
    Context context(1);
    auto body = [&]() -> task<int> {
        auto owned = std::make_shared<int>(5);
        auto work = [owned] { return *owned; };
        const int value = co_await offload(context, work);
        EXPECT_EQ(owned.use_count(), 2);
        co_return value;
    };
    EXPECT_EQ(context.run(body()), 5);
}

TEST(Offload, RethrowsOnTheLoop) {
    Context context(1);
    auto body = [&]() -> task<> { co_await offload(context, [] { fail(ErrorKind::input, "bad file"); }); };
    EXPECT_EQ(thrown_by([&] { context.run(body()); }), "bad file");
}

TEST(Offload, DoesNotHoldUpTheLoop) {
    Context context(1);
    std::promise<void> release;
    auto blocks = [&]() -> task<> {
        std::future<void> released = release.get_future();
        co_await offload(context, [&] { released.wait(); });
    };
    auto releases = [&]() -> task<> {
        co_await settle();
        release.set_value();
    };
    context.run(gather(blocks(), releases()));
}

TEST(Offload, CancelledWaitsUntilTheWorkHasEnded) {
    Context context(1);
    std::promise<void> release;
    std::promise<void> began;
    std::atomic<bool> ended = false;
    auto blocks = [&]() -> task<> {
        std::future<void> released = release.get_future();
        auto work = [&] {
            began.set_value();
            released.wait();
            ended = true;
        };
        try {
            co_await offload(context, work);
            ADD_FAILURE() << "not cancelled";
        } catch (const Cancelled&) {
            EXPECT_TRUE(ended);
            throw;
        }
    };
    auto body = [&]() -> task<> {
        std::vector<task<>> children;
        children.push_back(blocks());
        co_await gather(std::move(children));
    };
    std::thread stopper([&] {
        began.get_future().wait();
        context.request_stop();
        // In the loop's queue behind the cancellation, so that it happens before the work ends.
        asio::post(context.executor(), [&] { release.set_value(); });
    });
    EXPECT_THROW(context.run(body()), Cancelled);
    EXPECT_TRUE(ended);
    stopper.join();
}

TEST(Offload, CancelledBeforeAThreadTookItSkipsTheWork) {
    Context context(1);
    std::promise<void> release;
    std::atomic<int> ran = 0;
    auto blocks = [&]() -> task<> {
        std::future<void> released = release.get_future();
        co_await offload(context, [&] {
            released.wait();
            ++ran;
        });
    };
    auto queued = [&]() -> task<> { co_await offload(context, [&] { ++ran; }); };
    after_turns(context.executor(), 20, [&] {
        context.request_stop();
        asio::post(context.executor(), [&] { release.set_value(); });
    });
    EXPECT_THROW(context.run(gather(blocks(), queued(), queued())), Cancelled);
    EXPECT_LE(ran, 1);
}

TEST(Offload, Thousands) {
    Context context(4);
    auto square = [&](int i) -> task<int> { co_return co_await offload(context, [&] { return i * i; }); };
    std::vector<task<int>> children;
    for (int i = 0; i < 5'000; ++i) children.push_back(square(i));
    const std::vector<int> results = context.run(gather(std::move(children)));
    EXPECT_EQ(results[70], 4'900);
    EXPECT_EQ(results.size(), 5'000u);
}

}  // namespace
}  // namespace coromd::runtime
