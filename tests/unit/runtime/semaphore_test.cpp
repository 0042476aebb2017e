// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/semaphore.hpp"

#include <algorithm>

#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/race.hpp"
#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;
using testing::ElementsAre;

/// Takes `n` permits, notes its name, and holds them until `done`.
task<> hold(Semaphore& semaphore, std::size_t n, std::vector<std::string>& log, std::string name,
            Event& done) {
    const Permit permit = co_await semaphore.acquire(n);
    log.push_back(name);
    co_await done.wait();
}

TEST(Semaphore, GivesAndTakesBack) {
    Context context;
    Semaphore semaphore(3);
    auto body = [&]() -> task<> {
        Permit two = co_await semaphore.acquire(2);
        EXPECT_EQ(two.count(), 2u);
        EXPECT_EQ(semaphore.available(), 1u);
        Permit one = co_await semaphore.acquire();
        EXPECT_EQ(semaphore.available(), 0u);
        two.release();
        two.release();
        EXPECT_EQ(semaphore.available(), 2u);
        two = std::move(one);
        EXPECT_EQ(two.count(), 1u);
        EXPECT_EQ(one.count(), 0u);
        EXPECT_EQ(semaphore.available(), 2u);
        Permit none = co_await semaphore.acquire(0);
        EXPECT_EQ(semaphore.available(), 2u);
        two = std::move(none);
        EXPECT_EQ(semaphore.available(), 3u);
    };
    context.run(body());
    EXPECT_EQ(semaphore.available(), semaphore.capacity());
}

TEST(Semaphore, RefusesWhatItNeverHas) {
    Context context;
    Semaphore semaphore(2);
    auto body = [&]() -> task<> { co_await semaphore.acquire(3); };
    EXPECT_EQ(thrown_by([&] { context.run(body()); }), "3 permits asked of a semaphore that has 2");
}

TEST(Semaphore, ServesInOrderAlsoPastOneThatWantsMuch) {
    Context context;
    Semaphore semaphore(4);
    std::vector<std::string> log;
    Event first_done;
    Event rest_done;
    auto script = [&]() -> task<> {
        co_await settle();
        EXPECT_THAT(log, ElementsAre("first"));
        EXPECT_EQ(semaphore.available(), 1u);  // which the last could have, but it is not its turn
        EXPECT_EQ(semaphore.waiting(), 2u);
        first_done.set();
        co_await settle();
        EXPECT_THAT(log, ElementsAre("first", "all"));
        rest_done.set();
    };
    context.run(gather(hold(semaphore, 3, log, "first", first_done),
                       hold(semaphore, 4, log, "all", rest_done), hold(semaphore, 1, log, "last", rest_done),
                       script()));
    EXPECT_THAT(log, ElementsAre("first", "all", "last"));
    EXPECT_EQ(semaphore.available(), 4u);
}

TEST(Semaphore, CancelledWaiterMakesWayForThoseBehind) {
    Context context;
    Semaphore semaphore(4);
    std::vector<std::string> log;
    Event done;
    auto impatient = [&]() -> task<> {
        std::vector<task<>> racers;
        racers.push_back(hold(semaphore, 4, log, "never", done));
        racers.push_back(take_turns(30));
        co_await race(std::move(racers));
    };
    auto script = [&]() -> task<> {
        co_await settle();
        EXPECT_THAT(log, ElementsAre("first"));
        co_await take_turns(60);
        EXPECT_THAT(log, ElementsAre("first", "behind"));
        done.set();
    };
    auto behind = [&]() -> task<> {
        co_await take_turns(3);
        co_await hold(semaphore, 1, log, "behind", done);
    };
    context.run(gather(hold(semaphore, 3, log, "first", done), impatient(), behind(), script()));
    EXPECT_EQ(semaphore.available(), 4u);
    EXPECT_EQ(semaphore.waiting(), 0u);
}

TEST(Semaphore, PermitGrantedInTheSameTurnAsTheCancellationIsGivenBack) {
    Context context;
    Semaphore semaphore(1);
    auto waiter = [&]() -> task<> {
        const Permit permit = co_await semaphore.acquire();
        co_await wait_forever();
    };
    auto body = [&]() -> task<> {
        Permit permit = co_await semaphore.acquire();
        after_turns(context.executor(), 10, [&] {
            permit.release();
            EXPECT_EQ(semaphore.available(), 0u);  // it is the waiter's, who has not run yet
            context.request_stop();
        });
        co_await gather(waiter(), wait_forever());
    };
    EXPECT_THROW(context.run(body()), Cancelled);
    EXPECT_EQ(semaphore.available(), 1u);
}

TEST(Semaphore, LimitsHowManyRunAtOnce) {
    Context context;
    Semaphore semaphore(7);
    int running = 0;
    int most = 0;
    auto worker = [&](int i) -> task<> {
        const Permit permit = co_await semaphore.acquire();
        most = std::max(most, ++running);
        co_await take_turns(i % 5);
        --running;
    };
    std::vector<task<>> workers;
    for (int i = 0; i < 500; ++i) workers.push_back(worker(i));
    context.run(gather(std::move(workers)));
    EXPECT_EQ(most, 7);
    EXPECT_EQ(semaphore.available(), 7u);
}

TEST(Semaphore, TensOfThousandsCancelledInTheQueue) {
    Context context;
    Semaphore semaphore(1);
    auto worker = [&]() -> task<> {
        const Permit permit = co_await semaphore.acquire();
        co_await wait_forever();
    };
    std::vector<task<>> workers;
    for (int i = 0; i < 30'000; ++i) workers.push_back(worker());
    after_turns(context.executor(), 5, [&] { context.request_stop(); });
    EXPECT_THROW(context.run(gather(std::move(workers))), Cancelled);
    EXPECT_EQ(semaphore.available(), 1u);
    EXPECT_EQ(semaphore.waiting(), 0u);
}

}  // namespace
}  // namespace coromd::runtime
