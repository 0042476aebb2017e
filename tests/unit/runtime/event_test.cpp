// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/event.hpp"

#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/race.hpp"
#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;
using testing::ElementsAre;

TEST(Event, LetsAllWaitersThrough) {
    Context context;
    Event event;
    std::vector<std::string> log;
    auto setter = [&]() -> task<> {
        co_await settle();
        EXPECT_TRUE(log.empty());
        event.set();
        EXPECT_TRUE(log.empty());  // nobody runs inside set()
    };
    context.run(gather(log_cancellation(event, log, "a"), log_cancellation(event, log, "b"), setter()));
    EXPECT_THAT(log, ElementsAre("a set", "b set"));
    EXPECT_TRUE(event.is_set());
}

TEST(Event, StaysSet) {
    Context context;
    Event event;
    event.set();
    event.set();
    context.run(event.wait());
    context.run(event.wait());
}

TEST(Event, CancelledWaitLeavesTheOthers) {
    Context context;
    Event event;
    std::vector<std::string> log;
    auto body = [&]() -> task<> {
        std::vector<task<>> racers;
        racers.push_back(log_cancellation(event, log, "cancelled one"));
        racers.push_back(take_turns(3));
        co_await race(std::move(racers));
        event.set();
    };
    context.run(gather(log_cancellation(event, log, "other"), body()));
    EXPECT_THAT(log, ElementsAre("cancelled one cancelled", "other set"));
}

TEST(Event, SetAndCancelledAtOnceCountsAsSet) {
    Context context;
    Event event;
    auto body = [&]() -> task<bool> {
        co_await event.wait();
        co_return true;
    };
    auto both = [&]() -> task<bool> {
        after_turns(context.executor(), 5, [&] {
            event.set();
            context.request_stop();
        });
        co_return co_await body();
    };
    EXPECT_TRUE(context.run(both()));
}

TEST(Event, ThousandsAreResumedWithoutNesting) {
    Context context;
    Event event;
    std::vector<task<>> waits;
    for (int i = 0; i < 50'000; ++i) waits.push_back(event.wait());
    after_turns(context.executor(), 5, [&] { event.set(); });
    context.run(gather(std::move(waits)));
}

}  // namespace
}  // namespace coromd::runtime
