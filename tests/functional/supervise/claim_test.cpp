// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Who may run an attempt: one agent, once, and none that was overtaken.
#include <chrono>

#include "agent.hpp"
#include "coromd/queue/attempt_files.hpp"

namespace coromd::functional {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

class Claim : public AgentTest {
protected:
    queue::ExitRecord ended(int restart, int exit_code, bool terminated) const {
        queue::ExitRecord record;
        record.key = job_.key;
        record.attempt = job_.attempt;
        record.exit.restart = restart;
        record.exit.exit_code = exit_code;
        record.exit.terminated = terminated;
        return record;
    }
};

TEST_F(Claim, OfManyAgentsOneRuns) {
    shell("echo ran >> ran");
    std::vector<pid_t> agents{start()};
    while (agents.size() < 20) agents.push_back(supervise({file(queue::kJobFile).string()}));
    for (const pid_t agent : agents) EXPECT_EQ(wait(agent), 0);
    EXPECT_EQ(read(file("ran")), "ran\n");
    shell("echo late >> ran; exit 3");
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(read(file("ran")), "ran\n");
    EXPECT_EQ(record().exit.exit_code, 0);
}

TEST_F(Claim, WhoIsOvertakenKillsItsProgramAndSaysNothing) {
    probe({"deaf"});
    job_.heartbeat = 20ms;
    const pid_t agent = start();
    await(file("md.log"), "ready");
    ASSERT_TRUE(spool_.claim(queue::run_id(job_.key, 2), queue::this_process()));
    EXPECT_EQ(wait(agent), 0);
    EXPECT_FALSE(has_record());
    EXPECT_EQ(signals(), 0u);
    await_end(std::atoi(read(file("md.log")).substr(4).c_str()));
}

TEST_F(Claim, WhoIsOvertakenBetweenTwoHeartbeatsSaysNothingEither) {
    probe({"end=go"});
    const pid_t agent = start();
    await(file("md.log"), "ready");
    ASSERT_TRUE(spool_.claim(queue::run_id(job_.key, 2), queue::this_process()));
    write(file("go"));
    EXPECT_EQ(wait(agent), 0);
    EXPECT_FALSE(has_record());
}

TEST_F(Claim, WhatIsNotWantedAnyMoreDoesNotBegin) {
    shell("touch ran");
    spool_.request_stop(id());
    EXPECT_EQ(run(), 0);
    EXPECT_FALSE(fs::exists(file("ran")));
    EXPECT_THAT(spool_.records(), IsEmpty());
}

TEST_F(Claim, ARestartHasADirectoryAndARecordOfItsOwn) {
    shell("pwd");
    job_.signalled_together = true;
    environment_["SLURM_RESTART_COUNT"] = "1";
    environment_["SLURM_JOB_ID"] = "12";
    EXPECT_EQ(run(), 0);
    EXPECT_FALSE(has_record(0));
    const queue::ExitRecord found = record(1);
    EXPECT_EQ(found.exit.restart, 1);
    EXPECT_EQ(found.exit.scheduler_job, "12");
    EXPECT_EQ(found.exit.stdout_tail, job_.directory.string() + "-1\n");
}

TEST_F(Claim, ARestartRunsOnlyWhatHasSomethingLeftToDo) {
    struct Case {
        bool recoverable;
        int exit_code;
        bool terminated;
        bool runs;
    };
    job_.signalled_together = true;
    environment_["SLURM_RESTART_COUNT"] = "1";
    for (const Case& now : {Case{true, 1, true, false}, Case{false, 1, true, true},
                            Case{false, 0, false, false}, Case{true, 1, false, true}}) {
        job_.recoverable = now.recoverable;
        spool_.write_record(id(0), ended(0, now.exit_code, now.terminated));
        shell("exit 3");
        EXPECT_EQ(run(), now.runs ? 3 : 0) << job_.attempt;
        EXPECT_EQ(has_record(1), now.runs) << job_.attempt;
        next_attempt();
    }
}

TEST_F(Claim, AnElementOfAnArrayTakesItsLine) {
    environment_["SLURM_ARRAY_JOB_ID"] = "40";
    job_.signalled_together = true;
    std::string list;
    for (const char* key : {"first", "second"}) {
        job_.key = key;
        job_.command = {"echo", key};
        const fs::path path = folder_ / (std::string(key) + ".json");
        write(path, job_.to_json());
        list += path.string() + "\n";
    }
    write(folder_ / "list", list);
    environment_["SLURM_ARRAY_TASK_ID"] = "1";
    EXPECT_EQ(wait(supervise({"--array", (folder_ / "list").string()})), 0);
    EXPECT_EQ(record().exit.stdout_tail, "second\n");
    EXPECT_EQ(record().exit.scheduler_job, "40_1");
    for (const char* element : {"2", "-1", "x", ""}) {
        environment_["SLURM_ARRAY_TASK_ID"] = element;
        EXPECT_EQ(wait(supervise({"--array", (folder_ / "list").string()})), 65) << element;
        EXPECT_THAT(read(folder_ / "stderr"), HasSubstr("list"));
        fs::remove(folder_ / "stderr");
    }
    EXPECT_EQ(wait(supervise({"--array", (folder_ / "missing").string()})), 65);
    job_.key = "first";
    EXPECT_FALSE(has_record());
}

}  // namespace
}  // namespace coromd::functional
