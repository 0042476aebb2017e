// SPDX-License-Identifier: LGPL-3.0-or-later
//
// How a program is stopped: by whom, with exactly one signal, and what is left of it.
#include <chrono>
#include <thread>

#include "agent.hpp"

namespace coromd::functional {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Stop : public AgentTest {
protected:
    /// Starts an agent whose program is ready for its signal.
    pid_t start_ready() {
        const pid_t agent = start();
        await(file("md.log"), "ready");
        return agent;
    }
    /// The reasons that the record gives, as letters: Stopped, tImed out, Terminated.
    std::string reasons() const {
        const queue::JobExit exit = record().exit;
        return std::string(exit.stopped ? "S" : "") + (exit.timed_out ? "I" : "") +
               (exit.terminated ? "T" : "");
    }
};

TEST_F(Stop, EachRequestIsOneSignalAndItsReasonIsTold) {
    probe({"linger=100", "code=1"});
    const std::vector<std::pair<int, std::string>> cases{
        {SIGUSR2, "S"}, {SIGUSR1, "I"}, {SIGTERM, "T"}, {SIGINT, "T"}, {SIGHUP, "T"}};
    for (const auto& [signal, reason] : cases) {
        const pid_t agent = start_ready();
        ::kill(agent, signal);
        EXPECT_EQ(wait(agent), 1);
        EXPECT_EQ(reasons(), reason) << signal;
        EXPECT_EQ(signals(), 1u) << signal;
        next_attempt();
    }
}

TEST_F(Stop, TheStopFileIsARequest) {
    probe({"linger=100"});
    const pid_t agent = start_ready();
    spool_.request_stop(id());
    EXPECT_EQ(wait(agent), 0);
    EXPECT_EQ(reasons(), "S");
    EXPECT_EQ(signals(), 1u);
}

TEST_F(Stop, TheWallTimeIsARequestInGoodTime) {
    probe({"linger=100"});
    job_.walltime = 10min;
    job_.stop_early = 10min - 500ms;
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(reasons(), "I");
    EXPECT_EQ(signals(), 1u);
}

TEST_F(Stop, WhatIsNotReadyIsNotSignalled) {
    probe({"ready=go", "linger=100"});
    const pid_t agent = start();
    await(file("md.log"), "pid");
    ::kill(agent, SIGUSR2);
    let_it_act(agent);
    EXPECT_EQ(signals(), 0u) << "it would have died of it";
    write(file("go"));
    EXPECT_EQ(wait(agent), 0);
    EXPECT_EQ(signals(), 1u);
    EXPECT_EQ(reasons(), "S");
}

TEST_F(Stop, WhatWasToldAlreadyIsNotToldAgain) {
    probe({"told", "end=go"});
    const pid_t agent = start();
    await(file("md.log"), "got TERM");
    ::kill(agent, SIGUSR2);
    let_it_act(agent);
    write(file("go"));
    EXPECT_EQ(wait(agent), 0);
    EXPECT_EQ(signals(), 0u);
    EXPECT_EQ(reasons(), "S");
}

TEST_F(Stop, ManyRequestsAreOneSignal) {
    probe({"late=200", "linger=100"});
    const pid_t agent = start_ready();
    spool_.request_stop(id());
    for (const int signal : {SIGUSR2, SIGUSR1, SIGTERM, SIGINT, SIGHUP, SIGUSR2}) ::kill(agent, signal);
    let_it_act(agent);
    for (const int signal : {SIGUSR2, SIGUSR1, SIGTERM}) ::kill(agent, signal);
    EXPECT_EQ(wait(agent), 0);
    EXPECT_EQ(signals(), 1u);
    EXPECT_EQ(reasons().size(), 1u) << "the first one is told";
}

TEST_F(Stop, WhatTheSchedulerHasSignalledToAllIsNotSignalledAgain) {
    probe({"late=300", "linger=100"});
    job_.signalled_together = true;
    const pid_t agent = start_ready();
    ::kill(-agent, SIGTERM);
    await(file("signals"), "TERM");
    for (const int signal : {SIGINT, SIGUSR1, SIGUSR2}) ::kill(agent, signal);
    EXPECT_EQ(wait(agent), 0);
    EXPECT_EQ(signals(), 1u);
    EXPECT_EQ(reasons(), "T");
}

TEST_F(Stop, WithoutALogTheSchedulersSignalIsTheOne) {
    probe({"late=300"});
    job_.stop.log.clear();
    job_.signalled_together = true;
    const pid_t agent = start_ready();
    ::kill(-agent, SIGTERM);
    EXPECT_EQ(wait(agent), 0);
    EXPECT_EQ(signals(), 1u);
}

TEST_F(Stop, TheProgramOfAScriptIsStoppedAndTheScriptGoesOn) {
    probe({"linger=100", "code=1"});
    write(file("job.sh"), "\"" + job_.command[0] + "\" linger=100; echo \"$?\" > rest\n");
    job_.command = {"/bin/sh", file("job.sh")};
    job_.script = true;
    const pid_t agent = start_ready();
    ::kill(agent, SIGUSR2);
    EXPECT_EQ(wait(agent), 0);
    EXPECT_EQ(signals(), 1u);
    EXPECT_EQ(read(file("rest")), "0\n");
    EXPECT_EQ(reasons(), "S");
}

// The shell dies of the scheduler's signal at once; mdrun below it has a checkpoint to write.
TEST_F(Stop, WhatAScriptRanMayEndInPeaceWhenItsShellIsDead) {
    probe({});
    write(file("job.sh"), "\"" + job_.command[0] + "\" late=300; echo rest > rest\n");
    job_.command = {"/bin/sh", file("job.sh")};
    job_.script = job_.signalled_together = true;
    const pid_t agent = start_ready();
    ::kill(-agent, SIGTERM);
    EXPECT_EQ(wait(agent), 128 + SIGTERM);
    EXPECT_EQ(signals(), 1u);
    EXPECT_THAT(read(file("md.log")), testing::EndsWith("checkpoint\n"));
    EXPECT_EQ(reasons(), "T");
}

TEST_F(Stop, AfterTheGraceAllAreKilledWhereverTheyFled) {
    shell(
        "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$ > fled; while :; do sleep 1000; done' &\n"
        "(sh -c 'trap \"\" TERM; echo $$ > orphan; while :; do sleep 1000; done' &)\n"
        "while :; do sleep 1000; done");
    job_.grace = 100ms;
    const pid_t agent = start();
    const pid_t fled = pid_in("fled");
    const pid_t orphan = pid_in("orphan");
    ::kill(agent, SIGUSR2);
    EXPECT_EQ(wait(agent), 128 + SIGKILL);
    EXPECT_EQ(record().exit.signal, SIGKILL);
    EXPECT_EQ(reasons(), "S");
    await_end(fled);
    await_end(orphan);
}

TEST_F(Stop, WhatTheProgramLeftRunningIsDeadBeforeTheRecord) {
    shell("sleep 1000 & echo $! > left; setsid sleep 1000 & echo $! > far; exit 3");
    EXPECT_EQ(run(), 3);
    EXPECT_NE(::kill(pid_in("left"), 0), 0) << "we would still see it as a child of nobody";
    EXPECT_NE(::kill(pid_in("far"), 0), 0);
    EXPECT_EQ(record().exit.exit_code, 3);
}

TEST_F(Stop, TheProgramDiesWithTheAgent) {
    shell("echo $$ > pid; while :; do sleep 0.01; done");
    const pid_t agent = start();
    const pid_t program = pid_in("pid");
    ::kill(agent, SIGKILL);
    EXPECT_EQ(wait(agent), 128 + SIGKILL);
    await_end(program);
    EXPECT_FALSE(has_record());
}

TEST_F(Stop, WhatIsStoppedBeforeItBeginsDoesNotBegin) {
    shell("touch ran");
    const pid_t agent = start(Begin::asked_to_stop);
    EXPECT_NE(wait(agent), 0);
    EXPECT_FALSE(fs::exists(file("ran")));
    EXPECT_EQ(reasons(), "S");
    EXPECT_EQ(record().exit.exit_code, std::nullopt);
}

}  // namespace
}  // namespace coromd::functional
