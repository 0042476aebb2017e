// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The program `coromd model-md`, and campaigns on it: stopped, killed, started again. What a run comes to
// does not depend on any of this, to the last bit.
#include <csignal>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "coromd/trajectory/trajectory.hpp"
#include "program.hpp"

namespace coromd::functional {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using trajectory::Trajectory;

constexpr const char* kParticle =
    "one particle\n    1\n    1MOD    MOD    1  -1.000   0.000   0.000\n   0.00000   0.00000   0.00000\n";

class ModelMd : public CampaignTest {
protected:
    ModelMd() { write("particle.gro", kParticle); }

    void write_input(int nstout) const {
        write("md.toml",
              "integrator = \"overdamped\"\ndt = 0.0005\nkt = 1\nstart = \"particle.gro\"\nnstout = " +
                  std::to_string(nstout) + "\n\n[potential]\nkind = \"double_well\"\nheight = 3\n");
    }
    std::int64_t last_step(const std::string& file) const {
        return Trajectory(folder_ / file, {}).last_step();
    }
    Ended model_md(const std::string& more) const {
        return shell("exec \"$COROMD\" model-md -s md.toml -deffnm " + more);
    }
};

TEST_F(ModelMd, StopsAtAFrameOnSigtermAndGoesOnToTheBit) {
    write_input(5000);
    for (const int signal : {SIGTERM, SIGINT}) {
        const std::string name = signal == SIGTERM ? "term" : "int";
        const pid_t pid = start({"model-md", "-s", "md.toml", "-deffnm", name, "-nsteps", "-1"});
        await(name + ".log", "Started model-md");
        ::kill(pid, signal);
        const Ended stopped = wait(pid);
        EXPECT_EQ(stopped.exit_code, 130) << stopped.err;
        EXPECT_THAT(read(name + ".log"),
                    HasSubstr(signal == SIGTERM ? "Received the TERM signal, stopping at the next"
                                                : "Received the INT signal, stopping at the next"));
        EXPECT_THAT(read(name + ".log"), HasSubstr("Finished model-md"));
        EXPECT_FALSE(fs::exists(folder_ / (name + ".gro")));
        const std::int64_t step = last_step(name + ".trr");
        EXPECT_THAT(read(name + ".log"), HasSubstr("Writing checkpoint, step " + std::to_string(step) + " "));

        EXPECT_EQ(model_md(name + " -cpi " + name + ".cpt -nsteps 10000").exit_code, 0);
        EXPECT_EQ(model_md(name + "-one -nsteps " + std::to_string(step + 10000)).exit_code, 0);
        EXPECT_EQ(read(name + ".trr"), read(name + "-one.trr"));
        EXPECT_EQ(read(name + ".gro"), read(name + "-one.gro"));
    }
}

TEST_F(ModelMd, StopsAtOnceOnASecondSignal) {
    write_input(2'000'000'000);
    const pid_t pid = start({"model-md", "-s", "md.toml", "-deffnm", "md"});
    await("md.log", "Started model-md");
    ::kill(pid, SIGTERM);
    await("md.log", "Received the TERM signal, stopping at the next frame");
    ::kill(pid, SIGTERM);
    EXPECT_EQ(wait(pid).exit_code, 130);
    EXPECT_THAT(read("md.log"), HasSubstr("Received the TERM signal, stopping at once"));
    EXPECT_EQ(last_step("md.trr"), 0);
    EXPECT_EQ(model_md("md -cpi md.cpt -nsteps 100").exit_code, 0);
}

TEST_F(ModelMd, GoesOnFromACheckpointAfterSigkill) {
    write_input(1000);
    const pid_t pid = start({"model-md", "-s", "md.toml", "-deffnm", "md", "-cpt", "0.00001"});
    await("md_prev.cpt", "coromd model cpt");
    ::kill(pid, SIGKILL);
    EXPECT_EQ(wait(pid).exit_code, 128 + SIGKILL);
    const Ended resumed = model_md("md -cpi md.cpt -nsteps 1000");
    ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
    EXPECT_EQ(model_md("one -nsteps " + std::to_string(last_step("md.trr"))).exit_code, 0);
    EXPECT_EQ(read("md.trr"), read("one.trr"));
}

TEST_F(ModelMd, SaysWhatIsWrong) {
    write_input(100);
    Ended ended = coromd({"model-md"});
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.err, HasSubstr("-s is required"));
    ended = coromd({"model-md", "-s", "gone.toml"});
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.err, HasSubstr("gone.toml"));
    ended = model_md("md -cpi gone.cpt");
    EXPECT_EQ(ended.exit_code, 1);
    EXPECT_THAT(ended.err, HasSubstr("gone.cpt"));
    write("bad.cpt", "coromd model cpt and nothing else");
    ended = model_md("md -cpi bad.cpt");
    EXPECT_EQ(ended.exit_code, 1);
    EXPECT_THAT(ended.err, HasSubstr("bad.cpt"));
    write("md.toml", read("md.toml") + "hight = 4\n");
    ended = model_md("md");
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.err, HasSubstr("did you mean"));
    EXPECT_FALSE(fs::exists(folder_ / "md.log"));
}

constexpr const char* kCampaign = R"([campaign]
name = "wells"
kind = "committor"
seed = 7

[engine]
kind = "model"
structure = "particle.gro"
integrator = "baoab"
dt = 0.005
kt = 1
nstout = 5000

[engine.potential]
kind = "double_well"
height = 6

[queues.local]
cores = 2

[variables]
x = 'x("index 0")'

[states]
far_left = "x < -2.2"
right = "x > 1.6"

[walkers]
count = 4
temperature = 120
max_steps = 10000000
slice = "50 ms"
)";

class ModelCampaign : public ModelMd {
protected:
    ModelCampaign() { write("campaign.toml", kCampaign); }

    /// What of a result depends on nothing but the seed.
    json outcome_of(const std::string& directory) const {
        const Ended ended = coromd({"run", "campaign.toml", "--json", "-d", directory});
        EXPECT_EQ(ended.exit_code, 0) << ended.err;
        json result = json::parse(ended.out, nullptr, false);
        if (result.is_discarded()) return {};
        for (json& walker : result["walkers"])
            for (const char* key : {"parts", "wall_seconds", "trajectory"}) walker.erase(key);
        return result;
    }
    void expect_same_trajectories(const std::string& a, const std::string& b) const {
        for (const char* walker : {"000", "001", "002", "003"}) {
            const std::string file = std::string("/walkers/") + walker + "/until.trr";
            ASSERT_FALSE(read(a + file).empty());
            EXPECT_EQ(read(a + file), read(b + file)) << walker;
        }
    }
};

TEST_F(ModelCampaign, WalkersThatWereBegunKeepAModelThatIsChanged) {
    const pid_t pid = start({"run", "campaign.toml", "-d", "other"});
    await("other/walkers/000/md.part0001.log", "\n");
    ::kill(pid, SIGKILL);
    wait(pid);
    const std::string before = read("other/walkers/000/md.toml");
    std::string changed = read("campaign.toml");
    changed.replace(changed.find("height = 6"), 10, "height = 5");
    write("campaign.toml", changed.replace(changed.find("count = 4"), 9, "count = 5"));
    EXPECT_EQ(coromd({"run", "campaign.toml", "-d", "other"}).exit_code, 2);
    const Ended ended = coromd({"run", "campaign.toml", "-d", "other", "--changed", "go-on"});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(read("other/walkers/000/md.toml"), before);
    EXPECT_THAT(read("other/walkers/004/md.toml"), HasSubstr("height = 5"));
    EXPECT_EQ(coromd({"run", "campaign.toml", "-d", "other"}).exit_code, 0);
}

TEST_F(ModelCampaign, ComesToTheSameHoweverOftenItIsKilled) {
    const json wanted = outcome_of("alone");
    for (const int signal : {SIGKILL, SIGINT, SIGKILL}) {
        const pid_t pid = start({"run", "campaign.toml", "-d", "other"});
        await("other/coromd.log", "session begins, process " + std::to_string(pid));
        // In the middle of MD, unless all is done already.
        await("stderr", "walkers/");
        ::kill(pid, signal);
        EXPECT_THAT(wait(pid).exit_code, testing::AnyOf(0, 130, 128 + SIGKILL));
    }
    EXPECT_EQ(outcome_of("other"), wanted);
    expect_same_trajectories("alone", "other");
}

TEST_F(ModelCampaign, KnowsWhatIsDone) {
    const json wanted = outcome_of("alone");
    const auto modified = fs::last_write_time(folder_ / "alone/walkers/000/md.part0001.trr");
    EXPECT_EQ(outcome_of("alone"), wanted);
    EXPECT_EQ(fs::last_write_time(folder_ / "alone/walkers/000/md.part0001.trr"), modified);
}

TEST_F(ModelCampaign, RefusesAnotherPotential) {
    outcome_of("alone");
    std::string text = kCampaign;
    text.replace(text.find("height = 6"), 10, "height = 5");
    write("campaign.toml", text);
    const Ended ended = coromd({"run", "campaign.toml", "-d", "alone"});
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.err, HasSubstr("'model' has changed"));
    EXPECT_THAT(ended.err, HasSubstr("+ height = 5"));
}

// From x = -0.1 the exact probability of the right well is 0.3358: the integral of exp(V) from -1 to -0.1
// over that from -1 to 1.
TEST_F(ModelCampaign, OfTheExampleGivesTheExactCommittor) {
    const Ended ended = coromd(
        {"run", std::string(COROMD_EXAMPLES) + "/double_well/campaign.toml", "--json", "-d", "double_well"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    const json right = json::parse(ended.out)["committor"]["right"];
    EXPECT_EQ(right["trials"], 64);
    EXPECT_LT(right["low"], 0.3358);
    EXPECT_GT(right["high"], 0.3358);
}

TEST_F(ModelCampaign, CanBeRehearsed) {
    const Ended ended = coromd({"run", "campaign.toml", "--dry-run", "-d", "alone"});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("particle.gro"));
    EXPECT_FALSE(fs::exists(folder_ / "alone"));
}

}  // namespace
}  // namespace coromd::functional
