// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/gather.hpp"

#include <memory>

#include "coromd/runtime/with.hpp"
#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;

template <typename T, typename... More>
std::vector<task<T>> list(task<T> first, More... more) {
    std::vector<task<T>> tasks;
    tasks.push_back(std::move(first));
    (tasks.push_back(std::move(more)), ...);
    return tasks;
}

/// Waits for ever; when cancelled, takes its time and then says so.
task<> slow_to_end(std::vector<std::string>& log, std::string name, int turns) {
    try {
        co_await wait_forever();
    } catch (const Cancelled&) {
    }
    auto clean_up = [&]() -> task<> { co_await take_turns(turns); };
    try {
        co_await shield(clean_up());
    } catch (const Cancelled&) {
    }
    log.push_back(name);
    throw Cancelled();
}

TEST(Gather, KeepsTheOrderOfTheChildren) {
    Context context;
    EXPECT_THAT(context.run(gather(list(value_after(5, 1), value_after(0, 2), value_after(2, 3)))),
                ElementsAre(1, 2, 3));
}

TEST(Gather, TakesMoveOnlyTypesAndBools) {
    Context context;
    auto owned = context.run(gather(list(value_after(1, std::make_unique<int>(4)))));
    EXPECT_EQ(*owned.at(0), 4);
    EXPECT_THAT(context.run(gather(list(value_after(1, true), value_after(0, false)))),
                ElementsAre(true, false));
}

TEST(Gather, OfNothingEndsAtOnce) {
    Context context;
    EXPECT_THAT(context.run(gather(std::vector<task<int>>())), IsEmpty());
    context.run(gather(std::vector<task<>>()));
    EXPECT_THAT(context.run(gather_outcomes(std::vector<task<>>())), IsEmpty());
}

TEST(Gather, OfDifferentTypes) {
    Context context;
    auto [number, nothing, text] =
        context.run(gather(value_after(2, 1), take_turns(1), value_after(0, std::string("x"))));
    EXPECT_EQ(number, 1);
    EXPECT_EQ(nothing, std::monostate());
    EXPECT_EQ(text, "x");
}

TEST(Gather, StartsInOrderAndNotBeforeItWaits) {
    Context context;
    std::vector<int> order;
    auto child = [&](int i) -> task<> {
        order.push_back(i);
        co_return;
    };
    context.run(gather(child(0), child(1), child(2)));
    EXPECT_THAT(order, ElementsAre(0, 1, 2));
}

TEST(Gather, FirstErrorCancelsTheOthersAndWaitsForThem) {
    Context context;
    std::vector<std::string> log;
    EXPECT_EQ(thrown_by([&] {
                  context.run(gather(list(slow_to_end(log, "a", 20), error_after(3, "first"),
                                          slow_to_end(log, "b", 5), error_after(6, "second"))));
              }),
              "first");
    EXPECT_THAT(log, ElementsAre("b", "a"));
}

TEST(Gather, ErrorsAtOnceAndAfterwardsAreOneError) {
    Context context;
    EXPECT_EQ(thrown_by([&] { context.run(gather(error_after(0, "one"), error_after(0, "two"))); }), "one");
}

TEST(Gather, ChildThatCancelsItselfCountsAsAnError) {
    Context context;
    std::vector<std::string> log;
    auto quits = []() -> task<> {
        co_await take_turns(2);
        throw Cancelled();
    };
    EXPECT_THROW(context.run(gather(list(quits(), slow_to_end(log, "a", 1)))), Cancelled);
    EXPECT_THAT(log, ElementsAre("a"));
}

TEST(Gather, CancelledFromOutsideWaitsForAllChildren) {
    Context context;
    std::vector<std::string> log;
    after_turns(context.executor(), 10, [&] { context.request_stop(); });
    EXPECT_THROW(
        context.run(gather(slow_to_end(log, "a", 20), gather(slow_to_end(log, "b", 5), wait_forever()))),
        Cancelled);
    EXPECT_THAT(log, ElementsAre("b", "a"));
}

TEST(Gather, CancelledFromOutsideThrowsCancelledWhateverComesAfter) {
    Context context;
    auto fails_when_cancelled = []() -> task<> {
        bool cancelled = false;
        try {
            co_await wait_forever();
        } catch (const Cancelled&) {
            cancelled = true;
        }
        if (cancelled) throw Error(ErrorKind::job, "while stopping");
    };
    after_turns(context.executor(), 10, [&] { context.request_stop(); });
    EXPECT_EQ(thrown_by([&] { context.run(gather(fails_when_cancelled(), value_after(0, 1))); }),
              "Cancelled");
}

TEST(Gather, ErrorBeforeTheCancellationIsNotLost) {
    Context context;
    std::vector<std::string> log;
    auto fails = [&]() -> task<> {
        co_await take_turns(2);
        context.request_stop();
        throw Error(ErrorKind::job, "the reason");
    };
    EXPECT_EQ(thrown_by([&] { context.run(gather(fails(), slow_to_end(log, "a", 10))); }), "the reason");
}

TEST(Gather, DoesNotStartWhenCancelled) {
    Context context;
    bool began = false;
    auto child = [&]() -> task<> {
        began = true;
        co_return;
    };
    auto body = [&]() -> task<> {
        context.request_stop();
        try {
            co_await wait_forever();
        } catch (const Cancelled&) {
        }
        co_await gather(child(), child());
    };
    EXPECT_THROW(context.run(body()), Cancelled);
    EXPECT_FALSE(began);
}

TEST(GatherOutcomes, KeepsValuesAndErrors) {
    Context context;
    auto fails = []() -> task<int> {
        co_await take_turns(1);
        throw Error(ErrorKind::job, "no");
    };
    auto outcomes = context.run(gather_outcomes(list(value_after(9, 1), fails(), value_after(0, 3))));
    ASSERT_EQ(outcomes.size(), 3u);
    EXPECT_EQ(outcomes[0].value(), 1);
    EXPECT_EQ(outcomes[1].error_text(), "no");
    EXPECT_EQ(outcomes[2].value(), 3);

    auto plain = context.run(gather_outcomes(list(take_turns(1), error_after(0, "e"))));
    EXPECT_TRUE(plain[0].ok());
    EXPECT_EQ(plain[1].error_text(), "e");
}

TEST(GatherOutcomes, CancelledFromOutsideWaitsForAllChildren) {
    Context context;
    std::vector<std::string> log;
    after_turns(context.executor(), 10, [&] { context.request_stop(); });
    EXPECT_THROW(context.run(gather_outcomes(list(slow_to_end(log, "a", 20), slow_to_end(log, "b", 5)))),
                 Cancelled);
    EXPECT_THAT(log, ElementsAre("b", "a"));
}

TEST(Gather, DeepNestsAndWideOnesDoNotUseUpTheStack) {
    Context context;
    auto nest = [](auto& self, int depth) -> task<int> {
        if (depth == 0) co_return 0;
        auto [below] = co_await gather(self(self, depth - 1));
        co_return below + 1;
    };
    EXPECT_EQ(context.run(nest(nest, 2'000)), 2'000);

    std::vector<task<int>> wide;
    for (int i = 0; i < 20'000; ++i) wide.push_back(value_after(0, i));
    EXPECT_EQ(context.run(gather(std::move(wide))).back(), 19'999);
}

TEST(Gather, CancelsADeepNest) {
    Context context;
    auto nest = [](auto& self, int depth) -> task<> {
        if (depth == 0) {
            co_await wait_forever();
        } else {
            co_await gather(self(self, depth - 1));
        }
    };
    after_turns(context.executor(), 3'000, [&] { context.request_stop(); });
    EXPECT_THROW(context.run(nest(nest, 500)), Cancelled);
}

}  // namespace
}  // namespace coromd::runtime
