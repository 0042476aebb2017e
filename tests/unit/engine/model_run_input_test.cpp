// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/engine/model/run_input.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "coromd/core/file.hpp"
#include "coromd/core/units.hpp"
#include "coromd/trajectory/frame_writer.hpp"
#include "unit/core/fixtures.hpp"
#include "unit/engine/model_fixtures.hpp"

namespace coromd::engine::model {
namespace {

using testing::HasSubstr;

const std::string kGood =
    "integrator = 'baoab'\ndt = 0.02\nfriction = 2.5\ntemperature = 300\nstart = 'start.trr'\n"
    "[potential]\nkind = 'double_well'\nheight = 5\n[bias]\nkx = 7\nx = 0.1\n";

class ModelRunInput : public TemporaryFolder {
protected:
    void SetUp() override {
        TemporaryFolder::SetUp();
        write_start({{0.5F, 0.25F, 0.0F}}, {{1.0F, -2.0F, 3.0F}});
    }

    void write_start(std::vector<trajectory::Vec3f> positions,
                     std::vector<trajectory::Vec3f> velocities) const {
        trajectory::Frame frame;
        frame.positions = std::move(positions);
        frame.velocities = std::move(velocities);
        trajectory::WriteOptions options;
        options.overwrite = true;
        trajectory::write_frame(at("start.trr"), frame, options);
    }

    RunInput read(const std::string& text) const {
        const TomlText settings(text, at("run.toml").string());
        return RunInput::read(settings.top);
    }
    /// Of kGood with one line replaced.
    std::string complaint(const std::string& line, const std::string& by) const {
        std::string text = kGood;
        text.replace(text.find(line), line.size(), by);
        const Error error = error_of([&] { read(text); });
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.what(), HasSubstr("run.toml:"));
        return error.what();
    }
};

TEST_F(ModelRunInput, ReadsWhatIsWritten) {
    const RunInput input = read(kGood);
    EXPECT_EQ(input.model.dynamics.integrator, Integrator::baoab);
    EXPECT_EQ(input.model.dynamics.dt_ps, 0.02);
    EXPECT_EQ(input.model.dynamics.kt, 300.0 * units::kBoltzmann);
    EXPECT_EQ(input.model.dynamics.friction, 2.5);
    EXPECT_EQ(input.model.dynamics.mass, 1.0);
    EXPECT_EQ(input.model.nstout, 100);
    EXPECT_EQ(input.model.extension(), ".trr");
    EXPECT_EQ(input.model.bias->k, (Vec2{7.0, 0.0}));
    EXPECT_EQ(input.seed, 1U);
    EXPECT_EQ(input.nsteps, std::nullopt);
    EXPECT_EQ(input.first_particles(), (std::vector<Particle>{{{0.5, 0.25}, {1.0, -2.0}}}));
}

TEST_F(ModelRunInput, ReadsBackAsTheSame) {
    RunInput input = read(kGood + "y = 0.30000000000000004\nky = 1e-7\n");
    input.start_content = fingerprint_file(input.start);
    input.seed = (std::uint64_t{1} << 63) - 1;
    input.nsteps = 1'000'000'000'000;
    const RunInput again = read(input.to_toml());
    EXPECT_EQ(again.to_toml(), input.to_toml());
    EXPECT_EQ(again.identity(), input.identity());
    EXPECT_EQ(again.model.bias->centre.y, 0.30000000000000004);
    EXPECT_EQ(again.model.dynamics.kt, input.model.dynamics.kt);
    EXPECT_EQ(again.seed, input.seed);
    EXPECT_EQ(again.nsteps, input.nsteps);
}

TEST_F(ModelRunInput, IdentityIsWhatTheDynamicsDependOn) {
    const RunInput input = read(kGood);
    RunInput other = input;
    other.nsteps = 5;
    EXPECT_EQ(other.identity(), input.identity());
    other.seed = 2;
    EXPECT_NE(other.identity(), input.identity());
    other = input;
    other.model.bias->k.x += 1e-12;
    EXPECT_NE(other.identity(), input.identity());
    write_start({{0.5F, 0.125F, 0.0F}}, {});
    EXPECT_NE(input.identity(), other.identity()) << "the start has changed";
}

TEST_F(ModelRunInput, NoticesAnotherStart) {
    RunInput input = read(kGood);
    input.start_content = fingerprint_file(input.start);
    write_start({{0.5F, 0.125F, 0.0F}}, {{0.0F, 0.0F, 0.0F}});
    const Error error = error_of([&] { input.first_particles(); });
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr("start.trr"));
}

TEST_F(ModelRunInput, NeedsVelocitiesOnlyWhereTheyCount) {
    write_start({{0.5F, 0.125F, 0.0F}}, {});
    RunInput input = read(kGood);
    EXPECT_THAT(error_of([&] { input.first_particles(); }).what(), HasSubstr("velocities"));
    input.model.dynamics.integrator = Integrator::overdamped;
    EXPECT_EQ(input.first_particles().front().velocity, Vec2{});
}

TEST_F(ModelRunInput, ComplainsWithTheLine) {
    EXPECT_THAT(complaint("'baoab'", "'leapfrog'"), HasSubstr("velocity_verlet"));
    EXPECT_THAT(complaint("dt = 0.02", "dt = -1"), HasSubstr("dt"));
    EXPECT_THAT(complaint("temperature = 300", "temperature = 300\nkt = 1"), HasSubstr("once"));
    EXPECT_THAT(complaint("temperature = 300\n", ""), HasSubstr("temperature"));
    EXPECT_THAT(complaint("friction", "fraction"), HasSubstr("fraction"));
    EXPECT_THAT(complaint("start.trr", "gone.trr"), HasSubstr("gone.trr"));
    EXPECT_THAT(complaint("friction", "nstout = 0\nfriction"), HasSubstr("nstout"));
    EXPECT_THAT(complaint("friction", "start_content = 'zz'\nfriction"), HasSubstr("fingerprint"));
    EXPECT_THAT(complaint("friction", "output = 'pdb'\nfriction"), HasSubstr("xtc"));
    EXPECT_THAT(complaint("friction", "seed = -4\nfriction"), HasSubstr("seed"));
    EXPECT_THAT(complaint("kx = 7", "kz = 7"), HasSubstr("kz"));
    EXPECT_THAT(complaint("friction = 2.5", "friction = nan"), HasSubstr("friction"));
}

}  // namespace
}  // namespace coromd::engine::model
