// SPDX-License-Identifier: LGPL-3.0-or-later
//
// coromd run on a real cluster with real GROMACS: killed in the middle, started again.
#include <csignal>
#include <fstream>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "coromd/trajectory/trajectory.hpp"
#include "integration/coromd_run.hpp"
#include "integration/slurm/real_cluster.hpp"

namespace coromd {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using queue::test::RealCluster;
using queue::test::submissions;
using testing::Each;
using testing::Pair;

class SlurmCampaign : public RealCluster {
protected:
    SlurmCampaign() {
        const fs::path example = COROMD_ALANINE_EXAMPLE;
        fs::create_directory_symlink(COROMD_ALANINE, folder_ / "system");
        fs::copy_file(example / "md.mdp", folder_ / "md.mdp");
        std::string text = read_text_file(example / "campaign.toml");
        replace(text, "mdp = \"md.mdp\"",
                "mdp = \"md.mdp\"\nqueue = \"cluster\"\nmdrun_arguments = [\"-ntmpi\", \"1\"]");
        replace(text, "[queues.local]",
                "[queues.cluster]\nkind = \"slurm\"\npoll = \"1 s\"\njob_name = \"" + name_ +
                    "\"\n\n[queues.local]");
        replace(text, "count = 8", "count = 2");
        replace(text, "max_steps = 20000", "max_steps = 1000");
        std::ofstream(folder_ / "campaign.toml") << text;
    }

    static void replace(std::string& text, const std::string& what, const std::string& by) {
        const auto at = text.find(what);
        ASSERT_NE(at, std::string::npos) << what;
        text.replace(at, what.size(), by);
    }

    pid_t start() const { return test::start_coromd_run(folder_); }

    static int wait(pid_t pid) { return test::exit_code_of(pid); }

    const fs::path folder_ = temporary_.path();
    const std::string name_ = "campaign" + std::to_string(::getpid());
};

TEST_F(SlurmCampaign, SurvivesSigkill) {
    const pid_t first = start();
    const std::string running =
        "ls '" + folder_.string() + "'/alanine.campaign/walkers/*/md.part0001.attempt1/*.xtc";
    context_.run(queue::test::until(context_, running));
    ::kill(first, SIGKILL);
    ASSERT_EQ(wait(first), 128 + SIGKILL);

    ASSERT_EQ(wait(start()), 0) << read_text_file(folder_ / "stderr");
    const json result = json::parse(read_text_file(folder_ / "stdout"));
    EXPECT_EQ(result.at("failed"), 0);
    for (int number = 0; number < 2; ++number) {
        const fs::path walker = folder_ / "alanine.campaign/walkers" / ("00" + std::to_string(number));
        const trajectory::Trajectory until(walker / "until.xtc", COROMD_ALANINE "/start.gro");
        for (std::int64_t i = 0; i < until.n_frames(); ++i) ASSERT_EQ(until.step(i), 20 * i) << walker;
        // The first attempt at the first part is the one that counts.
        EXPECT_FALSE(fs::exists(walker / "md.part0001.attempt2"));
    }
    const std::string seen =
        context_.run(queue::test::shell(context_, "squeue -h -r -t all -o '%i|%j' | grep '|" + name_ + "-'"));
    EXPECT_THAT(submissions(seen), Each(Pair(testing::_, 1))) << seen;
}

}  // namespace
}  // namespace coromd
