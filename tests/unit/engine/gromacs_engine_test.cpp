// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The walker's engine with a stand-in for gmx that writes plausible files at once; what real gmx
// does is looked at in tests/integration/engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "coromd/engine/md_engine.hpp"
#include "unit/engine/fake_gromacs.hpp"

namespace coromd::engine::gromacs {
namespace {

using namespace std::chrono_literals;
using namespace test;
using queue::FailureClass;
using runtime::task;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using trajectory::Trajectory;

task<> prepare(MdEngine& engine, Trajectory start, std::int64_t frame = 0) {
    co_await engine.prepare(start, frame);
}

/// The number of frames of the next part; empty where nothing was left to do.
task<std::optional<std::int64_t>> run(MdEngine& engine, RunLimits limits) {
    const std::optional<Trajectory> part = co_await engine.run(limits);
    if (!part) co_return std::nullopt;
    co_return part->n_frames();
}

std::vector<std::int64_t> steps_of(const Trajectory& trajectory) {
    std::vector<std::int64_t> steps;
    for (std::int64_t i = 0; i < trajectory.n_frames(); ++i) steps.push_back(trajectory.step(i));
    return steps;
}

std::vector<std::int64_t> every_tenth_until(std::int64_t last) {
    std::vector<std::int64_t> steps;
    for (std::int64_t step = 0; step <= last; step += kNstout) steps.push_back(step);
    return steps;
}

RunLimits steps(std::int64_t total) {
    return RunLimits().total_steps(total);
}
RunLimits slice(std::int64_t total) {
    return RunLimits().total_steps(total).walltime(1s);
}

class GromacsEngine : public FakeSystem {
protected:
    /// A program with a walker that is prepared.
    struct Walker : Program {
        explicit Walker(GromacsEngine& test)
            : Program(test, test.input(), test.md), engine(system->engine("walkers/003")) {
            context.run(prepare(*engine, test.start_frames()));
        }

        std::optional<std::int64_t> run(RunLimits limits) {
            return context.run(gromacs::run(*engine, limits));
        }
        Error error_of_run(RunLimits limits) {
            return error_of([&] { run(limits); });
        }

        std::unique_ptr<MdEngine> engine;
    };

    fs::path walker_file(const std::string& name) const { return at("campaign") / "walkers/003" / name; }

    std::vector<std::string> files_of_walker() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(at("campaign") / "walkers/003"))
            names.push_back(entry.path().filename());
        std::ranges::sort(names);
        return names;
    }
};

// Preparing

TEST_F(GromacsEngine, PreparesFromAFrameThatItCopies) {
    Program program(*this, input(), md);
    const auto engine = program.system->engine("walkers/003");
    program.context.run(prepare(*engine, start_frames(), 1));

    EXPECT_THAT(files_of_walker(), ElementsAre("md.tpr", "start.trr"));
    const Trajectory start = engine->start();
    EXPECT_EQ(start.n_frames(), 1);
    EXPECT_EQ(start.step(0), 10);
    EXPECT_EQ(start.frame(0).velocities, start_frames().frame(1).velocities);
    EXPECT_EQ(start.structure(), at("conf.gro"));

    ASSERT_THAT(md.jobs, SizeIs(1));
    const queue::Job& grompp = md.jobs.front();
    EXPECT_EQ(grompp.key(), "walkers/003/grompp");
    EXPECT_EQ(option(grompp, "-t"), walker_file("start.trr"));
    EXPECT_EQ(option(grompp, "-c"), at("conf.gro"));
    EXPECT_EQ(option(grompp, "-p"), at("topol.top"));
    EXPECT_EQ(Mdp::read(option(grompp, "-f")).integer("nsteps"), -1);
}

TEST_F(GromacsEngine, TakesAFrameThatLiesInItsDirectoryAsItIs) {
    Program program(*this, input(), md);
    const auto engine = program.system->engine("walkers/003");
    fs::create_directories(engine->directory());
    trajectory::write_frame(walker_file("mine.trr"), frame_of(10, true));
    program.context.run(prepare(*engine, Trajectory(walker_file("mine.trr"), at("conf.gro"))));

    EXPECT_THAT(files_of_walker(), ElementsAre("md.tpr", "mine.trr"));
    EXPECT_EQ(engine->start().files().front(), walker_file("mine.trr"));
    EXPECT_EQ(option(md.jobs.front(), "-t"), walker_file("mine.trr"));
}

TEST_F(GromacsEngine, CopiesAFrameOutOfSeveralInItsDirectory) {
    Program program(*this, input(), md);
    const auto engine = program.system->engine("walkers/003");
    fs::create_directories(engine->directory());
    fs::copy_file(start_frames().files().front(), walker_file("frames.trr"));
    program.context.run(prepare(*engine, Trajectory(walker_file("frames.trr"), at("conf.gro")), -1));

    EXPECT_THAT(files_of_walker(), ElementsAre("frames.trr", "md.tpr", "start.trr"));
    EXPECT_EQ(engine->start().step(0), 20);
}

TEST_F(GromacsEngine, RefusesAStartWithoutVelocities) {
    Program program(*this, input(), md);
    const auto engine = program.system->engine("walkers/003");
    const Error error = error_of([&] { program.context.run(prepare(*engine, start_frames(false), 1)); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("walkers/003"), HasSubstr("frames.xtc"), HasSubstr("no velocities")));
    EXPECT_THAT(md.jobs, IsEmpty());
    EXPECT_EQ(error_of([&] { engine->start(); }).kind(), ErrorKind::usage);
}

TEST_F(GromacsEngine, RefusesAFrameThatIsNotThere) {
    Program program(*this, input(), md);
    const auto engine = program.system->engine("walkers/003");
    EXPECT_EQ(error_of([&] { program.context.run(prepare(*engine, start_frames(), 3)); }).kind(),
              ErrorKind::usage);
}

TEST_F(GromacsEngine, SaysWhatGromppSaid) {
    Program program(*this, input(), md);
    const auto engine = program.system->engine("walkers/003");
    md.instead = [](const queue::Job&, const fs::path& directory) {
        return fail_saying(
            directory,
            "a banner\n-----\nProgram:     gmx grompp\nSource file: x\n\nFatal error:\nno such atom\n\n"
            "For more information and tips");
    };
    const Error error = error_of([&] { program.context.run(prepare(*engine, start_frames())); });
    EXPECT_EQ(error.kind(), ErrorKind::job);
    EXPECT_EQ(error.message(), "Fatal error:\nno such atom");
    EXPECT_THAT(error.what(), AllOf(HasSubstr("walkers/003/grompp"), HasSubstr("attempt 1"),
                                    HasSubstr("gmx -quiet grompp")));
    EXPECT_EQ(program.reports.all.front().phase, "preparing");
}

TEST_F(GromacsEngine, IsNotPreparedAnewAtTheNextStart) {
    { const Walker first(*this); }
    const Walker again(*this);
    EXPECT_THAT(md.jobs, SizeIs(1));
    EXPECT_EQ(again.engine->start().step(0), 0);
}

TEST_F(GromacsEngine, RefusesAnotherStartAtTheNextStart) {
    { const Walker first(*this); }
    Program program(*this, input(), md);
    const auto engine = program.system->engine("walkers/003");
    const Error error = error_of([&] { program.context.run(prepare(*engine, start_frames(), 2)); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error.what(), HasSubstr("start.trr"));
}

TEST_F(GromacsEngine, RefusesAnotherMdpAtTheNextStart) {
    { const Walker first(*this); }
    write_mdp("ref-t = 310\n");
    const Error error = error_of([&] { const Walker again(*this); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error.what(), HasSubstr("md.mdp"));
}

TEST_F(GromacsEngine, TakesOtherCommentsAndAnotherLengthInTheMdp) {
    { const Walker first(*this); }
    write_mdp("; more is known now\nnsteps = 77\n");
    const Walker again(*this);
    EXPECT_THAT(md.jobs, SizeIs(1));
}

// Running

TEST_F(GromacsEngine, RunsAllStepsInOnePart) {
    Walker walker(*this);
    EXPECT_EQ(walker.run(steps(200)), 21);
    EXPECT_EQ(walker.engine->steps_done(), 200);
    EXPECT_EQ(walker.engine->part(), 1);
    EXPECT_DOUBLE_EQ(walker.engine->time_done_ps(), 0.4);
    EXPECT_DOUBLE_EQ(walker.engine->wall_seconds(), 2.5);
    EXPECT_EQ(steps_of(walker.engine->trajectory()), every_tenth_until(200));

    const queue::Job& job = md.jobs.back();
    EXPECT_EQ(job.key(), "walkers/003/md.part0001");
    EXPECT_EQ(job.parameters().at("nsteps"), "200");
    EXPECT_EQ(job.parameters().at("maxh"), "-1.0000000");
    EXPECT_EQ(option(job, "-cpi"), "");
}

TEST_F(GromacsEngine, ContinuesWhereThePartBeforeEnded) {
    Walker walker(*this);
    md.steps_per_slice = 45;
    EXPECT_EQ(walker.run(slice(100)), 5);  // 0 ... 40
    EXPECT_EQ(walker.engine->steps_done(), 45);
    EXPECT_EQ(walker.run(slice(100)), 5);  // 50 ... 90
    EXPECT_EQ(option(md.jobs.back(), "-cpi"), walker_file("md.part0001.cpt"));
    EXPECT_EQ(md.jobs.back().parameters().at("nsteps"), "55");
    EXPECT_EQ(md.jobs.back().parameters().at("maxh"), "0.0002778");
    EXPECT_EQ(walker.run(slice(100)), 2);  // 90 again and 100
    EXPECT_EQ(walker.engine->part(), 3);
    EXPECT_EQ(walker.engine->steps_done(), 100);
    EXPECT_DOUBLE_EQ(walker.engine->wall_seconds(), 7.5);
    EXPECT_EQ(steps_of(walker.engine->trajectory()), every_tenth_until(100));
    EXPECT_EQ(walker.run(slice(100)), std::nullopt);
    EXPECT_THAT(md.jobs, SizeIs(4));
}

TEST_F(GromacsEngine, LeavesOutTheDoubleFrameBetweenParts) {
    Walker walker(*this);
    md.steps_per_slice = 40;
    walker.run(slice(80));
    walker.run(slice(80));
    EXPECT_EQ(steps_of(Trajectory(walker_file("md.part0002.xtc"), {})).front(), 40);
    EXPECT_EQ(steps_of(walker.engine->trajectory()), every_tenth_until(80));
}

TEST_F(GromacsEngine, TakesPartsWithoutAnyFrame) {
    Walker walker(*this);
    md.steps_per_slice = 3;
    std::int64_t frames = 0;
    while (const auto part = walker.run(slice(20))) {
        ASSERT_LT(walker.engine->part(), 8);
        frames += *part;
        EXPECT_EQ(steps_of(walker.engine->trajectory()), every_tenth_until(walker.engine->steps_done()));
    }
    EXPECT_EQ(walker.engine->part(), 7);
    EXPECT_EQ(frames, 3);
    EXPECT_EQ(fs::file_size(walker_file("md.part0002.xtc")), 0);
}

TEST_F(GromacsEngine, TheSmallestWallTimeIsStillOne) {
    Walker walker(*this);
    walker.run(RunLimits().walltime(1ms));
    EXPECT_GT(std::stod(md.jobs.back().parameters().at("maxh")), 0);
    EXPECT_EQ(md.jobs.back().parameters().at("nsteps"), "-1");
}

TEST_F(GromacsEngine, RefusesLimitsThatMakeNoSense) {
    Walker walker(*this);
    for (const RunLimits& limits :
         {RunLimits(), steps(15), RunLimits().total_steps(kNstout + 1).walltime(1s)}) {
        const Error error = walker.error_of_run(limits);
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.what(), HasSubstr("walkers/003"));
    }
    EXPECT_THAT(md.jobs, SizeIs(1));
}

TEST_F(GromacsEngine, MustBePreparedFirst) {
    Program program(*this, input(), md);
    const auto engine = program.system->engine("walkers/003");
    EXPECT_EQ(error_of([&] { program.context.run(run(*engine, steps(10))); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([&] { engine->start(); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([&] { engine->trajectory(); }).kind(), ErrorKind::usage);
    EXPECT_EQ(engine->part(), 0);
}

TEST_F(GromacsEngine, ReportsItsPhases) {
    Walker walker(*this);
    walker.run(steps(100));
    std::vector<std::string> phases;
    for (const Progress& progress : walker.reports.all) {
        EXPECT_EQ(progress.subject, "walkers/003");
        phases.push_back(progress.phase);
    }
    EXPECT_THAT(phases, ElementsAre("preparing", "waiting", "running", "between parts"));
    EXPECT_DOUBLE_EQ(walker.reports.all.back().time_ps, 0.2);
    EXPECT_EQ(walker.reports.all.back().part, 1);
}

// The next start of a program

TEST_F(GromacsEngine, FindsThePartsOfAnEarlierStart) {
    {
        Walker first(*this);
        first.run(slice(200));
        first.run(slice(200));
    }
    const std::size_t jobs = md.jobs.size();
    Walker again(*this);
    EXPECT_EQ(again.run(slice(200)), 6);
    EXPECT_EQ(again.run(slice(200)), 6);
    EXPECT_THAT(md.jobs, SizeIs(jobs));
    EXPECT_EQ(again.engine->steps_done(), 100);
    EXPECT_DOUBLE_EQ(again.engine->wall_seconds(), 5.0);
    again.run(slice(200));
    EXPECT_THAT(md.jobs, SizeIs(jobs + 1));
    EXPECT_EQ(steps_of(again.engine->trajectory()), every_tenth_until(150));
}

TEST_F(GromacsEngine, GoesOnWithOtherLimits) {
    {
        Walker first(*this);
        first.run(slice(100));
    }
    Walker again(*this);
    EXPECT_EQ(again.run(steps(20)), 6) << "the part of before is there as a whole";
    EXPECT_EQ(again.engine->steps_done(), 50);
    EXPECT_EQ(again.run(steps(20)), std::nullopt);
    again.run(steps(300));
    EXPECT_EQ(md.jobs.back().parameters().at("nsteps"), "250");
    EXPECT_EQ(steps_of(again.engine->trajectory()), every_tenth_until(300));
}

TEST_F(GromacsEngine, AStoppedPartCounts) {
    md.runs_until_stopped = true;
    md.log =
        "\nStarted mdrun on rank 0 Mon\n\nReceived the TERM signal, stopping within 20 steps\n\n"
        "Writing checkpoint, step {} at Mon\n\nFinished mdrun on rank 0 Mon\n";
    {
        Walker first(*this);
        first.reports.on_progress = [&](const Progress& progress) {
            if (progress.phase == "running") first.context.request_stop();
        };
        EXPECT_THROW(first.run(steps(200)), Cancelled);
    }
    const std::size_t jobs = md.jobs.size();
    md.runs_until_stopped = false;
    Walker again(*this);
    EXPECT_EQ(again.run(steps(200)), 6);
    EXPECT_THAT(md.jobs, SizeIs(jobs));
    again.run(steps(200));
    EXPECT_EQ(steps_of(again.engine->trajectory()), every_tenth_until(200));
}

TEST_F(GromacsEngine, AFailedPartIsTriedAgainAtTheNextStart) {
    {
        Walker first(*this);
        md.instead = [](const queue::Job&, const fs::path& directory) {
            return fail_saying(directory, "what now?\n");
        };
        const Error error = first.error_of_run(steps(100));
        EXPECT_EQ(error.kind(), ErrorKind::job);
        EXPECT_THAT(error.what(), AllOf(HasSubstr("walkers/003/md.part0001"), HasSubstr("exit code 1"),
                                        HasSubstr("what now?")));
        EXPECT_EQ(first.engine->part(), 0);
    }
    md.instead = nullptr;
    Walker again(*this);
    EXPECT_EQ(again.run(steps(100)), 11);
}

TEST_F(GromacsEngine, AnOldCheckpointIsNotNeededForPartsThatAreThere) {
    {
        Walker first(*this);
        first.run(slice(200));
        first.run(slice(200));
    }
    fs::remove(walker_file("md.part0001.cpt"));
    Walker again(*this);
    again.run(slice(200));
    again.run(slice(200));
    again.run(slice(200));
    EXPECT_EQ(steps_of(again.engine->trajectory()), every_tenth_until(150));
}

TEST_F(GromacsEngine, SaysThatTheCheckpointToContinueFromIsGone) {
    Walker walker(*this);
    walker.run(slice(200));
    fs::remove(walker_file("md.part0001.cpt"));
    // As mdrun does then: it begins anew, as part 1, and ends well.
    md.instead = [](const queue::Job&, const fs::path& directory) {
        write_file_durably(directory / "md.part0001.log", "\nStarted mdrun on rank 0\n");
        return exit_with(0);
    };
    EXPECT_THAT(walker.error_of_run(slice(200)).message(),
                AllOf(HasSubstr("md.part0001.cpt"), HasSubstr("is gone")));
}

TEST_F(GromacsEngine, NamesALogThatWasChanged) {
    {
        Walker first(*this);
        first.run(steps(100));
    }
    write_file_durably(walker_file("md.part0001.log"), "");
    Walker again(*this);
    const Error error = again.error_of_run(steps(100));
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr(walker_file("md.part0001.log").string()));
}

// Judging mdrun

struct MdrunEnd {
    std::string name;  // of the test
    queue::JobExit exit;
    std::string log;
    bool good;
    FailureClass failure = FailureClass::none;
    std::string reason;
};

std::ostream& operator<<(std::ostream& out, const MdrunEnd& end) {
    return out << end.name;
}

queue::JobExit unknown_end() {
    queue::JobExit exit;
    exit.known = false;
    return exit;
}

constexpr const char* kWell =
    "\nStarted mdrun on rank 0\n\nWriting checkpoint, step 50 at\n\nFinished mdrun on rank 0\n";
constexpr const char* kStopped =
    "\nStarted mdrun on rank 0\n\nReceived the TERM signal, stopping within 20 steps\n\n"
    "Writing checkpoint, step 50 at\n\nFinished mdrun on rank 0\n";
constexpr const char* kCut = "\nStarted mdrun on rank 0\n\nWriting checkpoint, step 50 at\n\n";
constexpr const char* kFatal =
    "\n-----\nProgram:     gmx mdrun\nSource file: x\n\nFatal error:\nno such tpr\n\nFor more information "
    "and tips\n";
constexpr const char* kLincs = "Step 0, time 0 (ps)  LINCS WARNING\nrelative\nrms 3\nbonds\n";

const std::vector<MdrunEnd>& mdrun_ends() {
    constexpr FailureClass kUser = FailureClass::user;
    constexpr FailureClass kInfrastructure = FailureClass::infrastructure;
    const std::string no_finish =
        "exit code 0, but the log does not say that a run finished with a checkpoint";
    static const std::vector<MdrunEnd> kEnds = {
        {"Done", exit_with(0), kWell, true, {}, {}},
        {"StoppedBySigterm", exit_with(1), kStopped, true, {}, {}},
        {"StoppedAndDoneAtTheSameTime", exit_with(0), kStopped, true, {}, {}},
        {"ItsEndWasNotSeen", unknown_end(), kWell, true, {}, {}},
        {"ItsEndWasNotSeenAndItWasStopped", unknown_end(), kStopped, true, {}, {}},
        {"ItsEndWasNotSeenAndItDied", unknown_end(), kCut, false, kUser, "its end was not seen"},
        {"FailedAfterASignal", exit_with(1, kFatal), kCut, false, kUser, "Fatal error:\nno such tpr"},
        {"FailedWithAFinishedLog", exit_with(1), kWell, false, kUser, "exit code 1"},
        {"SecondSignal", exit_with(2), kStopped, false, kUser, "exit code 2"},
        {"FatalErrorOnlyInTheLog", exit_with(1), std::string(kCut) + kFatal, false, kUser,
         "Fatal error:\nno such tpr"},
        {"NothingWritten", exit_with(0), "", false, kUser, no_finish},
        {"NoCheckpoint", exit_with(0), "\nStarted mdrun on rank 0\n\nFinished mdrun on rank 0\n", false,
         kUser, no_finish},
        {"KilledBySomebody", killed_by(SIGKILL), kCut, false, kInfrastructure, "killed by signal 9 (Killed)"},
        {"StoppedBeforeItBegan", killed_by(SIGTERM), "", false, kInfrastructure,
         "killed by signal 15 (Terminated)"},
        {"KilledAfterAWarning", killed_by(SIGKILL, kLincs), kCut, false, kInfrastructure,
         "killed by signal 9 (Killed)"},
        {"BlownUp", killed_by(SIGSEGV, kLincs), kCut, false, kUser,
         "killed by signal 11 (Segmentation fault); the system had become unstable:\n"
         "Step 0, time 0 (ps)  LINCS WARNING\nrelative\nrms 3"},
        {"Crashed", killed_by(SIGSEGV), kCut, false, kUser, "killed by signal 11 (Segmentation fault)"},
    };
    return kEnds;
}

class JudgeOfMdrun : public GromacsEngine, public testing::WithParamInterface<MdrunEnd> {};

TEST_P(JudgeOfMdrun, SaysWhetherAPartCounts) {
    Walker walker(*this);
    walker.run(slice(20));
    const queue::Job& job = md.jobs.back();
    const MdrunEnd& end = GetParam();
    fs::create_directories(at("attempt"));
    if (!end.log.empty()) write_file_durably(at("attempt") / "md.part0001.log", end.log);
    const queue::Verdict verdict = job.judge()(end.exit, at("attempt"));
    EXPECT_EQ(verdict.success, end.good);
    EXPECT_EQ(verdict.failure, end.failure) << to_string(verdict.failure);
    EXPECT_EQ(verdict.reason, end.reason);
}

INSTANTIATE_TEST_SUITE_P(Ends, JudgeOfMdrun, testing::ValuesIn(mdrun_ends()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace coromd::engine::gromacs
