// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A sample of the kills with a real SLURM: those around a submission, and in the agent's last moments.
#include <string>

#include <gmock/gmock.h>

#include "harness.hpp"

namespace coromd::crash {
namespace {

class RealSlurm : public CrashTest, public testing::WithParamInterface<const char*> {
protected:
    RealSlurm() {
        environment_["SLURM_CONF"] = COROMD_SLURM_CONF;
        Workload workload = scripts_on("slurm");
        workload.slurm = false;
        const std::string commands = "commands = \"cluster/bin\"\n";
        workload.settings.erase(workload.settings.find(commands), commands.size());
        prepare(workload);
    }
};

TEST_P(RealSlurm, GoesOnAfterAKill) {
    passages();
    const std::string expected = result();
    EXPECT_NE(expected, "");
    clear();
    const std::string point = GetParam();
    EXPECT_TRUE(run_until({point, 2}));
    const Ended ended = run();
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    expect_promise(expected, point.starts_with("run.") ? Died::program : Died::agent);
}

INSTANTIATE_TEST_SUITE_P(, RealSlurm,
                         testing::Values("run.slurm.intended", "run.slurm.submit", "run.slurm.submitted",
                                         "run.slurm.recorded", "run.queue.ended", "agent.spool.claimed",
                                         "agent.supervise.described"),
                         [](const auto& info) {
                             std::string name = info.param;
                             for (char& c : name) c = c == '.' ? '_' : c;
                             return name;
                         });

}  // namespace
}  // namespace coromd::crash
