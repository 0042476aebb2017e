// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A walker with real GROMACS: parts that follow each other, stopping, and going on. A wall time of
// 1 ms ends a part at the second step at which mdrun builds its neighbour list, so that parts are
// short, and end where no frame is written as well as where one is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/types.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "coromd/core/error.hpp"
#include "coromd/functions/function.hpp"
#include "integration/engine/alanine.hpp"

namespace coromd::engine::gromacs {
namespace {

using namespace std::chrono_literals;
using namespace test;
using propagation::UntilLimits;
using propagation::UntilResult;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// Holds from a time on.
functions::FunctionPtr later_than(double time_ps) {
    auto call = [time_ps](const trajectory::Frame& frame) {
        return frame.time_ps > time_ps - 1e-4 ? 1.0 : 0.0;
    };
    return functions::frame_function("later", call);
}

int count(std::string_view text, std::string_view what) {
    int n = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++n;
    return n;
}

/// The process that works in a directory.
std::optional<pid_t> process_in(const fs::path& directory) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        pid_t pid = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size())
            continue;
        if (fs::read_symlink(entry.path() / "cwd", error) == directory) return pid;
    }
    return std::nullopt;
}

class Walker : public Alanine {
protected:
    static UntilResult until(Program& program, MdEngine& engine, double time_ps, UntilLimits limits) {
        return program.context.run(
            propagation::until_any(program.context, engine, {later_than(time_ps)}, limits));
    }

    /// Runs a walker without end, and calls `action` when it has written frames.
    template <typename Action>
    void run_and(Program& program, MdEngine& engine, Action action) {
        bool done = false;
        program.reports.on_progress = [&](const Progress& progress) {
            if (done || progress.ns_per_day <= 0) return;
            done = true;
            action();
        };
        program.run(engine, RunLimits().walltime(1h));
    }

    static std::string log_of(const MdEngine& engine, int part) {
        return read_text_file(engine.directory() / ("md.part000" + std::to_string(part) + ".log"));
    }
};

TEST_F(Walker, RunsInPartsUntilAConditionHolds) {
    const UntilLimits limits = UntilLimits(2000).slice(1ms);
    int parts = 0;
    {
        Program program(*this, input());
        const auto engine = program.start("walkers/000");
        const UntilResult result = until(program, *engine, 0.4, limits);
        parts = result.parts;
        EXPECT_GT(parts, 1);
        EXPECT_TRUE(result.reached());
        EXPECT_EQ(result.steps, 200);
        EXPECT_NEAR(result.time_ps, 0.4, 1e-5);
        EXPECT_GT(result.wall_seconds, 0);
        EXPECT_EQ(steps_of(result.trajectory), steps_by(20, 200));
        EXPECT_GE(engine->steps_done(), 200);
        EXPECT_EQ(steps_of(engine->trajectory()), steps_by(20, engine->steps_done()));
    }
    // The same program again finds it all; with a smaller limit, it is not reached any more.
    Program program(*this, input());
    const auto engine = program.start("walkers/000");
    const UntilResult again = until(program, *engine, 0.4, UntilLimits(160).slice(1ms));
    EXPECT_FALSE(again.reached());
    EXPECT_EQ(again.steps, 160);
    EXPECT_EQ(steps_of(again.trajectory), steps_by(20, 160));
    EXPECT_LE(again.parts, parts);
}

TEST_F(Walker, GivesUpAfterExactlySoManySteps) {
    Program program(*this, input());
    const auto engine = program.start("walkers/000");
    const UntilResult result = until(program, *engine, 1e6, UntilLimits(140).slice(1ms));
    EXPECT_FALSE(result.reached());
    EXPECT_EQ(result.steps, 140);
    EXPECT_EQ(engine->steps_done(), 140);
    EXPECT_EQ(steps_of(result.trajectory), steps_by(20, 140));
}

TEST_F(Walker, TakesPartsWithoutAnyFrame) {
    constexpr std::int64_t kSteps = 400;
    Program program(*this, input({{"nstxout-compressed", "400"}}));
    const auto engine = program.start("walkers/000");
    const UntilResult result = until(program, *engine, 1e6, UntilLimits(kSteps).slice(1ms));
    EXPECT_GT(result.parts, 2);
    EXPECT_EQ(fs::file_size(engine->directory() / "md.part0002.xtc"), 0);
    EXPECT_THAT(steps_of(result.trajectory), ElementsAre(0, kSteps));
}

TEST_F(Walker, TwoWalkersDiffer) {
    Program program(*this, input());
    const auto a = program.start("walkers/000");
    const auto b = program.start("walkers/001");
    EXPECT_NE(a->start().frame(0).velocities, b->start().frame(0).velocities);
    EXPECT_EQ(a->start().frame(0).positions, b->start().frame(0).positions);
}

TEST_F(Walker, AGracefulStopLosesNothing) {
    {
        Program program(*this, input());
        const auto engine = program.start("walkers/000");
        EXPECT_THROW(run_and(program, *engine, [&] { program.context.request_stop(); }), Cancelled);
        EXPECT_EQ(count(log_of(*engine, 1), "Received the TERM signal"), 1);
        EXPECT_EQ(count(log_of(*engine, 1), "Received the second"), 0);
    }
    Program program(*this, input());
    const auto engine = program.start("walkers/000");
    EXPECT_TRUE(program.run(*engine, RunLimits().total_steps(100000)));
    const std::int64_t stopped_at = engine->steps_done();
    EXPECT_GT(stopped_at, 0);
    EXPECT_LT(stopped_at, 100000);
    EXPECT_EQ(count(log_of(*engine, 1), "Received the TERM signal"), 1) << "it was not run again";

    const std::int64_t end = (stopped_at / 20 + 3) * 20;
    EXPECT_TRUE(program.run(*engine, RunLimits().total_steps(end)));
    EXPECT_EQ(engine->part(), 2);
    EXPECT_THAT(log_of(*engine, 2), HasSubstr("Reading checkpoint file"));
    EXPECT_EQ(steps_of(engine->trajectory()), steps_by(20, end));
    EXPECT_FALSE(fs::exists(engine->directory() / "md.part0001.attempt2"));
}

TEST_F(Walker, AStopBeforeTheFirstStepLeavesNothingBehind) {
    {
        Program program(*this, input());
        const auto engine = program.start("walkers/000");
        program.reports.on_progress = [&](const Progress& progress) {
            if (progress.phase == "running") program.context.request_stop();
        };
        EXPECT_THROW(program.run(*engine, RunLimits().walltime(1h)), Cancelled);
    }
    Program program(*this, input());
    const auto engine = program.start("walkers/000");
    while (program.run(*engine, RunLimits().total_steps(40))) {
    }
    EXPECT_GE(engine->steps_done(), 40);
    EXPECT_EQ(steps_of(engine->trajectory()), steps_by(20, engine->steps_done()));
}

TEST_F(Walker, AKilledPartIsRunAgain) {
    {
        Program program(*this, input());
        const auto engine = program.start("walkers/000");
        EXPECT_TRUE(program.run(*engine, RunLimits().total_steps(40)));
        const Error error = error_of([&] {
            run_and(program, *engine, [&] {
                const auto pid = process_in(engine->directory() / "md.part0002.attempt1");
                ASSERT_TRUE(pid);
                ::kill(*pid, SIGKILL);
            });
        });
        EXPECT_EQ(error.kind(), ErrorKind::job);
        EXPECT_THAT(error.message(), HasSubstr("killed by signal 9"));
        EXPECT_THAT(error.what(), HasSubstr("walkers/000/md.part0002"));
        EXPECT_EQ(engine->part(), 1);
    }
    Program program(*this, input());
    const auto engine = program.start("walkers/000");
    while (program.run(*engine, RunLimits().total_steps(100))) {
    }
    EXPECT_EQ(engine->part(), 2);
    EXPECT_EQ(steps_of(engine->trajectory()), steps_by(20, 100));
}

}  // namespace
}  // namespace coromd::engine::gromacs
