// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/watch.hpp"

#include <fstream>

#include "coromd/runtime/gather.hpp"
#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;

void append(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::app) << text;
}

TEST(WaitUntilGrown, ReturnsAtOnceWhatHasGrownAlready) {
    Context context;
    const TemporaryDirectory folder;
    append(folder.path() / "x", "12345");
    EXPECT_EQ(context.run(wait_until_grown(folder.path() / "x", 0, kForever)), 5u);
    EXPECT_EQ(context.run(wait_until_grown(folder.path() / "x", 4, kForever)), 5u);
}

TEST(WaitUntilGrown, WaitsForTheFileAndForItsGrowth) {
    Context context;
    const TemporaryDirectory folder;
    const std::filesystem::path path = folder.path() / "later" / "x";
    auto writer = [&]() -> task<> {
        co_await settle();
        std::filesystem::create_directory(path.parent_path());
        append(path, "12");
        co_await settle();
        append(path, "345");
    };
    auto [size, nothing] = context.run(gather(wait_until_grown(path, 3, 1ms), writer()));
    EXPECT_EQ(size, 5u);
}

TEST(WaitUntilGrown, IsCancelledAlsoWhereItNeedNotWait) {
    Context context;
    const TemporaryDirectory folder;
    append(folder.path() / "x", "1");
    auto body = [&]() -> task<> {
        context.request_stop();
        for (;;) co_await wait_until_grown(folder.path() / "x", 5, 1ms);
    };
    EXPECT_THROW(context.run(body()), Cancelled);
    Context stopped;
    auto endless = [&]() -> task<> {
        stopped.request_stop();
        try {
            co_await wait_forever();
        } catch (const Cancelled&) {
        }
        co_await wait_until_grown(folder.path() / "x", 0, 1ms);
        ADD_FAILURE();
    };
    EXPECT_THROW(stopped.run(endless()), Cancelled);
}

TEST(WaitUntilGrown, NamesThePathThatCannotBeLookedAt) {
    Context context;
    const std::string name(300, 'x');
    EXPECT_THAT(thrown_by([&] { context.run(wait_until_grown("/" + name, 0, 1ms)); }),
                testing::HasSubstr("cannot watch '/" + name));
}

}  // namespace
}  // namespace coromd::runtime
