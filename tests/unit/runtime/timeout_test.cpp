// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/timeout.hpp"

#include "coromd/runtime/with.hpp"
#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;

TEST(WithTimeout, ReturnsWhatComesInTime) {
    Context context;
    EXPECT_EQ(context.run(with_timeout(kForever, value_after(2, 3))), 3);
    EXPECT_TRUE(context.run(with_timeout(kForever, take_turns(2))));
}

TEST(WithTimeout, IsEmptyAfterTheChildWasCancelled) {
    Context context;
    Event never;
    std::vector<std::string> log;
    EXPECT_FALSE(context.run(with_timeout(0s, log_cancellation(never, log, "child"))));
    EXPECT_THAT(log, testing::ElementsAre("child cancelled"));

    auto endless = []() -> task<int> {
        co_await wait_forever();
        co_return 1;
    };
    EXPECT_EQ(context.run(with_timeout(1ms, endless())), std::nullopt);
}

TEST(WithTimeout, ValueThatComesWhileItIsCancelledIsNotLost) {
    Context context;
    auto finishes_anyway = []() -> task<int> {
        try {
            co_await wait_forever();
        } catch (const Cancelled&) {
        }
        co_return 8;
    };
    EXPECT_EQ(context.run(with_timeout(1ms, finishes_anyway())), 8);
}

TEST(WithTimeout, ErrorIsRethrownEvenWhenItComesLate) {
    Context context;
    EXPECT_EQ(thrown_by([&] { context.run(with_timeout(kForever, error_after(1, "early"))); }), "early");
    auto fails_late = []() -> task<> {
        try {
            co_await wait_forever();
        } catch (const Cancelled&) {
            throw Error(ErrorKind::job, "late");
        }
    };
    EXPECT_EQ(thrown_by([&] { context.run(with_timeout(1ms, fails_late())); }), "late");
}

TEST(WithTimeout, ChildThatCancelsItselfIsNoTimeout) {
    Context context;
    auto quits = []() -> task<> {
        co_await take_turns(1);
        throw Cancelled();
    };
    EXPECT_THROW(context.run(with_timeout(kForever, quits())), Cancelled);
}

TEST(WithTimeout, CancelledFromOutsideIsNoTimeout) {
    Context context;
    Event never;
    std::vector<std::string> log;
    after_turns(context.executor(), 10, [&] { context.request_stop(); });
    EXPECT_THROW(context.run(with_timeout(kForever, log_cancellation(never, log, "child"))), Cancelled);
    EXPECT_THAT(log, testing::ElementsAre("child cancelled"));
}

TEST(WithTimeout, Nests) {
    Context context;
    auto inner = with_timeout(kForever, with_timeout(1ms, wait_forever()));
    EXPECT_EQ(context.run(std::move(inner)), std::optional<bool>(false));
}

}  // namespace
}  // namespace coromd::runtime
