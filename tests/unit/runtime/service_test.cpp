// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/service.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "coromd/core/error.hpp"
#include "coromd/runtime/event.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/race.hpp"
#include "coromd/runtime/timer.hpp"
#include "coromd/runtime/with.hpp"
#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;
using testing::ElementsAre;

class ServiceTest : public testing::Test {
protected:
    /// Goes on until it is cancelled, and takes its time to end.
    task<void> serve() {
        log_.push_back("begins");
        try {
            co_await sleep_for(kForever);
        } catch (const Cancelled&) {
            log_.push_back("is cancelled");
        }
        auto clear_up = [&]() -> task<void> { co_await settle(); };
        co_await detail::run_shielded(clear_up());
        log_.push_back("ends");
    }
    task<void> use(Event& until, std::string name) {
        co_await service_.use(until.wait());
        log_.push_back(name + " leaves");
    }

    std::vector<std::string> log_;
    Context context_{1};
    Service service_{context_, [this] { return serve(); }};
};

TEST_F(ServiceTest, RunsWhileAnybodyNeedsIt) {
    Event first;
    Event second;
    auto director = [&]() -> task<void> {
        co_await settle();
        first.set();
        co_await settle();
        EXPECT_THAT(log_, ElementsAre("begins", "first leaves"));
        second.set();
    };
    auto main = [&]() -> task<void> {
        std::vector<task<void>> all;
        all.push_back(use(first, "first"));
        all.push_back(use(second, "second"));
        all.push_back(director());
        co_await gather(std::move(all));
    };
    context_.run(main());
    EXPECT_THAT(log_, ElementsAre("begins", "first leaves", "is cancelled", "ends", "second leaves"));
}

TEST_F(ServiceTest, BeginsAnewForWhoComesLater) {
    for (int i = 0; i < 2; ++i) {
        Event now;
        now.set();
        context_.run(use(now, "user"));
    }
    EXPECT_EQ(std::ranges::count(log_, "user leaves"), 2);
    EXPECT_LE(std::ranges::count(log_, "begins"), 2);
    EXPECT_EQ(std::ranges::count(log_, "begins"), std::ranges::count(log_, "ends"));
}

TEST_F(ServiceTest, BeginsAnewForWhoComesWhileItEnds) {
    Event first;
    Event second;
    auto late = [&]() -> task<void> {
        while (std::ranges::count(log_, "is cancelled") == 0) co_await settle();
        co_await use(second, "late");
    };
    auto director = [&]() -> task<void> {
        co_await settle();
        first.set();
        while (std::ranges::count(log_, "begins") < 2) co_await settle();
        second.set();
    };
    auto main = [&]() -> task<void> {
        std::vector<task<void>> all;
        all.push_back(use(first, "first"));
        all.push_back(late());
        all.push_back(director());
        co_await gather(std::move(all));
    };
    context_.run(main());
    EXPECT_EQ(log_.back(), "late leaves");
    EXPECT_EQ(std::ranges::count(log_, "ends"), 2);
}

TEST_F(ServiceTest, ACancelledUserLeavesAndItEnds) {
    Event never;
    auto main = [&]() -> task<void> {
        std::vector<task<void>> all;
        all.push_back(use(never, "user"));
        all.push_back(settle());
        co_await race(std::move(all));
    };
    context_.run(main());
    EXPECT_EQ(log_.back(), "ends");
}

TEST_F(ServiceTest, AnErrorOfTheUserIsThrownWhenItHasEnded) {
    auto broken = []() -> task<int> {
        co_await settle();
        fail(ErrorKind::job, "broken");
    };
    EXPECT_THROW(context_.run(service_.use(broken())), Error);
    EXPECT_EQ(log_.back(), "ends");
    auto seven = []() -> task<int> { co_return 7; };
    EXPECT_EQ(context_.run(service_.use(seven())), 7);
}

}  // namespace
}  // namespace coromd::runtime
