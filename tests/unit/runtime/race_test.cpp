// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/race.hpp"

#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;
using testing::ElementsAre;

TEST(Race, FirstToEndWins) {
    Context context;
    std::vector<task<int>> racers;
    racers.push_back(value_after(50, 10));
    racers.push_back(value_after(2, 11));
    racers.push_back(value_after(50, 12));
    const RaceResult<int> result = context.run(race(std::move(racers)));
    EXPECT_EQ(result.index, 1u);
    EXPECT_EQ(result.value, 11);
}

TEST(Race, LosersAreCancelledAndWaitedFor) {
    Context context;
    Event never;
    std::vector<std::string> log;
    std::vector<task<>> racers;
    racers.push_back(log_cancellation(never, log, "a"));
    racers.push_back(take_turns(1));
    racers.push_back(log_cancellation(never, log, "b"));
    EXPECT_EQ(context.run(race(std::move(racers))).index, 1u);
    EXPECT_THAT(log, ElementsAre("a cancelled", "b cancelled"));
}

TEST(Race, ErrorWinsAsWell) {
    Context context;
    std::vector<task<>> racers;
    racers.push_back(wait_forever());
    racers.push_back(error_after(1, "lost it"));
    EXPECT_EQ(thrown_by([&] { context.run(race(std::move(racers))); }), "lost it");
}

TEST(Race, ErrorOfALoserIsDropped) {
    Context context;
    auto fails_when_cancelled = []() -> task<int> {
        try {
            co_await wait_forever();
        } catch (const Cancelled&) {
            throw Error(ErrorKind::job, "too late");
        }
        co_return 0;
    };
    std::vector<task<int>> racers;
    racers.push_back(fails_when_cancelled());
    racers.push_back(value_after(1, 5));
    EXPECT_EQ(context.run(race(std::move(racers))).value, 5);
}

TEST(Race, NeedsAChild) {
    Context context;
    EXPECT_THAT(thrown_by([&] { context.run(race(std::vector<task<int>>())); }),
                testing::HasSubstr("at least one"));
}

TEST(Race, CancelledFromOutsideCancelsAll) {
    Context context;
    Event never;
    std::vector<std::string> log;
    std::vector<task<>> racers;
    racers.push_back(log_cancellation(never, log, "a"));
    racers.push_back(log_cancellation(never, log, "b"));
    after_turns(context.executor(), 10, [&] { context.request_stop(); });
    EXPECT_THROW(context.run(race(std::move(racers))), Cancelled);
    EXPECT_THAT(log, ElementsAre("a cancelled", "b cancelled"));
}

}  // namespace
}  // namespace coromd::runtime
