// SPDX-License-Identifier: LGPL-3.0-or-later
#include "resource_pool.hpp"

#include <map>
#include <string>

#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/timeout.hpp"
#include "fixtures.hpp"

namespace coromd::queue {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;

Resources needs(int cores, int gpus = 0, std::uint64_t memory_mib = 0) {
    Resources resources;
    resources.cores = cores;
    resources.gpus = gpus;
    resources.memory_mib = memory_mib;
    return resources;
}

class ResourcePoolTest : public testing::Test {
protected:
    /// Takes its share in a coroutine and keeps it until release().
    task<void> take(std::string name, Resources wanted) {
        shares_[name] = co_await pool_.take(wanted);
        order_.push_back(name);
    }
    void release(const std::string& name) { shares_.erase(name); }
    /// Runs `body` beside all `waiting`, which are cancelled when it has ended.
    void run(std::vector<task<void>> waiting, std::function<task<void>()> body) {
        auto main = [&]() -> task<void> {
            std::vector<task<void>> all;
            auto others = [&]() -> task<void> {
                co_await runtime::gather(std::move(waiting));
                co_await forever();
            };
            all.push_back(others());
            all.push_back(body());
            co_await runtime::race(std::move(all));
        };
        context_.run(main());
    }
    static task<void> forever() { co_await runtime::sleep_for(runtime::test::kForever); }

    runtime::Context context_{1};
    PoolSize size_{.cores = 4, .gpus = {}, .jobs_per_gpu = 1, .memory_mib = 0, .backfill = 2};
    ResourcePool pool_{size_};
    std::map<std::string, Share> shares_;
    std::vector<std::string> order_;
};

TEST_F(ResourcePoolTest, SmallJobsFillTheGapBeforeALargeOneAsOftenAsTheyMay) {
    std::vector<task<void>> waiting;
    waiting.push_back(take("first", needs(3)));
    waiting.push_back(take("large", needs(4)));
    for (const char* name : {"a", "b", "c"}) waiting.push_back(take(name, needs(1)));
    run(std::move(waiting), [&]() -> task<void> {
        co_await settle();
        EXPECT_THAT(order_, ElementsAre("first", "a"));
        release("a");
        co_await settle();
        EXPECT_THAT(order_, ElementsAre("first", "a", "b"));
        release("b");
        co_await settle();
        EXPECT_THAT(order_, ElementsAre("first", "a", "b")) << "it was overtaken often enough";
        release("first");
        co_await settle();
        EXPECT_THAT(order_, ElementsAre("first", "a", "b", "large"));
        release("large");
        co_await settle();
        EXPECT_THAT(order_, ElementsAre("first", "a", "b", "large", "c"));
    });
}

TEST_F(ResourcePoolTest, WhoLeavesTheLineNoLongerBlocksIt) {
    std::vector<task<void>> waiting;
    waiting.push_back(take("first", needs(3)));
    run(std::move(waiting), [&]() -> task<void> {
        co_await settle();
        for (int i = 0; i < 2; ++i) {
            Share small = co_await pool_.take(needs(1));
        }
        auto large = [&]() -> task<void> { Share share = co_await pool_.take(needs(4)); };
        auto enough = [&]() -> task<void> {
            co_await settle();
            Share small = co_await pool_.take(needs(1));
        };
        std::vector<task<void>> both;
        both.push_back(large());
        both.push_back(enough());
        co_await runtime::race(std::move(both));
        Share small = co_await pool_.take(needs(1));
    });
}

TEST_F(ResourcePoolTest, CoresAreNeighboursWhereTheyCanBe) {
    Share a = context_.run(pool_.take(needs(1)));
    Share b = context_.run(pool_.take(needs(1)));
    Share c = context_.run(pool_.take(needs(1)));
    EXPECT_THAT(b.cores(), ElementsAre(1));
    EXPECT_TRUE(b.neighbours());
    b = Share();
    Share split = context_.run(pool_.take(needs(2)));
    EXPECT_THAT(split.cores(), ElementsAre(1, 3));
    EXPECT_FALSE(split.neighbours());
    split = Share();
    c = Share();
    Share pair = context_.run(pool_.take(needs(2)));
    EXPECT_THAT(pair.cores(), ElementsAre(1, 2));
}

TEST_F(ResourcePoolTest, AJobThatRunsAlreadyHasItsCoresAndOthersWait) {
    Share three = context_.run(pool_.take(needs(3)));
    {
        const Share found = pool_.take_now(needs(2));
        EXPECT_THAT(found.cores(), ElementsAre(3));
        EXPECT_FALSE(found.neighbours());
        three = Share();
        std::vector<task<void>> waiting;
        waiting.push_back(take("next", needs(3)));
        run(std::move(waiting), [&]() -> task<void> {
            co_await settle();
            EXPECT_THAT(order_, IsEmpty());
        });
    }
    EXPECT_EQ(context_.run(pool_.take(needs(4))).cores().size(), 4u);
}

TEST_F(ResourcePoolTest, GpusAreSharedByAsManyAsMay) {
    PoolSize size = size_;
    size.gpus = {0, 3};
    size.jobs_per_gpu = 2;
    ResourcePool pool(size);
    Share a = context_.run(pool.take(needs(1, 1)));
    Share b = context_.run(pool.take(needs(1, 1)));
    EXPECT_THAT(a.gpus(), ElementsAre(0));
    EXPECT_THAT(b.gpus(), ElementsAre(3)) << "the one with fewer jobs";
    Share both = context_.run(pool.take(needs(1, 2)));
    EXPECT_THAT(both.gpus(), ElementsAre(0, 3));
    auto one_more = [&]() -> task<bool> {
        co_return (co_await runtime::with_timeout(std::chrono::milliseconds(1), pool.take(needs(1, 1))))
            .has_value();
    };
    EXPECT_FALSE(context_.run(one_more()));
    a = Share();
    EXPECT_THAT(context_.run(pool.take(needs(1, 1))).gpus(), ElementsAre(0));
}

TEST_F(ResourcePoolTest, MemoryIsCountedWhereItIsKnown) {
    PoolSize size = size_;
    size.memory_mib = 1000;
    ResourcePool pool(size);
    Share most = context_.run(pool.take(needs(1, 0, 900)));
    auto more = [&]() -> task<bool> {
        co_return (co_await runtime::with_timeout(std::chrono::milliseconds(1), pool.take(needs(1, 0, 200))))
            .has_value();
    };
    EXPECT_FALSE(context_.run(more()));
    most = Share();
    EXPECT_TRUE(context_.run(more()));
}

}  // namespace
}  // namespace coromd::queue
