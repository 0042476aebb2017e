// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The engine is a fake whose atom moves 1 pm in each step, with a frame every 10 steps: a condition
// "from 0.05 nm on" holds first in the frame of step 50.
#include "coromd/propagation/until.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/core/random.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/trajectory/frame_writer.hpp"
#include "unit/core/fixtures.hpp"
#include "unit/propagation/fake_engine.hpp"

namespace coromd::propagation {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using functions::FunctionPtr;
using functions::Values;
using runtime::task;
using test::between;
using test::FakeEngine;
using test::FakeRun;
using test::from;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using trajectory::Trajectory;

constexpr double kNever = 1e6;

std::vector<std::int64_t> steps_of(const Trajectory& trajectory) {
    std::vector<std::int64_t> steps;
    for (std::int64_t i = 0; i < trajectory.n_frames(); ++i) steps.push_back(trajectory.step(i));
    return steps;
}

std::vector<std::int64_t> every_tenth_until(std::int64_t last) {
    std::vector<std::int64_t> steps;
    for (std::int64_t step = 0; step <= last; step += 10) steps.push_back(step);
    return steps;
}

/// Zeros: one for each frame, or several, or too few of them.
class Shape final : public functions::TrajectoryFunction {
public:
    Shape(std::string name, std::int64_t missing_frames, std::int64_t columns)
        : TrajectoryFunction(std::move(name)), missing_frames_(missing_frames), columns_(columns) {}

    task<Values> evaluate(runtime::Context&, Trajectory trajectory) const override {
        EXPECT_GT(trajectory.n_frames(), 0) << "nobody is asked about nothing";
        const std::int64_t frames = trajectory.n_frames() - missing_frames_;
        Values values(frames, columns_,
                      std::vector<double>(static_cast<std::size_t>(frames * columns_), 0.0));
        co_return values;
    }

private:
    std::int64_t missing_frames_;
    std::int64_t columns_;
};

class UntilAny : public TemporaryFolder {
protected:
    /// A prepared engine, whose start is at x.
    std::unique_ptr<FakeEngine> engine(FakeRun run, double start_x_nm = 0.0) {
        auto engine = std::make_unique<FakeEngine>("walkers/003", at("w"), std::move(run));
        trajectory::WriteOptions options;
        options.overwrite = true;
        // From the middle of another trajectory.
        trajectory::write_frame(at("w") / "start.trr", FakeEngine::frame(5000, 10.0, start_x_nm), options);
        context.run(engine->prepare(Trajectory(at("w") / "start.trr", {}), 0));
        return engine;
    }

    UntilResult run(FakeEngine& engine, std::vector<FunctionPtr> conditions, UntilLimits limits) {
        return context.run(until_any(context, engine, std::move(conditions), limits));
    }
    UntilResult run(FakeRun fake, std::vector<FunctionPtr> conditions, std::int64_t max_steps) {
        return run(*engine(std::move(fake)), std::move(conditions), UntilLimits(max_steps));
    }
    Error error_of_run(FakeRun fake, std::vector<FunctionPtr> conditions, std::int64_t max_steps = 100) {
        return error_of([&] { run(std::move(fake), std::move(conditions), max_steps); });
    }

    runtime::Context context;
};

TEST_F(UntilAny, EndsInTheMiddleOfAPart) {
    const UntilResult result = run({.part_ends = {40, 80}}, {from("far", kNever), from("near", 0.061)}, 200);
    EXPECT_TRUE(result.reached());
    EXPECT_THAT(result.conditions, ElementsAre(1));
    EXPECT_EQ(result.steps, 70);
    EXPECT_DOUBLE_EQ(result.time_ps, 35.0);
    EXPECT_EQ(result.parts, 2);
    EXPECT_DOUBLE_EQ(result.wall_seconds, 3.0);
    EXPECT_THAT(result.trajectory.files(), ElementsAre(at("w") / "until.xtc"));
    EXPECT_EQ(steps_of(result.trajectory), every_tenth_until(70));
    EXPECT_NEAR(result.trajectory.frame(-1).positions.front().x, 0.07, 1e-6);
}

TEST_F(UntilAny, EndsWithTheFirstFrameOfAPart) {
    // Part 1 ends between two frames, so that part 2 begins with a new one.
    const UntilResult result = run({.part_ends = {45, 80}}, {from("x", 0.05)}, 200);
    EXPECT_EQ(result.parts, 2);
    EXPECT_EQ(steps_of(result.trajectory), every_tenth_until(50));
}

TEST_F(UntilAny, EndsWithTheLastFrameOfAPart) {
    const UntilResult result = run({.part_ends = {50, 80}}, {from("x", 0.05)}, 200);
    EXPECT_EQ(result.parts, 1);
    EXPECT_EQ(steps_of(result.trajectory), every_tenth_until(50));
}

TEST_F(UntilAny, EndsJustBehindADoubleFrame) {
    const UntilResult result = run({.part_ends = {40, 80}}, {from("x", 0.05)}, 200);
    EXPECT_EQ(result.parts, 2);
    EXPECT_EQ(steps_of(result.trajectory), every_tenth_until(50));
}

TEST_F(UntilAny, EndsWithTheFirstFrameOfAll) {
    // The engine moved the atom before its first frame, as constraints do.
    const auto walker = engine({.part_ends = {40}}, 0.5);
    const UntilResult result = run(*walker, {between("x", 0.0, 0.001)}, UntilLimits(200));
    EXPECT_EQ(result.parts, 1);
    EXPECT_EQ(result.steps, 0);
    EXPECT_THAT(steps_of(result.trajectory), ElementsAre(0));
}

TEST_F(UntilAny, RunsNothingWhereTheStartFulfilsACondition) {
    const auto walker = engine({}, 0.5);
    const UntilResult result = run(*walker, {from("far", kNever), from("x", 0.5)}, UntilLimits(200));
    EXPECT_THAT(result.conditions, ElementsAre(1));
    EXPECT_EQ(result.steps, 0);
    EXPECT_EQ(result.time_ps, 0.0);
    EXPECT_EQ(result.parts, 0);
    EXPECT_EQ(result.wall_seconds, 0.0);
    EXPECT_EQ(walker->part(), 0);
    EXPECT_EQ(result.trajectory.files(), walker->start().files());
    EXPECT_FALSE(fs::exists(at("w") / "until.xtc"));
}

TEST_F(UntilAny, GivesUpAfterExactlySoManySteps) {
    const auto walker = engine({.part_ends = {45, 90}});
    const UntilResult result = run(*walker, {from("x", 0.101)}, UntilLimits(100).slice(250ms));
    EXPECT_FALSE(result.reached());
    EXPECT_EQ(result.steps, 100);
    EXPECT_DOUBLE_EQ(result.time_ps, 50.0);
    EXPECT_EQ(result.parts, 3);
    EXPECT_EQ(steps_of(result.trajectory), every_tenth_until(100));
    EXPECT_EQ(walker->limits().total_steps(), 100);
    EXPECT_EQ(walker->limits().walltime(), 250ms);
}

TEST_F(UntilAny, TheLastFrameOfAllMayStillFulfil) {
    const UntilResult result = run({}, {from("x", 0.1)}, 100);
    EXPECT_TRUE(result.reached());
    EXPECT_EQ(result.steps, 100);
}

TEST_F(UntilAny, TakesPartsWithoutAnyFrame) {
    const FunctionPtr other_kind = std::make_shared<Shape>("never", 0, 1);
    const UntilResult result =
        run({.part_ends = {3, 6, 9, 12, 15, 18, 21}}, {from("x", 0.02), other_kind}, 100);
    EXPECT_EQ(result.parts, 7);
    EXPECT_EQ(steps_of(result.trajectory), every_tenth_until(20));
}

TEST_F(UntilAny, NamesAllConditionsOfTheFrame) {
    const UntilResult result =
        run({}, {between("later", 0.06, 1.0), between("b", 0.03, 0.03), from("c", 0.025)}, 100);
    EXPECT_THAT(result.conditions, ElementsAre(1, 2));
    EXPECT_EQ(result.steps, 30);
}

TEST_F(UntilAny, StepsMayGoBeyond32Bits) {
    // The files hold 32 bits of them; what a part begins with only the parts before it can tell.
    constexpr std::int64_t kGiga = std::int64_t{1} << 30;
    FakeRun run_far{.nstout = kGiga, .dt_ps = 1e-6, .part_ends = {5 * kGiga, 9 * kGiga}, .speed = 1e-6};
    const UntilResult result = run(std::move(run_far), {from("x", 7.0)}, 20 * kGiga);
    EXPECT_EQ(result.steps, 7 * kGiga);
    EXPECT_EQ(result.trajectory.n_frames(), 8);
    EXPECT_EQ(result.trajectory.last_step(), 7 * kGiga);
}

// Parts of an earlier start of the program

TEST_F(UntilAny, ASmallerLimitCutsWhatIsThere) {
    const UntilResult result = run({.part_ends = {80}, .recorded = true}, {from("x", kNever)}, 50);
    EXPECT_FALSE(result.reached());
    EXPECT_EQ(result.steps, 50);
    EXPECT_EQ(steps_of(result.trajectory), every_tenth_until(50));
}

TEST_F(UntilAny, WhatIsReachedBeyondASmallerLimitDoesNotCount) {
    const UntilResult result = run({.part_ends = {40, 80}, .recorded = true}, {from("x", 0.07)}, 60);
    EXPECT_FALSE(result.reached());
    EXPECT_EQ(result.steps, 60);
    EXPECT_EQ(steps_of(result.trajectory), every_tenth_until(60));
}

TEST_F(UntilAny, WhatIsReachedAtASmallerLimitCounts) {
    const UntilResult result = run({.part_ends = {40, 80}, .recorded = true}, {from("x", 0.06)}, 60);
    EXPECT_TRUE(result.reached());
    EXPECT_EQ(result.steps, 60);
}

TEST_F(UntilAny, ALargerLimitGoesOn) {
    run({.part_ends = {40, 60}}, {from("x", kNever)}, 60);
    const UntilResult result = run({.part_ends = {40, 60}, .recorded = true}, {from("x", kNever)}, 100);
    EXPECT_EQ(result.steps, 100);
    EXPECT_EQ(steps_of(result.trajectory), every_tenth_until(100));
}

TEST_F(UntilAny, WritesTheTrajectoryOnce) {
    const auto inode = [&] {
        struct stat status {};
        EXPECT_EQ(::stat((at("w") / "until.xtc").c_str(), &status), 0);
        return status.st_ino;
    };
    run({.part_ends = {40, 80}}, {from("x", 0.06)}, 100);
    const auto before = inode();
    run({.part_ends = {40, 80}}, {from("x", 0.06)}, 100);
    EXPECT_EQ(inode(), before) << "there already, and not written again";
    EXPECT_EQ(run({.part_ends = {40, 80}}, {from("x", 0.05)}, 100).trajectory.last_step(), 50);
    EXPECT_NE(inode(), before) << "another end";
}

TEST_F(UntilAny, WritesATrajectoryAnewThatWasCutOff) {
    run({}, {from("x", 0.06)}, 100);
    const fs::path file = at("w") / "until.xtc";
    const auto size = fs::file_size(file);
    for (const auto cut_size : {size - 1, size / 2, decltype(size){1}}) {
        fs::resize_file(file, cut_size);
        EXPECT_EQ(steps_of(run({}, {from("x", 0.06)}, 100).trajectory), every_tenth_until(60)) << cut_size;
    }
}

// Errors

TEST_F(UntilAny, NeedsACondition) {
    const Error error = error_of_run({}, {});
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("walkers/003"));
}

TEST_F(UntilAny, BeginsAtTheStartOnly) {
    const auto walker = engine({});
    run(*walker, {from("x", 0.05)}, UntilLimits(100));
    EXPECT_EQ(error_of([&] { run(*walker, {from("x", 0.07)}, UntilLimits(100)); }).kind(), ErrorKind::usage);
}

TEST_F(UntilAny, RefusesConditionsOfAnotherShape) {
    for (const FunctionPtr& condition : {FunctionPtr(std::make_shared<Shape>("two", 0, 2)),
                                         FunctionPtr(std::make_shared<Shape>("less", 1, 1))}) {
        const Error error = error_of_run({}, {from("x", 0.05), condition});
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.what(), AllOf(HasSubstr("walkers/003"), HasSubstr("'" + condition->name() + "'")));
    }
}

TEST_F(UntilAny, NamesTheWalkerInAnErrorOfTheEngine) {
    FakeRun failing{.part_ends = {40},
                    .failure = std::make_exception_ptr(Error(ErrorKind::job, "it blew up")),
                    .failing_part = 2};
    const Error error = error_of_run(std::move(failing), {from("x", kNever)});
    EXPECT_EQ(error.kind(), ErrorKind::job);
    EXPECT_EQ(error.message(), "it blew up");
    EXPECT_THAT(error.context(), ElementsAre("walkers/003"));
}

TEST_F(UntilAny, NamesTheWalkerInAnErrorOfACondition) {
    const auto nan = functions::frame_function("nan", [](const trajectory::Frame&) { return std::nan(""); });
    const Error error = error_of_run({}, {nan});
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("walkers/003"), HasSubstr("'nan'"), HasSubstr("start.trr")));
}

TEST_F(UntilAny, LetsACancellationThrough) {
    const auto walker =
        engine({.part_ends = {40}, .failure = std::make_exception_ptr(Cancelled()), .failing_part = 2});
    EXPECT_THROW(run(*walker, {from("x", kNever)}, UntilLimits(100)), Cancelled);
    EXPECT_FALSE(fs::exists(at("w") / "until.xtc"));
}

TEST(UntilLimits, RefuseWhatIsNoLimit) {
    EXPECT_EQ(error_of([] { UntilLimits(0); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { UntilLimits(-10); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([] { UntilLimits(10).slice(0ms); }).kind(), ErrorKind::usage);
    EXPECT_EQ(UntilLimits(10).slice(), 1min);
}

// start_with_new_velocities()

class NewVelocities : public TemporaryFolder {
protected:
    void SetUp() override {
        TemporaryFolder::SetUp();
        write_file_durably(at("conf.gro"),
                           "argon\n    2\n"
                           "    1SOL     OW    1   0.100   0.100   0.100\n"
                           "    2SOL     OW    2   0.500   0.100   0.100\n"
                           "   2.00000   2.00000   2.00000\n");
    }

    trajectory::Frame start(const std::string& walker, double temperature_k, const std::string& key) {
        FakeEngine engine(walker, at(walker), {});
        context.run(start_with_new_velocities(context, engine, Trajectory(at("conf.gro"), at("conf.gro")), 0,
                                              temperature_k, RandomStream(1, key)));
        EXPECT_THAT(engine.start().files(), ElementsAre(at(walker) / "start.trr"));
        return engine.start().frame(0);
    }

    runtime::Context context;
};

TEST_F(NewVelocities, DependOnTheStreamOnly) {
    const trajectory::Frame a = start("a", 300.0, "one");
    const trajectory::Frame b = start("b", 300.0, "one");
    const trajectory::Frame c = start("c", 300.0, "another");
    EXPECT_EQ(a.velocities, b.velocities);
    EXPECT_NE(a.velocities, c.velocities);
    EXPECT_EQ(a.positions, c.positions);
    EXPECT_EQ(a.positions.size(), 2);
    EXPECT_FLOAT_EQ(a.positions.back().x, 0.5F);
}

TEST_F(NewVelocities, AreScaledByTheTemperature) {
    const trajectory::Frame cold = start("cold", 100.0, "one");
    const trajectory::Frame hot = start("hot", 400.0, "one");
    EXPECT_NEAR(hot.velocities.front().x, 2 * cold.velocities.front().x, 1e-5);
}

TEST_F(NewVelocities, NameTheWalkerInAnError) {
    const Error error = error_of([&] { start("walkers/007", -1.0, "one"); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("walkers/007"));
    EXPECT_FALSE(fs::exists(at("walkers/007") / "start.trr"));
}

}  // namespace
}  // namespace coromd::propagation
