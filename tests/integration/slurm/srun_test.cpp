// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A program that runs inside of a job on two nodes, and its jobs as steps of that.
#include <set>

#include "integration/slurm/real_cluster.hpp"

namespace coromd::queue {
namespace {

using namespace test;

using SlurmSteps = RealCluster;

TEST_F(SlurmSteps, FillAllNodesOfTheirAllocation) {
    constexpr int kJobs = 12;
    write_file(temporary_.path() / "settings.toml",
               "agent = \"" COROMD_PROGRAM "\"\n[queues.cluster]\nkind = \"srun\"\n");
    const std::string folder = temporary_.path().string();
    context_.run(
        shell(context_, "sbatch --wait --nodes=2 --ntasks-per-node=2 --time=5 --chdir='" + folder +
                            "' --output=said --wrap='exec " COROMD_PLAIN_JOBS " settings.toml campaign " +
                            std::to_string(kJobs) + "' || { cat '" + folder + "/said' >&2; false; }"));
    std::set<std::string> nodes;
    for (int i = 0; i < kJobs; ++i)
        nodes.insert(read_text_file(temporary_.path() / "campaign" / "jobs" / ("job" + std::to_string(i))));
    EXPECT_EQ(nodes.size(), 2u);
    const std::string runs = read_text_file(temporary_.path() / "campaign" / "runs");
    EXPECT_EQ(std::ranges::count(runs, '\n'), kJobs);
}

}  // namespace
}  // namespace coromd::queue
