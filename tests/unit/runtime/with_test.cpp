// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/with.hpp"

#include <memory>

#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;

/// A body, an exit that takes its time, and a note of what happened.
struct Scope {
    Context context;
    std::string log;

    task<> slow_exit(int) {
        log += "[";
        co_await take_turns(5);
        log += "]";
    }
};

TEST(With, ExitRunsAfterTheBody) {
    Scope scope;
    auto body = [&](int& resource) -> task<int> {
        co_await take_turns(1);
        scope.log += "body ";
        co_return resource + 1;
    };
    auto exit = [&](int& resource) { return scope.slow_exit(resource); };
    EXPECT_EQ(scope.context.run(with(41, body, exit)), 42);
    EXPECT_EQ(scope.log, "body []");
}

TEST(With, OwnsAMoveOnlyResource) {
    Context context;
    int released = 0;
    auto body = [&](std::unique_ptr<int>& resource) -> task<> {
        ++*resource;
        co_return;
    };
    auto exit = [&](std::unique_ptr<int>& resource) -> task<> {
        co_await take_turns(1);
        released = *resource;
    };
    context.run(with(std::make_unique<int>(1), body, exit));
    EXPECT_EQ(released, 2);
}

TEST(With, ExitRunsWhenTheBodyThrows) {
    Scope scope;
    auto body = [&](int&) -> task<int> {
        co_await take_turns(1);
        throw Error(ErrorKind::job, "body");
    };
    auto exit = [&](int& resource) { return scope.slow_exit(resource); };
    EXPECT_EQ(thrown_by([&] { scope.context.run(with(0, body, exit)); }), "body");
    EXPECT_EQ(scope.log, "[]");
}

TEST(With, ExitIsShieldedWhenTheBodyIsCancelled) {
    Scope scope;
    auto body = [&](int&) -> task<> { co_await wait_forever(); };
    auto exit = [&](int& resource) { return scope.slow_exit(resource); };
    after_turns(scope.context.executor(), 10, [&] { scope.context.request_stop(); });
    EXPECT_EQ(thrown_by([&] { scope.context.run(with(0, body, exit)); }), "Cancelled");
    EXPECT_EQ(scope.log, "[]");
}

TEST(With, CancellationDuringTheExitDoesNotLoseTheValue) {
    Scope scope;
    auto body = [&](int&) -> task<int> { co_return 6; };
    auto exit = [&](int& resource) -> task<> {
        scope.context.request_stop();
        co_await scope.slow_exit(resource);
    };
    EXPECT_EQ(scope.context.run(with(0, body, exit)), 6);
    EXPECT_EQ(scope.log, "[]");
}

TEST(With, ErrorOfTheBodyWinsOverThatOfTheExit) {
    Context context;
    auto fails = [](int&) -> task<> {
        co_await take_turns(1);
        throw Error(ErrorKind::job, "body");
    };
    auto works = [](int&) -> task<> { co_return; };
    auto exit = [](int&) -> task<> {
        co_await take_turns(1);
        throw Error(ErrorKind::job, "exit");
    };
    EXPECT_EQ(thrown_by([&] { context.run(with(0, fails, exit)); }), "body");
    EXPECT_EQ(thrown_by([&] { context.run(with(0, works, exit)); }), "exit");
}

TEST(Shield, ReturnsValuesAndErrors) {
    Context context;
    EXPECT_EQ(context.run(shield(value_after(2, 3))), 3);
    context.run(shield(take_turns(1)));
    EXPECT_EQ(thrown_by([&] { context.run(shield(error_after(1, "e"))); }), "e");
}

TEST(Shield, RunsToItsEndThenThrowsCancelled) {
    Context context;
    std::string log;
    auto child = [&]() -> task<int> {
        context.request_stop();
        co_await take_turns(5);
        log += "ended";
        co_return 1;
    };
    auto body = [&]() -> task<> {
        try {
            co_await shield(child());
        } catch (const Cancelled&) {
            log += ", cancelled";
            throw;
        }
    };
    EXPECT_THROW(context.run(body()), Cancelled);
    EXPECT_EQ(log, "ended, cancelled");
}

TEST(Shield, RunsInACoroutineThatIsCancelledAlready) {
    Context context;
    bool ran = false;
    auto child = [&]() -> task<> {
        co_await take_turns(3);
        ran = true;
    };
    auto body = [&]() -> task<> {
        context.request_stop();
        try {
            co_await wait_forever();
        } catch (const Cancelled&) {
        }
        co_await shield(child());
    };
    EXPECT_THROW(context.run(body()), Cancelled);
    EXPECT_TRUE(ran);
}

TEST(Shield, ErrorOfTheChildWinsOverTheCancellation) {
    Context context;
    auto child = [&]() -> task<> {
        context.request_stop();
        co_await take_turns(3);
        throw Error(ErrorKind::system, "not saved");
    };
    EXPECT_EQ(thrown_by([&] { context.run(shield(child())); }), "not saved");
}

}  // namespace
}  // namespace coromd::runtime
