// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The walkers are fakes that move along x at a speed of their own: a state is a range of x, or of -x.
#include "coromd/sampling/committor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "coromd/campaign/campaign.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/core/recorder.hpp"
#include "coromd/core/settings.hpp"
#include "coromd/functions/definitions.hpp"
#include "coromd/runtime/context.hpp"
#include "unit/core/fixtures.hpp"
#include "unit/propagation/fake_engine.hpp"

namespace coromd::sampling {
namespace {

namespace fs = std::filesystem;
using functions::FunctionPtr;
using nlohmann::json;
using propagation::UntilResult;
using runtime::task;
using test::between;
using test::FakeEngine;
using test::FakeRun;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using trajectory::Trajectory;

constexpr const char* kStructure =
    "argon\n    2\n"
    "    1SOL     OW    1   0.000   0.000   0.000\n"
    "    2SOL     OW    2   1.000   1.000   1.000\n"
    "   9.00000   9.00000   9.00000\n";

/// Walkers that go as `runs` says; without an entry, to the right.
class FakeSystem final : public engine::MdSystem {
public:
    FakeSystem(fs::path directory, const fs::path& structure)
        : directory_(std::move(directory)), structure_(structure, structure) {}

    std::unique_ptr<engine::MdEngine> engine(std::string name) const override {
        const auto found = runs.find(name);
        FakeRun run = found == runs.end() ? FakeRun{} : found->second;
        return std::make_unique<FakeEngine>(name, directory_ / name, std::move(run));
    }
    const Trajectory& structure() const noexcept override { return structure_; }
    task<Trajectory> reference() override {
        if (reference_failure) std::rethrow_exception(reference_failure);
        co_return structure_;
    }
    void check() const override {}
    task<std::map<std::string, std::string>> inputs() override {
        co_return std::map<std::string, std::string>();
    }
    std::int64_t nstout() const noexcept override { return 10; }
    double dt_ps() const noexcept override { return 0.5; }

    std::map<std::string, FakeRun> runs;
    std::exception_ptr reference_failure;

private:
    fs::path directory_;
    Trajectory structure_;
};

struct Reports final : Recorder {
    std::map<std::string, Progress> last;

    void progress(const Progress& progress) override { last[progress.subject] = progress; }
    void note(std::string_view, std::string_view) override {}
    void product(const Product&) override {}
};

FakeRun failing(std::exception_ptr failure) {
    return {.failure = std::move(failure)};
}
FakeRun at_speed(double speed) {
    return {.speed = speed};
}

class Committor : public TemporaryFolder {
protected:
    void SetUp() override {
        TemporaryFolder::SetUp();
        write_file_durably(at("conf.gro"), kStructure);
        campaign = campaign::Campaign::open(context, at("campaign"), campaign::OpenMode::fresh, 1);
        system = std::make_unique<FakeSystem>(campaign->directory(), at("conf.gro"));
        method_context = std::make_unique<MethodContext>(MethodContext{context, reports, *campaign, *system});
    }

    CommittorResult run(int walkers, std::vector<FunctionPtr> states) {
        return context.run(
            committor(*method_context, std::move(states), CommittorOptions(walkers, 300.0, 100)));
    }

    static std::vector<FunctionPtr> states() {
        return {between("left", -9.0, -0.03), between("right", 0.05, 9.0)};
    }

    runtime::Context context;
    Reports reports;
    std::unique_ptr<campaign::Campaign> campaign;
    std::unique_ptr<FakeSystem> system;
    std::unique_ptr<MethodContext> method_context;
};

TEST_F(Committor, CountsWhereTheWalkersEnd) {
    system->runs["walkers/001"] = at_speed(-1.0);
    system->runs["walkers/003"] = at_speed(0.1);  // never comes far enough
    const CommittorResult result = run(4, states());

    EXPECT_THAT(result.states(), ElementsAre("left", "right"));
    ASSERT_THAT(result.shots(), SizeIs(4));
    EXPECT_EQ(result.shots()[1].name, "walkers/001");
    EXPECT_EQ(result.shots()[1].outcome.value().steps, 30);
    EXPECT_EQ(result.shots()[2].outcome.value().steps, 50);
    EXPECT_FALSE(result.shots()[3].outcome.value().reached());
    EXPECT_EQ(result.failed(), 0);

    const Proportion right = result.committor(1);
    EXPECT_EQ(right.successes, 2);
    EXPECT_EQ(right.trials, 3) << "who reached no state is no trial";
    EXPECT_DOUBLE_EQ(right.high, wilson(2, 3).high);
    EXPECT_EQ(result.committor(0).successes, 1);

    EXPECT_EQ(reports.last.at("walkers/000").phase, "reached right");
    EXPECT_EQ(reports.last.at("walkers/001").phase, "reached left");
    EXPECT_DOUBLE_EQ(reports.last.at("walkers/001").time_ps, 15.0);
    EXPECT_EQ(reports.last.at("walkers/003").phase, "reached no state");
}

TEST_F(Committor, GivesEachWalkerVelocitiesOfItsOwn) {
    run(2, states());
    const auto velocities = [&](const std::string& walker) {
        return Trajectory(at("campaign") / walker / "start.trr", {}).frame(0).velocities;
    };
    EXPECT_NE(velocities("walkers/000"), velocities("walkers/001"));
    const auto before = velocities("walkers/001");
    run(3, states());
    EXPECT_EQ(velocities("walkers/001"), before) << "more walkers change nothing for those that are there";
}

TEST_F(Committor, OneFailureDoesNotStopTheOthers) {
    system->runs["walkers/000"] = failing(std::make_exception_ptr(Error(ErrorKind::job, "it blew up")));
    system->runs["walkers/002"] = failing(std::make_exception_ptr(std::runtime_error("not of ours")));
    const CommittorResult result = run(4, states());
    EXPECT_EQ(result.failed(), 2);
    EXPECT_TRUE(result.shots()[1].outcome.ok());
    EXPECT_TRUE(result.shots()[3].outcome.ok());
    EXPECT_EQ(result.committor(1).trials, 2);
    EXPECT_EQ(reports.last.at("walkers/000").phase, "failed");
    EXPECT_THAT(result.text(),
                AllOf(HasSubstr("walkers/000    failed\n"), HasSubstr("\nwalkers/000:\n  it blew up\n"),
                      HasSubstr("not of ours"), HasSubstr("2 of 2")));
}

TEST_F(Committor, FailsAsAWholeWhereTheSystemDoes) {
    system->reference_failure = std::make_exception_ptr(Error(ErrorKind::job, "no such force field"));
    EXPECT_EQ(error_of([&] { run(2, states()); }).message(), "no such force field");
}

TEST_F(Committor, ACancellationStopsAll) {
    system->runs["walkers/001"] = failing(std::make_exception_ptr(Error(ErrorKind::job, "it blew up")));
    context.request_stop();
    EXPECT_THROW(run(2, states()), Cancelled);
}

TEST_F(Committor, NeedsAState) {
    EXPECT_EQ(error_of([&] { run(2, {}); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { CommittorOptions(0, 300.0, 100); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { CommittorOptions(1, 0.0, 100); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { CommittorOptions(1, 300.0, 0); }).kind(), ErrorKind::usage);
}

// The result

UntilResult ended(std::vector<std::size_t> conditions, std::int64_t steps) {
    return {std::move(conditions),
            Trajectory("w/until.xtc", {}),
            steps,
            0.002 * static_cast<double>(steps),
            2,
            3.25};
}

CommittorResult mixed_result() {
    std::vector<Shot> shots;
    shots.push_back({"walkers/000", Outcome<UntilResult>(ended({1}, 500))});
    shots.push_back({"walkers/001", Outcome<UntilResult>(ended({0, 1}, 100))});
    shots.push_back({"walkers/002", Outcome<UntilResult>(ended({}, 1000))});
    shots.push_back(
        {"walkers/003", Outcome<UntilResult>(std::make_exception_ptr(Error(ErrorKind::job, "\xff!")))});
    return CommittorResult({"A", "B"}, std::move(shots));
}

TEST(CommittorResult, CountsAnOverlapForTheFirstState) {
    const CommittorResult result = mixed_result();
    EXPECT_EQ(result.committor(0).successes, 1);
    EXPECT_EQ(result.committor(1).successes, 1);
    EXPECT_EQ(result.committor(0).trials, 2);
    EXPECT_EQ(result.failed(), 1);
}

TEST(CommittorResult, AsText) {
    EXPECT_EQ(mixed_result().text(),
              "walker         state                   ps  parts    wall s\n"
              "walkers/000    B                    1.000      2       3.2\n"
              "walkers/001    A+B                  0.200      2       3.2\n"
              "walkers/002    no state             2.000      2       3.2\n"
              "walkers/003    failed\n"
              "\ncommittor (95 % interval of Wilson)\n"
              "  A              0.50  [0.09, 0.91]  1 of 2\n"
              "  B              0.50  [0.09, 0.91]  1 of 2\n"
              "\n\xff!\n");
}

TEST(CommittorResult, AsJson) {
    const json result = json::parse(mixed_result().json());
    EXPECT_EQ(result.at("failed"), 1);
    const json& walkers = result.at("walkers");
    ASSERT_THAT(walkers, SizeIs(4));
    EXPECT_EQ(walkers[0].at("name"), "walkers/000");
    EXPECT_EQ(walkers[0].at("states"), json({"B"}));
    EXPECT_EQ(walkers[0].at("steps"), 500);
    EXPECT_DOUBLE_EQ(walkers[0].at("time_ps").get<double>(), 1.0);
    EXPECT_EQ(walkers[0].at("parts"), 2);
    EXPECT_DOUBLE_EQ(walkers[0].at("wall_seconds").get<double>(), 3.25);
    EXPECT_EQ(walkers[0].at("trajectory"), fs::absolute("w/until.xtc").string());
    EXPECT_EQ(walkers[1].at("states"), json({"A", "B"}));
    EXPECT_EQ(walkers[2].at("states"), json::array());
    EXPECT_EQ(walkers[3].at("error"), "\xef\xbf\xbd!");
    EXPECT_FALSE(walkers[3].contains("states"));
    const json& a = result.at("committor").at("A");
    EXPECT_EQ(a.at("successes"), 1);
    EXPECT_EQ(a.at("trials"), 2);
    EXPECT_DOUBLE_EQ(a.at("estimate").get<double>(), 0.5);
    EXPECT_DOUBLE_EQ(a.at("low").get<double>(), wilson(1, 2).low);
}

TEST(CommittorResult, WithoutATrial) {
    std::vector<Shot> shots;
    shots.push_back({"walkers/000", Outcome<UntilResult>(ended({}, 1000))});
    const CommittorResult result({"A"}, std::move(shots));
    EXPECT_THAT(result.text(), HasSubstr("no walker reached a state"));
    const json a = json::parse(result.json()).at("committor").at("A");
    EXPECT_TRUE(a.at("estimate").is_null());
    EXPECT_EQ(a.at("high"), 1.0);
}

// The method of a campaign file

class CommittorMethod : public Committor {
protected:
    using Table = Setting::Table;

    std::unique_ptr<Method> make(Table walkers) {
        functions::Definitions define;
        define.variable("d", R"(distance("index 0", "index 1"))");
        if (with_states_) define.state("near", "d < 1.5");
        const Setting top(Table{{"walkers", Setting(std::move(walkers), {"campaign.toml", 9, 1})}},
                          {"campaign.toml", 1, 1});
        SettingsReader reader(top, "");
        auto method = builtin_methods().at("committor").make(reader, define);
        reader.finish();
        return method;
    }

    static Table walkers(std::int64_t count = 3, double temperature = 310.0, std::int64_t max_steps = 100) {
        const Origin origin{"campaign.toml", 11, 1};
        return {{"count", Setting(count, origin)},
                {"temperature", Setting(temperature, origin)},
                {"max_steps", Setting(max_steps, origin)}};
    }

    bool with_states_ = true;
};

TEST_F(CommittorMethod, TellsItsPlan) {
    EXPECT_EQ(make(walkers())->plan(),
              "3 walkers with new velocities at 310 K, each until near or 100 steps, looked at every 10 s");
}

TEST_F(CommittorMethod, ItsIdentityIsWhatMakesResultsComparable) {
    const std::string identity = make(walkers())->identity();
    EXPECT_THAT(identity, HasSubstr("310"));
    EXPECT_EQ(make(walkers(8, 310.0, 500))->identity(), identity);
    EXPECT_NE(make(walkers(3, 300.0))->identity(), identity);
}

TEST_F(CommittorMethod, RunsAndSumsUp) {
    system->runs["walkers/001"] = failing(std::make_exception_ptr(Error(ErrorKind::job, "it blew up")));
    // All walkers start 1.73 nm from the second atom, and come near it.
    const Summary summary = context.run(make(walkers())->run(*method_context));
    EXPECT_FALSE(summary.complete);
    EXPECT_THAT(summary.text, HasSubstr("it blew up"));
    EXPECT_EQ(json::parse(summary.json).at("failed"), 1);
}

TEST_F(CommittorMethod, ChecksTheStepsAndTheSelections) {
    EXPECT_NO_THROW(make(walkers())->check(*system));
    const Error error = error_of([&] { make(walkers(3, 310.0, 105))->check(*system); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("105"), HasSubstr("10 steps")));
}

TEST_F(CommittorMethod, RefusesSettingsWithTheirLine) {
    for (const Table& bad :
         {walkers(0), walkers(4294967297), walkers(3, 0.0), walkers(3, -3.0), walkers(3, 300.0, 0)}) {
        const Error error = error_of([&] { make(bad); });
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.what(), HasSubstr("campaign.toml:11"));
    }
    with_states_ = false;
    EXPECT_THAT(error_of([&] { make(walkers()); }).what(), HasSubstr("at least one state"));
}

}  // namespace
}  // namespace coromd::sampling
