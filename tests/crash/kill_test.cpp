// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The program, or an agent beside a job, dies before and after each durable step and each effect outside.
#include <cstdio>
#include <ostream>

#include "harness.hpp"

namespace coromd::crash {
namespace {

struct Where {
    Workload workload;
    std::string process;
};

void PrintTo(const Where& where, std::ostream* out) {
    *out << where.workload.name << ' ' << where.process;
}

class KilledEverywhere : public CrashTest, public testing::WithParamInterface<Where> {};

TEST_P(KilledEverywhere, GoesOnAsIfNothingHadHappened) {
    prepare(GetParam().workload);
    const int kills = kill_everywhere(GetParam().process, COROMD_CRASH_SAMPLE);
    EXPECT_GT(kills, 5);
    RecordProperty("kills", kills);
    std::printf("%d kills\n", kills);
}

std::vector<Where> places() {
    if (COROMD_CRASH_SAMPLE) return {{scripts_on("local"), "run."}, {scripts_on("local"), "agent."}};
    return {{scripts_on("local"), "run."},
            {scripts_on("local"), "agent."},
            {scripts_on("slurm"), "run."},
            {scripts_on("slurm"), "agent."},
            {committor(), "run."},
            {committor(), "agent."},
            {model(), "run."},
            {model(), "agent."}};
}

INSTANTIATE_TEST_SUITE_P(, KilledEverywhere, testing::ValuesIn(places()), [](const auto& info) {
    const Where& where = info.param;
    return where.workload.name + "_" + where.process.substr(0, where.process.size() - 1);
});

}  // namespace
}  // namespace coromd::crash
