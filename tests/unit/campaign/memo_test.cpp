// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/campaign/memo.hpp"

#include <cmath>
#include <limits>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/campaign/observed.hpp"
#include "coromd/runtime/timer.hpp"
#include "fixtures.hpp"

namespace coromd::campaign {
namespace {

using runtime::task;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

struct Decision {
    std::string walker;
    std::vector<double> weights;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(Decision, walker, weights)
};

class MemoTest : public CampaignFolder {
protected:
    /// The value of the memo "key" in a new run.
    template <typename Fn>
    auto in_a_run(Fn fn, int version = 1, const std::string& key = "key") {
        const auto campaign = open();
        return context.run(campaign->memo(key, fn, version));
    }
};

TEST_F(MemoTest, IsDecidedOnce) {
    int calls = 0;
    const auto decide = [&] { return ++calls; };
    EXPECT_EQ(in_a_run(decide), 1);
    EXPECT_EQ(in_a_run(decide), 1);
    EXPECT_EQ(in_a_run(decide, 1, "other"), 2);
}

TEST_F(MemoTest, MayBeACoroutineAndAnyValue) {
    const auto decide = []() -> task<Decision> {
        co_await runtime::sleep_for(1ms);
        co_return Decision{"walkers/003", {0.1, std::numeric_limits<double>::infinity(), 1e-300}};
    };
    in_a_run(decide);
    const auto never = []() -> task<Decision> { throw std::logic_error("it is known"); };
    const Decision known = in_a_run(never);
    EXPECT_EQ(known.walker, "walkers/003");
    EXPECT_THAT(known.weights, ElementsAre(0.1, std::numeric_limits<double>::infinity(), 1e-300));
    EXPECT_TRUE(std::isnan(in_a_run([] { return std::nan(""); }, 1, "nan")));
    EXPECT_TRUE(std::isnan(in_a_run([] { return 1.0; }, 1, "nan")));
    EXPECT_THAT(Snapshot(place).memos().at("key"), HasSubstr("walkers/003"));
}

TEST_F(MemoTest, AnExceptionIsNotRecorded) {
    const auto campaign = open();
    bool fails = true;
    auto decide = [&]() -> int {
        if (fails) throw Error(ErrorKind::job, "not now");
        return 5;
    };
    EXPECT_EQ(error_of([&] { context.run(campaign->memo("key", decide)); }).kind(), ErrorKind::job);
    fails = false;
    EXPECT_EQ(context.run(campaign->memo("key", decide)), 5);
}

TEST_F(MemoTest, AnotherTypeOrVersionIsRefused) {
    in_a_run([] { return 1; });
    EXPECT_THAT(error_of([&] { in_a_run([] { return std::string("1"); }); }).what(),
                HasSubstr("another key"));
    EXPECT_EQ(error_of([&] { in_a_run([] { return 1; }, 2); }).kind(), ErrorKind::conflict);
}

TEST_F(MemoTest, AKeyIsUsedOnceInARun) {
    const auto campaign = open();
    auto one = [] { return 1; };
    context.run(campaign->memo("key", one));
    EXPECT_EQ(error_of([&] { context.run(campaign->memo("key", one)); }).kind(), ErrorKind::conflict);
}

task<int> after(std::chrono::milliseconds pause, int value) {
    co_await runtime::sleep_for(pause);
    co_return value;
}

TEST_F(MemoTest, ARaceHasTheSameWinner) {
    const auto run = [&](std::chrono::milliseconds first, std::chrono::milliseconds second) {
        const auto campaign = open();
        std::vector<task<int>> children;
        children.push_back(after(first, 10));
        children.push_back(after(second, 20));
        return context.run(race(*campaign, "race", std::move(children)));
    };
    EXPECT_EQ(run(1h, 0ms).index, 1u);
    const auto again = run(0ms, 1ms);
    EXPECT_EQ(again.index, 1u);
    EXPECT_EQ(again.value, 20);
}

TEST_F(MemoTest, ATimeOutStaysOne) {
    const auto run = [&](const std::string& key, std::chrono::nanoseconds limit,
                         std::chrono::milliseconds pause) {
        const auto campaign = open();
        return context.run(with_timeout(*campaign, key, limit, after(pause, 1)));
    };
    EXPECT_FALSE(run("late", 1ms, 1h));
    EXPECT_FALSE(run("late", 1h, 0ms));
    EXPECT_TRUE(run("in time", 1h, 0ms));
    EXPECT_TRUE(run("in time", 0ns, 1ms));
}

TEST_F(MemoTest, CompletionsComeInTheSameOrder) {
    const auto run = [&](std::vector<int> pauses, std::size_t stop_after) {
        const auto campaign = open();
        std::vector<task<int>> children;
        for (std::size_t i = 0; i < pauses.size(); ++i)
            children.push_back(after(std::chrono::milliseconds(pauses[i]), static_cast<int>(10 * i)));
        std::vector<std::size_t> order;
        auto note = [&](std::size_t index, int value) -> task<void> {
            EXPECT_EQ(value, 10 * static_cast<int>(index));
            order.push_back(index);
            if (order.size() == stop_after) throw Error(ErrorKind::job, "here it was killed");
            co_return;
        };
        try {
            context.run(for_each_completed(*campaign, "order", std::move(children), note));
        } catch (const Error&) {
        }
        return order;
    };
    EXPECT_THAT(run({60'000, 20, 0}, 2), ElementsAre(2, 1));
    // What was seen comes again as it was; then as it comes now.
    EXPECT_THAT(run({0, 1, 2}, 9), ElementsAre(2, 1, 0));
    EXPECT_THAT(run({2, 1, 0}, 9), ElementsAre(2, 1, 0));
}

TEST_F(MemoTest, TheTimeIsThatOfTheFirstStart) {
    const auto ask = [&] {
        const auto campaign = open();
        return context.run(observed_now_ms(*campaign, "now"));
    };
    const std::int64_t first = ask();
    EXPECT_GT(first, 1'700'000'000'000);
    tamper("UPDATE memos SET value = x'1907D0'");
    EXPECT_EQ(ask(), 2000);
}

}  // namespace
}  // namespace coromd::campaign
