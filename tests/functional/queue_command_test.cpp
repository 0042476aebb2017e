// SPDX-License-Identifier: LGPL-3.0-or-later
//
// coromd queue list, check and jobs.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "program.hpp"

namespace coromd::functional {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class QueueCommand : public CampaignTest {
protected:
    QueueCommand() {
        write("queues.toml",
              "[queues.local]\ncores = 3\n[queues.cluster]\nkind = 'slurm'\ncommands = 'cluster/bin'\n");
    }
    ~QueueCommand() override {
        if (fs::exists(folder_ / "cluster")) fake_slurm("stop");
    }
    void fake_slurm(const std::string& command, const std::string& options = "") const {
        const std::string line = std::string(COROMD_FAKE_SLURM) + " " + command + " '" +
                                 (folder_ / "cluster").string() + "' " + options + " >&2";
        ASSERT_EQ(std::system(line.c_str()), 0) << line;
    }
    /// What a check leaves in the folder where it was called.
    bool anything_left() const {
        for (const auto& entry : fs::directory_iterator(folder_))
            if (entry.path().filename().string().starts_with("coromd-queue-check")) return true;
        return false;
    }
};

TEST_F(QueueCommand, ListPrintsWhatIsSetUp) {
    EXPECT_THAT(coromd({"queue", "list"}).out, HasSubstr("local            local"));
    const Ended text = coromd({"queue", "list", "--config", "queues.toml"});
    EXPECT_THAT(text.out, AllOf(HasSubstr("cores = 3"), HasSubstr("cluster          slurm")));
    const json queues = json::parse(coromd({"queue", "list", "-c", "queues.toml", "--json"}).out);
    EXPECT_EQ(queues.at("cluster").at("kind"), "slurm");
    EXPECT_EQ(queues.at("local").at("cores"), 3);
}

TEST_F(QueueCommand, CheckRunsATinyJobThroughEach) {
    fake_slurm("setup", "--nodes 2 --gpus-per-node 2");
    const Ended text = coromd({"queue", "check", "-c", "queues.toml"});
    EXPECT_EQ(text.exit_code, 0) << text.err;
    EXPECT_THAT(text.out, AllOf(HasSubstr("local: works"), HasSubstr("cluster: works"), HasSubstr("22.05"),
                                HasSubstr("2 nodes"), HasSubstr("gpu:2"), HasSubstr("as job 1"),
                                HasSubstr("KillWait")));
    EXPECT_FALSE(anything_left());
    const json checks = json::parse(coromd({"queue", "check", "cluster", "-c", "queues.toml", "--json"}).out);
    ASSERT_EQ(checks.size(), 1u);
    EXPECT_EQ(checks[0].at("works"), true);
    EXPECT_EQ(checks[0].at("scheduler_job"), "2");
    EXPECT_GE(checks[0].at("seen_after_s").get<double>(), 0.0);
}

TEST_F(QueueCommand, CheckTellsWhatDoesNotWorkAndWhatToDo) {
    const Ended text = coromd({"queue", "check", "-c", "queues.toml"});
    EXPECT_EQ(text.exit_code, 1);
    EXPECT_THAT(text.out, AllOf(HasSubstr("local: works"), HasSubstr("cluster: does not work"),
                                HasSubstr("hint: scontrol does not work"), HasSubstr("'commands'")));
    const json checks = json::parse(coromd({"queue", "check", "-c", "queues.toml", "--json"}).out);
    EXPECT_EQ(checks[0].at("works"), false);
    EXPECT_THAT(checks[0].at("hints")[0].get<std::string>(), HasSubstr("scontrol"));
}

TEST_F(QueueCommand, CheckTellsThatTheControllerIsDown) {
    fake_slurm("setup");
    fake_slurm("faults", "controller_down.scontrol=always");
    const Ended text = coromd({"queue", "check", "cluster", "-c", "queues.toml"});
    EXPECT_EQ(text.exit_code, 1);
    EXPECT_THAT(text.out, HasSubstr("hint: SLURM's controller does not answer"));
}

TEST_F(QueueCommand, MistakesAreToldBeforeAnythingIsMade) {
    const Ended unknown = coromd({"queue", "check", "fast", "-c", "queues.toml"});
    EXPECT_EQ(unknown.exit_code, 2);
    EXPECT_THAT(unknown.err, AllOf(HasSubstr("'fast'"), HasSubstr("cluster, local")));
    write("bad.toml", "[queues.cluster]\nkind = 'slurm'\nmax_job = 3\n");
    const Ended bad = coromd({"queue", "check", "-c", "bad.toml"});
    EXPECT_EQ(bad.exit_code, 2);
    EXPECT_THAT(bad.err, AllOf(HasSubstr("bad.toml:3:1"), HasSubstr("max_jobs")));
    write("bad.toml", "[queues.cluster]\nkind = 'slurm'\n[queues.cluster.options]\noutput = 'x'\n");
    EXPECT_THAT(coromd({"queue", "check", "-c", "bad.toml"}).err,
                AllOf(HasSubstr("bad.toml:4:1"), HasSubstr("cannot be set"), HasSubstr("own directory")));
    EXPECT_FALSE(anything_left());
}

TEST_F(QueueCommand, JobsOfACampaignAreListed) {
    environment_["FAKE_GMX_MISBEHAVE"] = "mdrun walkers/001 fail";
    coromd({"run", "campaign.toml"});
    const Ended all = coromd({"queue", "jobs", "turn.campaign"});
    EXPECT_EQ(all.exit_code, 0) << all.err;
    EXPECT_THAT(all.out, AllOf(HasSubstr("walkers/000/grompp"), HasSubstr("finished"), HasSubstr("failed")));
    const Ended failed = coromd({"queue", "jobs", "turn.campaign", "--state", "failed", "--json"});
    const json rows = json::parse(failed.out);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].at("key"), "walkers/001/md.part0001");
    EXPECT_EQ(coromd({"queue", "jobs", "turn.campaign", "--state", "fine"}).exit_code, 2);
    EXPECT_EQ(coromd({"queue", "jobs", "nowhere"}).exit_code, 2);
}

TEST_F(QueueCommand, HelpHasExamples) {
    for (const char* command : {"list", "check", "jobs"}) {
        const Ended help = coromd({"queue", command, "--help"});
        EXPECT_EQ(help.exit_code, 0);
        EXPECT_THAT(help.out, HasSubstr("Examples:"));
    }
    EXPECT_EQ(coromd({"queue"}).exit_code, 2);
}

}  // namespace
}  // namespace coromd::functional
