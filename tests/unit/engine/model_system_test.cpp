// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The walker's engine on a queue that runs model-md as a function, without a process.
#include "coromd/engine/model/system.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coromd/campaign/campaign.hpp"
#include "coromd/core/file.hpp"
#include "coromd/engine/model/model_md.hpp"
#include "coromd/session/settings_file.hpp"
#include "coromd/trajectory/frame_writer.hpp"
#include "unit/core/fixtures.hpp"
#include "unit/engine/fake_gromacs.hpp"

namespace coromd::engine::model {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using gromacs::test::exit_with;
using gromacs::test::option;
using gromacs::test::Reports;
using runtime::task;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using trajectory::Trajectory;

/// What was run, and whether the next job plays dead.
struct Jobs {
    std::vector<queue::Job> all;
    std::optional<queue::JobExit> instead;
};

class InProcess final : public queue::Backend {
public:
    explicit InProcess(Jobs& jobs) : jobs_(jobs) {}

    task<std::unique_ptr<queue::Admission>> admit(const queue::Job&) override {
        co_return std::make_unique<queue::Admission>();
    }

    task<queue::JobExit> execute(queue::Attempt attempt, const queue::Admission&,
                                 queue::Submitted submitted) override {
        const queue::Job& job = attempt.job();
        jobs_.all.push_back(job);
        co_await submitted("in process");
        if (jobs_.instead) co_return *jobs_.instead;
        const Setting settings = session::read_toml(option(job, "-s"));
        SettingsReader reader(settings, "");
        const RunInput input = RunInput::read(reader);
        ModelMdOptions options;
        options.deffnm = attempt.directory() / option(job, "-deffnm");
        options.checkpoint_in = option(job, "-cpi");
        options.checkpoint_out = attempt.directory() / option(job, "-cpo");
        options.nsteps = std::stoll(job.parameters().at("nsteps"));
        options.append = false;
        if (const double hours = std::stod(job.parameters().at("maxh")); hours >= 0.0)
            options.max_hours = hours;
        model_md(input, options);
        queue::JobExit exit = exit_with(0);
        exit.started_ms = 1000;
        exit.ended_ms = 3500;
        co_return exit;
    }

    task<std::optional<queue::JobExit>> reattach(queue::Attempt, std::string) override {
        co_return std::nullopt;
    }
    void forget(const queue::Attempt&, bool) noexcept override {}
    void send_signal(const queue::Attempt&, int) override {}

private:
    Jobs& jobs_;
};

constexpr std::int64_t kNstout = 10;

class ModelSystem : public TemporaryFolder {
protected:
    void SetUp() override {
        TemporaryFolder::SetUp();
        write_file_durably(at("start.gro"),
                           "one\n    1\n    1MOD    MOD    1  -1.000   0.000   0.000\n"
                           "   0.00000   0.00000   0.00000\n");
        trajectory::FrameWriter frames(at("frames.trr"));
        for (const std::int64_t step : {0, 10}) frames.write(frame_of(step));
        frames.close();
        model.potential = DoubleWell{3.0, 1.0, 0.0};
        model.dynamics = {Integrator::baoab, 0.01, 1.0, 1.0, 4.0};
        model.nstout = kNstout;
    }

    static trajectory::Frame frame_of(std::int64_t step) {
        trajectory::Frame frame;
        frame.step = step;
        frame.positions = {{-1.0F + static_cast<float>(step) / 100.0F, 0.0F, 0.0F}};
        frame.velocities = {{0.5F, 0.0F, 0.0F}};
        return frame;
    }

    /// One start of a program, which goes on with the campaign as the one before has left it.
    struct Program {
        explicit Program(const ModelSystem& test, Jobs& jobs, std::uint64_t seed = 1)
            : campaign(campaign::Campaign::open(context, test.at("campaign"),
                                                campaign::OpenMode::resume_or_create, 1)),
              queue("in process", context, campaign->ledger(), std::make_unique<InProcess>(jobs)),
              system(model::system(
                  EngineContext{context, reports, campaign->directory(), {}, "/bin/coromd", seed}, test.model,
                  test.at("start.gro"), queue)),
              engine(system->engine("walkers/003")) {}

        void prepare(const ModelSystem& test, std::int64_t frame = 0) {
            task<void> body = engine->prepare(Trajectory(test.at("frames.trr"), test.at("start.gro")), frame);
            context.run(std::move(body));
        }
        bool run(RunLimits limits) {
            bool ran = false;
            context.run(run_next(*engine, limits, ran));
            return ran;
        }
        static task<void> run_next(MdEngine& engine, RunLimits limits, bool& ran) {
            const std::optional<Trajectory> part = co_await engine.run(limits);
            ran = part.has_value();
        }

        runtime::Context context;
        Reports reports;
        std::unique_ptr<campaign::Campaign> campaign;
        queue::Queue queue;
        std::unique_ptr<MdSystem> system;
        std::unique_ptr<MdEngine> engine;
    };

    fs::path walker_file(const std::string& name) const { return at("campaign") / "walkers/003" / name; }
    static RunLimits steps(std::int64_t total) { return RunLimits().total_steps(total); }

    Model model;
    Jobs jobs;
};

TEST_F(ModelSystem, RunsExactlyTheStepsInParts) {
    Program program(*this, jobs);
    program.prepare(*this);
    EXPECT_TRUE(program.run(steps(100)));
    EXPECT_TRUE(program.run(steps(250)));
    EXPECT_FALSE(program.run(steps(250)));
    EXPECT_EQ(program.engine->steps_done(), 250);
    EXPECT_EQ(program.engine->part(), 2);
    EXPECT_DOUBLE_EQ(program.engine->time_done_ps(), 2.5);
    EXPECT_DOUBLE_EQ(program.engine->wall_seconds(), 5.0);
    EXPECT_EQ(program.engine->trajectory().n_frames(), 26);
    ASSERT_THAT(jobs.all, SizeIs(2));
    EXPECT_EQ(jobs.all[0].key(), "walkers/003/md.part0001");
    EXPECT_EQ(jobs.all[1].parameters().at("nsteps"), "150");
    EXPECT_EQ(option(jobs.all[1], "-cpi"), walker_file("md.part0001.cpt"));
}

TEST_F(ModelSystem, PartsAreTheSameToTheBitHoweverLong) {
    const auto last_frame = [&](const std::vector<std::int64_t>& totals) {
        fs::remove_all(at("campaign"));
        Program program(*this, jobs);
        program.prepare(*this);
        for (const std::int64_t total : totals) program.run(steps(total));
        return program.engine->trajectory().frame(-1);
    };
    const trajectory::Frame one = last_frame({1000});
    const trajectory::Frame many = last_frame({10, 370, 380, 1000});
    EXPECT_EQ(one.positions, many.positions);
    EXPECT_EQ(one.velocities, many.velocities);
}

TEST_F(ModelSystem, FindsThePartsOfAnEarlierStart) {
    {
        Program program(*this, jobs);
        program.prepare(*this);
        program.run(steps(100));
    }
    Program again(*this, jobs);
    again.prepare(*this);
    EXPECT_TRUE(again.run(steps(200))) << "the part of before is there as a whole";
    EXPECT_THAT(jobs.all, SizeIs(1));
    EXPECT_EQ(again.engine->steps_done(), 100);
    again.run(steps(200));
    EXPECT_THAT(jobs.all, SizeIs(2));
}

TEST_F(ModelSystem, RefusesAnotherStartAtTheNextStart) {
    {
        Program program(*this, jobs);
        program.prepare(*this, 0);
    }
    Program again(*this, jobs);
    const Error error = error_of([&] { again.prepare(*this, 1); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error.what(), HasSubstr("start.trr"));
}

TEST_F(ModelSystem, KeepsTheModelThatItHasRunWith) {
    {
        Program program(*this, jobs);
        program.prepare(*this);
    }
    model.dynamics.friction = 2.0;
    {
        Program program(*this, jobs);
        program.prepare(*this);
        program.run(steps(100));
    }
    model.dynamics.friction = 3.0;
    Program again(*this, jobs);
    again.prepare(*this);
    EXPECT_THAT(read_text_file(at("campaign/walkers/003/md.toml")), HasSubstr("friction = 2"));
}

TEST_F(ModelSystem, WalkersHaveNoiseOfTheirOwn) {
    const auto end_of = [&](const std::string& name, std::uint64_t seed) {
        fs::remove_all(at("campaign"));
        Program program(*this, jobs, seed);
        program.engine = program.system->engine(name);
        program.prepare(*this);
        program.run(steps(100));
        return program.engine->trajectory().frame(-1).positions;
    };
    const auto first = end_of("walkers/003", 1);
    EXPECT_EQ(end_of("walkers/003", 1), first);
    EXPECT_NE(end_of("walkers/004", 1), first);
    EXPECT_NE(end_of("walkers/003", 2), first);
}

TEST_F(ModelSystem, HasVelocitiesDrawnForItsMassAndKeepsTheDrift) {
    const Program program(*this, jobs);
    const VelocityRules rules = program.engine->velocity_rules();
    EXPECT_THAT(rules.masses_amu, ElementsAre(4.0));
    EXPECT_TRUE(rules.keep_centre_of_mass_motion);
}

TEST_F(ModelSystem, GivesTheProgramsOwnWordsWhenItFails) {
    Program program(*this, jobs);
    program.prepare(*this);
    jobs.instead = exit_with(1, "error: the disk is full");
    const Error error = error_of([&] { program.run(steps(100)); });
    EXPECT_EQ(error.kind(), ErrorKind::job);
    EXPECT_THAT(error.what(), HasSubstr("the disk is full"));
}

TEST_F(ModelSystem, ChecksWhatItStartsFrom) {
    Program(*this, jobs).system->check();
    model.potential = Formula("1/(x+1)^2");
    const Error error = error_of([&] { Program(*this, jobs).system->check(); });
    EXPECT_THAT(error.what(), HasSubstr("(-1, 0)"));
}

TEST_F(ModelSystem, RefusesAStartWithoutVelocities) {
    Program program(*this, jobs);
    task<void> body = program.engine->prepare(program.system->structure(), 0);
    const Error error = error_of([&] { program.context.run(std::move(body)); });
    EXPECT_THAT(error.what(), HasSubstr("no velocities"));
}

}  // namespace
}  // namespace coromd::engine::model
