// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The program without its command line; signals are in tests/functional/model_md_test.cpp.
#include "coromd/engine/model/model_md.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "coromd/core/file.hpp"
#include "coromd/trajectory/frame_writer.hpp"
#include "coromd/trajectory/trajectory.hpp"
#include "model/checkpoint.hpp"
#include "unit/core/fixtures.hpp"

namespace coromd::engine::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using trajectory::Trajectory;

class ModelMd : public TemporaryFolder {
protected:
    void SetUp() override {
        TemporaryFolder::SetUp();
        trajectory::Frame frame;
        frame.positions = {{-1.0F, 0.25F, 0.0F}, {1.0F, -0.5F, 0.0F}};
        frame.velocities = {{0.1F, 0.2F, 0.0F}, {0.0F, 0.0F, 0.0F}};
        trajectory::write_frame(at("start.trr"), frame);
        input.model.potential = DoubleWell{3.0, 1.0, 2.0};
        input.model.dynamics = {Integrator::baoab, 0.01, 1.0, 1.0, 1.0};
        input.model.nstout = 10;
        input.start = at("start.trr");
    }

    ModelMdOptions to(const std::string& deffnm, std::int64_t nsteps, const std::string& from = "") const {
        ModelMdOptions options;
        options.deffnm = at(deffnm).string();
        options.nsteps = nsteps;
        if (!from.empty()) options.checkpoint_in = at(from);
        return options;
    }
    std::string content(const std::string& name) const { return read_text_file(at(name)); }
    std::vector<std::int64_t> steps_of(const std::string& name) const {
        const Trajectory trajectory(at(name), {});
        std::vector<std::int64_t> steps;
        for (std::int64_t i = 0; i < trajectory.n_frames(); ++i) steps.push_back(trajectory.step(i));
        return steps;
    }

    RunInput input;
};

TEST_F(ModelMd, WritesWhatMdrunWould) {
    EXPECT_EQ(model_md(input, to("md", 35)), ModelMdEnd::done);
    EXPECT_THAT(names(), ElementsAre("md.cpt", "md.gro", "md.log", "md.trr", "start.trr"));
    EXPECT_THAT(steps_of("md.trr"), ElementsAre(0, 10, 20, 30));
    const Trajectory trajectory(at("md.trr"), at("md.gro"));
    EXPECT_EQ(trajectory.n_atoms(), 2);
    EXPECT_FLOAT_EQ(static_cast<float>(trajectory.time_ps(3)), 0.3F);
    EXPECT_EQ(trajectory.frame(0).positions, Trajectory(at("start.trr"), {}).frame(0).positions);
    EXPECT_EQ(trajectory.frame(0).velocities, Trajectory(at("start.trr"), {}).frame(0).velocities);
    EXPECT_EQ(trajectory.topology()->atoms()[1].name, "MOD");
    EXPECT_EQ(Checkpoint::read(at("md.cpt")).step, 35);
    EXPECT_EQ(Trajectory(at("md.gro"), at("md.gro")).step(0), 35);
    for (const char* line :
         {"\nStarted model-md ", "\nWriting checkpoint, step 35 at ", "\nFinished model-md "})
        EXPECT_THAT(content("md.log"), HasSubstr(line));
}

TEST_F(ModelMd, IsWhatASimulationGives) {
    model_md(input, to("md", 500));
    Simulation simulation(input.model.potential, input.model.dynamics, input.seed, input.first_particles());
    simulation.advance(500);
    EXPECT_EQ(Checkpoint::read(at("md.cpt")).particles, simulation.particles());
}

TEST_F(ModelMd, AppendsToTheSameBytesAsARunInOnePiece) {
    for (const Integrator integrator :
         {Integrator::overdamped, Integrator::baoab, Integrator::velocity_verlet}) {
        const std::string name(to_string(integrator));
        input.model.dynamics.integrator = integrator;
        model_md(input, to(name + "-one", 1000));
        model_md(input, to(name, 13));
        for (const std::int64_t more : {7, 300, 0, 680}) model_md(input, to(name, more, name + ".cpt"));
        EXPECT_EQ(content(name + ".trr"), content(name + "-one.trr"));
        EXPECT_EQ(content(name + ".gro"), content(name + "-one.gro"));
        EXPECT_EQ(Checkpoint::read(at(name + ".cpt")).particles,
                  Checkpoint::read(at(name + "-one.cpt")).particles);
    }
}

TEST_F(ModelMd, CutsOffWhatACrashLeftBehindTheCheckpoint) {
    model_md(input, to("one", 200));
    model_md(input, to("md", 100));
    std::ofstream(at("md.trr"), std::ios::app) << "half of a frame";
    model_md(input, to("md", 100, "md.cpt"));
    EXPECT_EQ(content("md.trr"), content("one.trr"));
}

TEST_F(ModelMd, NumbersPartsThatDoNotAppend) {
    ModelMdOptions options = to("md", 25);
    options.append = false;
    model_md(input, options);
    options.checkpoint_in = at("md.cpt");
    model_md(input, options);
    model_md(input, options);
    EXPECT_THAT(steps_of("md.part0001.trr"), ElementsAre(0, 10, 20));
    EXPECT_THAT(steps_of("md.part0002.trr"), ElementsAre(30, 40, 50));
    EXPECT_THAT(steps_of("md.part0003.trr"), ElementsAre(50, 60, 70)) << "the frame at the border is in both";
    EXPECT_THAT(names(),
                testing::IsSupersetOf({"md.part0003.gro", "md.part0003.log", "md.cpt", "md_prev.cpt"}));

    model_md(input, to("one", 75));
    const Trajectory parts({at("md.part0001.trr"), at("md.part0002.trr"), at("md.part0003.trr")}, {});
    const Trajectory one(at("one.trr"), {});
    ASSERT_EQ(parts.n_frames(), one.n_frames());
    for (std::int64_t i = 0; i < one.n_frames(); ++i)
        EXPECT_EQ(parts.frame(i).positions, one.frame(i).positions);
}

TEST_F(ModelMd, GoesAsFarAsTheInputSays) {
    input.nsteps = 40;
    ModelMdOptions options = to("md", 0);
    options.nsteps.reset();
    EXPECT_EQ(model_md(input, options), ModelMdEnd::done);
    EXPECT_EQ(Checkpoint::read(at("md.cpt")).step, 40);
    options.checkpoint_in = at("md.cpt");
    model_md(input, options);
    EXPECT_EQ(Checkpoint::read(at("md.cpt")).step, 40) << "they are done";
}

TEST_F(ModelMd, ComesAFrameFurtherInNoTimeAtAll) {
    ModelMdOptions options = to("md", -1);
    options.max_hours = 0.0;
    EXPECT_EQ(model_md(input, options), ModelMdEnd::out_of_time);
    const std::int64_t step = Checkpoint::read(at("md.cpt")).step;
    EXPECT_GE(step, 10);
    EXPECT_EQ(step % 10, 0);
    EXPECT_FALSE(names().contains("md.gro"));
    EXPECT_THAT(content("md.log"), HasSubstr("Run time exceeded"));
}

TEST_F(ModelMd, WritesXtc) {
    input.model.output = OutputFormat::xtc;
    model_md(input, to("md", 20));
    const Trajectory trajectory(at("md.xtc"), {});
    EXPECT_EQ(trajectory.n_frames(), 3);
    EXPECT_FALSE(trajectory.frame(0).has_velocities());
    EXPECT_NEAR(trajectory.frame(0).positions[0].y, 0.25F, 1e-3);
}

TEST_F(ModelMd, WritesCheckpointsOnTheWay) {
    ModelMdOptions options = to("md", 50'000);
    options.checkpoint_minutes = 1e-9;
    model_md(input, options);
    const std::int64_t before = Checkpoint::read(at("md_prev.cpt")).step;
    EXPECT_GT(before, 0);
    EXPECT_LT(before, 50'000);
    EXPECT_EQ(before % 10, 0);

    // What a crash leaves, at the checkpoint before the last.
    model_md(input, to("one", 50'000));
    model_md(input, to("md", 50'000 - before, "md_prev.cpt"));
    EXPECT_EQ(content("md.trr"), content("one.trr"));
}

TEST_F(ModelMd, LeavesFilesThatAreThereAlone) {
    write_file_durably(at("md.trr"), "mine");
    const Error error = error_of([&] { model_md(input, to("md", 10)); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("md.trr"));
    EXPECT_EQ(content("md.trr"), "mine");
}

TEST_F(ModelMd, AppendsToNothingThatIsMissingOrShorter) {
    model_md(input, to("md", 100));
    write_file_durably(at("md.trr"), "short");
    EXPECT_THAT(error_of([&] { model_md(input, to("md", 10, "md.cpt")); }).what(), HasSubstr("it has 5"));
    EXPECT_EQ(content("md.trr"), "short");
    EXPECT_EQ(error_of([&] { model_md(input, to("other", 10, "md.cpt")); }).kind(), ErrorKind::usage);
}

TEST_F(ModelMd, RefusesTheCheckpointOfAnotherRun) {
    model_md(input, to("md", 100));
    input.model.dynamics.kt = 1.1;
    EXPECT_EQ(error_of([&] { model_md(input, to("md", 10, "md.cpt")); }).kind(), ErrorKind::conflict);
}

TEST_F(ModelMd, SaysInItsLogWhyItFailed) {
    input.model.potential = Harmonic{{-5.0, -5.0}, {}};
    EXPECT_EQ(error_of([&] { model_md(input, to("md", 100'000)); }).kind(), ErrorKind::input);
    EXPECT_THAT(content("md.log"), HasSubstr("Error: particle"));
    EXPECT_THAT(content("md.log"), testing::Not(HasSubstr("Finished")));
}

}  // namespace
}  // namespace coromd::engine::model
