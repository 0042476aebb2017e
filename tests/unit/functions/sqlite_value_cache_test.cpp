// SPDX-License-Identifier: LGPL-3.0-or-later
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/functions/definitions.hpp"
#include "coromd/functions/value_cache.hpp"
#include "coromd/trajectory/frame_writer.hpp"

namespace coromd::functions {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

class SqliteValueCacheTest : public testing::Test {
protected:
    SqliteValueCacheTest() {
        std::string name = testing::TempDir() + "coromd-values-XXXXXX";
        if (::mkdtemp(name.data()) != nullptr) folder_ = name;
        file_ = folder_ / "values.sqlite";
    }
    ~SqliteValueCacheTest() override { fs::remove_all(folder_); }

    std::unique_ptr<ValueCache> open() const { return sqlite_value_cache(file_); }
    void tamper(const std::string& sql) const {
        SQLite::Database(file_.string(), SQLite::OPEN_READWRITE).exec(sql);
    }
    fs::path data_file(const std::string& text) const {
        const fs::path path = folder_ / "data";
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }

    fs::path folder_;
    fs::path file_;
    const Values values_{2, 3, {1.5, -0.0, 1e-300, std::numeric_limits<double>::max(), 7, 8}};
};

TEST_F(SqliteValueCacheTest, RemembersBeyondTheProgram) {
    open()->store("content", "function", values_);
    const auto cache = open();
    EXPECT_EQ(cache->find("content", "function"), values_);
    EXPECT_EQ(cache->find("content", "another"), std::nullopt);
    EXPECT_EQ(cache->find("another", "function"), std::nullopt);
    cache->store("content", "function", Values(0, 1, {}));
    EXPECT_EQ(cache->find("content", "function"), Values(0, 1, {}));
}

TEST_F(SqliteValueCacheTest, BeginsAnewWhereTheFileIsDamaged) {
    for (const std::string& damage :
         {"no database at all, however long this text may be, "s + std::string(5000, 'x'), ""s}) {
        open()->store("content", "function", values_);
        std::ofstream(file_, std::ios::binary | std::ios::trunc) << damage;
        const auto cache = open();
        EXPECT_EQ(cache->find("content", "function"), std::nullopt);
        cache->store("content", "function", values_);
        EXPECT_EQ(open()->find("content", "function"), values_);
    }
}

TEST_F(SqliteValueCacheTest, BeginsAnewWhereAPageIsDamaged) {
    auto cache = open();
    for (int i = 0; i < 100; ++i)
        cache->store("content" + std::to_string(i), "function",
                     Values(1000, 1, std::vector<double>(1000, i)));
    cache.reset();
    std::string bytes = read_text_file(file_);
    for (std::size_t at = 70'000; at < bytes.size(); at += 97) bytes[at] = static_cast<char>(~bytes[at]);
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << bytes;
    cache = open();
    for (int i = 0; i < 100; ++i) {
        const std::optional<Values> found = cache->find("content" + std::to_string(i), "function");
        EXPECT_EQ(found ? found->at(999) : i, i);
    }
}

TEST_F(SqliteValueCacheTest, NeverGivesWhatWasNotStored) {
    for (const char* change : {"UPDATE content SET n_columns = 4", "UPDATE content SET n_columns = 0",
                               "UPDATE content SET data = zeroblob(48)", "UPDATE content SET data = 'text'",
                               "UPDATE content SET content = 'other'", "PRAGMA user_version = 99",
                               "PRAGMA application_id = 1", "DROP TABLE content"}) {
        fs::remove(file_);
        open()->store("content", "function", values_);
        tamper(change);
        const auto cache = open();
        EXPECT_EQ(cache->find("content", "function"), std::nullopt) << change;
        EXPECT_EQ(cache->find("other", "function"), std::nullopt) << change;
        cache->store("content", "function", values_);
        EXPECT_EQ(open()->find("content", "function"), values_) << change;
    }
}

TEST_F(SqliteValueCacheTest, RemembersNothingWhereItCannotWrite) {
    const auto cache = sqlite_value_cache(folder_ / "no such folder" / "values.sqlite");
    cache->store("content", "function", values_);
    EXPECT_EQ(cache->find("content", "function"), std::nullopt);
    const fs::path file = data_file("abc");
    EXPECT_EQ(cache->fingerprint(file), fingerprint_file(file));
}

TEST_F(SqliteValueCacheTest, RemembersFingerprintsOfFilesThatHaveSettled) {
    const auto cache = open();
    const fs::path young = data_file("abc");
    EXPECT_EQ(cache->fingerprint(young), fingerprint_file(young));
    EXPECT_EQ(SQLite::Database(file_.string()).execAndGet("SELECT count(*) FROM files").getInt(), 0)
        << "a file that is changed at this moment may change again without a trace";
    // The system's own program has not changed for long.
    const fs::path settled = "/bin/sh";
    EXPECT_EQ(cache->fingerprint(settled), fingerprint_file(settled));
    tamper("UPDATE files SET high = 1, low = 2");
    EXPECT_EQ(cache->fingerprint(settled), (Fingerprint{1, 2}));
    tamper("UPDATE files SET state = 'another size and time'");
    EXPECT_EQ(cache->fingerprint(settled), fingerprint_file(settled));
    EXPECT_THROW(cache->fingerprint(folder_ / "missing"), Error);
}

/// Counts how often it is evaluated; may have an identity.
class Counter final : public FrameFunction {
public:
    Counter(std::string identity, std::atomic<int>& frames)
        : FrameFunction("counter"), identity_(std::move(identity)), frames_(frames) {}
    std::string identity() const override { return identity_; }
    std::unique_ptr<FrameEvaluator> bind(const trajectory::Topology&) const override {
        return std::make_unique<Evaluator>(frames_);
    }

private:
    class Evaluator final : public FrameEvaluator {
    public:
        explicit Evaluator(std::atomic<int>& frames) : FrameEvaluator({0}), frames_(frames) {}
        double operator()(const trajectory::Frame& frame) override {
            ++frames_;
            return frame.positions[0].x;
        }

    private:
        std::atomic<int>& frames_;
    };

    std::string identity_;
    std::atomic<int>& frames_;
};

class CachedEvaluation : public SqliteValueCacheTest {
protected:
    fs::path trajectory(const std::string& name, float first) const {
        trajectory::WriteOptions options;
        options.overwrite = true;
        trajectory::FrameWriter writer(folder_ / name, options);
        for (int i = 0; i < 4; ++i) {
            trajectory::Frame frame;
            frame.step = i;
            frame.time_ps = i;
            frame.positions = {{first + static_cast<float>(i), 0, 0}, {0, 1, 0}};
            writer.write(frame);
        }
        writer.close();
        return folder_ / name;
    }
    std::vector<Values> evaluate(const std::vector<FunctionPtr>& functions, const fs::path& file,
                                 ValueCache& cache) {
        return context_.run(evaluate_together(context_, functions, trajectory::Trajectory(file, ""), &cache));
    }

    runtime::Context context_{2};
    std::atomic<int> named_frames_ = 0;
    std::atomic<int> other_frames_ = 0;
    std::atomic<int> nameless_frames_ = 0;
    const FunctionPtr named_ = std::make_shared<Counter>("named", named_frames_);
    const FunctionPtr other_ = std::make_shared<Counter>("other", other_frames_);
    const FunctionPtr nameless_ = std::make_shared<Counter>("", nameless_frames_);
};

TEST_F(CachedEvaluation, ComputesOnlyWhatIsNotKnown) {
    const auto cache = open();
    const fs::path file = trajectory("a.trr", 0);
    const std::vector<Values> first = evaluate({named_, nameless_}, file, *cache);
    EXPECT_EQ(named_frames_, 4);
    EXPECT_EQ(first[0].data(), (std::vector<double>{0, 1, 2, 3}));
    const std::vector<Values> second = evaluate({nameless_, other_, named_}, file, *cache);
    EXPECT_EQ(second[2], first[0]);
    EXPECT_EQ(second[1], first[0]);
    EXPECT_EQ(named_frames_, 4) << "from the cache";
    EXPECT_EQ(other_frames_, 4);
    EXPECT_EQ(nameless_frames_, 8) << "nobody knows what it computes";
}

TEST_F(CachedEvaluation, GoesByTheContent) {
    const auto cache = open();
    evaluate({named_}, trajectory("a.trr", 0), *cache);
    fs::copy_file(folder_ / "a.trr", folder_ / "b.trr");
    EXPECT_EQ(evaluate({named_}, folder_ / "b.trr", *cache)[0].at(0), 0);
    EXPECT_EQ(named_frames_, 4) << "a copy has the same values";
    EXPECT_EQ(evaluate({named_}, trajectory("a.trr", 5), *cache)[0].at(0), 5);
    EXPECT_EQ(named_frames_, 8) << "a changed file has not";
}

TEST(Identity, TellsFunctionsApartWhateverTheirNames) {
    Definitions define;
    const auto a = define.variable("a", R"(distance("index 0", "index 1"))");
    const auto b = define.variable("b", R"(distance( "index 0" ,"index 1" ))");
    const auto c = define.variable("c", R"(distance("index 0", "index 2"))");
    EXPECT_EQ(a->identity(), b->identity());
    EXPECT_NE(a->identity(), c->identity());
    const auto twice_a = define.variable("twice_a", "2*a");
    const auto twice_c = define.variable("twice_c", "2*c");
    EXPECT_NE(twice_a->identity(), twice_c->identity());
    const auto x = define.variable("x", frame_function("x", [](const trajectory::Frame&) { return 1.0; }));
    EXPECT_EQ(x->identity(), "");
    EXPECT_EQ(define.state("s", "x > 0 and a > 1")->identity(), "") << "it needs what has none";
}

}  // namespace
}  // namespace coromd::functions
