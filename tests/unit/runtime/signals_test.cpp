// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/signals.hpp"

#include <csignal>

#include "coromd/runtime/with.hpp"
#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;
using testing::ElementsAre;

TEST(SignalHandler, EachIsTheCallbacks) {
    Context context;
    std::vector<int> seen;
    Event second;
    SignalHandler signals(context, [&](int number) {
        seen.push_back(number);
        context.request_stop();
        if (seen.size() == 2) second.set();
    });
    auto waits_for_second = [&]() -> task<> {
        ::raise(SIGINT);
        co_await second.wait();
    };
    auto body = [&]() -> task<> {
        ::raise(SIGTERM);
        try {
            co_await wait_forever();
        } catch (const Cancelled&) {
            EXPECT_TRUE(context.stop_requested());
        }
        co_await shield(waits_for_second());
    };
    EXPECT_THROW(context.run(body()), Cancelled);
    EXPECT_THAT(seen, ElementsAre(SIGTERM, SIGINT));
}

TEST(SignalHandler, ContextRunsAndEndsWithoutASignal) {
    Context context;
    SignalHandler signals(context, [](int) { FAIL(); });
    EXPECT_EQ(context.run(value_after(2, 1)), 1);
    EXPECT_EQ(context.run(value_after(2, 2)), 2);
}

TEST(SignalHandler, RestoresWhatWasInstalled) {
    struct sigaction own {};
    own.sa_handler = SIG_IGN;
    struct sigaction before {};
    ASSERT_EQ(sigaction(SIGTERM, &own, &before), 0);
    {
        Context context;
        {
            SignalHandler signals(context, [](int) {});
        }
        struct sigaction after {};
        ASSERT_EQ(sigaction(SIGTERM, nullptr, &after), 0);
        EXPECT_EQ(after.sa_handler, SIG_IGN);
        ::raise(SIGTERM);
        EXPECT_EQ(context.run(value_after(5, 1)), 1);
        EXPECT_FALSE(context.stop_requested());
    }
    sigaction(SIGTERM, &before, nullptr);
}

}  // namespace
}  // namespace coromd::runtime
