// SPDX-License-Identifier: LGPL-3.0-or-later
// What can be made to go wrong.
#include <gmock/gmock.h>

#include "cluster.hpp"

namespace {

using coromd::functional::Ended;
using testing::HasSubstr;

class FakeSlurmFaults : public coromd::functional::FakeSlurmTest {
protected:
    void SetUp() override { setup(); }
};

TEST_F(FakeSlurmFaults, AControllerThatIsDown) {
    faults("controller_down=always");
    const std::string contact = "Unable to contact slurm controller (connect failure)\n";
    Ended ended = shell("sbatch --wrap true");
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.err, "sbatch: error: Batch job submission failed: " + contact);
    ended = shell("squeue");
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.err, "slurm_load_jobs error: " + contact);
    EXPECT_EQ(shell("scancel 1").code, 8);
    EXPECT_EQ(shell("scontrol ping").code, 1);
    EXPECT_EQ(shell("sacct").code, 0);
    faults("controller_down=off");
    EXPECT_EQ(shell("squeue").code, 0);
    EXPECT_EQ(submit("", "true"), "1");
}

TEST_F(FakeSlurmFaults, StrikesSoManyTimesAndOneCommandOnly) {
    faults("controller_down.squeue=2");
    EXPECT_EQ(shell("scontrol ping").code, 0);
    EXPECT_EQ(shell("squeue").code, 1);
    EXPECT_EQ(run("\"$FAKE\" faults cluster"), "controller_down.squeue=1");
    EXPECT_EQ(shell("squeue").code, 1);
    EXPECT_EQ(shell("squeue").code, 0);
    EXPECT_EQ(run("\"$FAKE\" faults cluster"), "");
    faults("controller_down=50% seed=3");
    run("for i in $(seq 40); do squeue -h && echo good >>good || echo bad >>bad; done 2>/dev/null");
    EXPECT_NE(read("good"), "");
    EXPECT_NE(read("bad"), "");
}

TEST_F(FakeSlurmFaults, AControllerThatHangs) {
    faults("controller_hung=2:0.05");
    Ended ended = shell("squeue");
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.err, "slurm_load_jobs error: Socket timed out on send/recv operation\n");
    EXPECT_EQ(shell("scancel 1").code, 140);
}

TEST_F(FakeSlurmFaults, SubmissionsThatAreRefusedOrLost) {
    faults("refuse_submit=1:QOSMaxSubmitJobPerUserLimit");
    EXPECT_THAT(shell("sbatch --wrap true").err, HasSubstr("sbatch: error: QOSMaxSubmitJobPerUserLimit\n"));
    faults("'refuse_submit=1:Slurm temporarily unable to accept job'");
    EXPECT_EQ(shell("sbatch --wrap true").err, "sbatch: error: Slurm temporarily unable to accept job\n");
    faults("lose_answer=1");
    const Ended lost = shell("sbatch -J lost --wrap true");
    EXPECT_EQ(lost.code, 1);
    EXPECT_EQ(lost.out, "");
    EXPECT_THAT(lost.err, HasSubstr("Socket timed out on send/recv operation"));
    await_all();
    EXPECT_EQ(run("sacct -n -P -X --name lost -o JobID,State"), "1|COMPLETED");
}

TEST_F(FakeSlurmFaults, AccountingThatIsDownOrMissing) {
    faults("accounting_down=1");
    Ended ended = shell("sacct");
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("Problem talking to the database: Connection refused"));
    faults("no_accounting=1");
    ended = shell("sacct");
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.err, "Slurm accounting storage is disabled\n");
}

TEST_F(FakeSlurmFaults, Rubbish) {
    faults("rubbish.squeue=1 rubbish.sacct=1:nonsense");
    EXPECT_GT(shell("squeue -h").out.size(), 100U);
    EXPECT_EQ(run("sacct"), "nonsense");
    EXPECT_EQ(run("squeue -h"), "");
}

TEST_F(FakeSlurmFaults, AnswersThatLag) {
    faults("squeue_lag=1h sacct_lag=1h");
    EXPECT_EQ(shell("true").code, 0);
    EXPECT_EQ(submit("", "touch done"), "1");
    await_file("done");
    EXPECT_EQ(run("squeue -h -t all"), "");
    EXPECT_EQ(run("sacct -n -j 1"), "");
    faults("squeue_lag=off sacct_lag=off");
    await("sacct -n -P -X -o State -j 1", "COMPLETED");
    submit("-a 1-2", "true");
    await_all();
    faults("sacct_array_lag=1000s");
    EXPECT_EQ(run("sacct -n -P -X -o JobID -j 2"), "2");
}

TEST_F(FakeSlurmFaults, JobsThatEndInAGivenState) {
    faults("force_state=1:OUT_OF_MEMORY");
    submit("", "sleep 60");
    await_all();
    faults("force_state=1:BOOT_FAIL");
    submit("", "touch never");
    await_all();
    faults("force_state=1:FLUMMOXED");
    submit("", "sleep 60");
    await_all();
    faults("force_state=1:PREEMPTED force_after=0.05");
    submit("", "if [ -z \"$SLURM_RESTART_COUNT\" ]; then sleep 60; fi");
    await_all();
    EXPECT_EQ(run("sacct -n -P -X -D -o State,ExitCode"),
              "OUT_OF_MEMORY|0:125\nBOOT_FAIL|0:0\nFLUMMOXED|0:0\nPREEMPTED|0:0\nCOMPLETED|0:0");
    EXPECT_EQ(read("never"), "");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "never"));
}

TEST_F(FakeSlurmFaults, BadNodesRequeuesAndUnknownStates) {
    faults("bad_nodes=n1 unknown_state=WONDERING");
    submit("--no-requeue", "sleep 60");
    await_all();
    EXPECT_EQ(state("1"), "NODE_FAIL");
    submit("--exclude=n1", "sleep 60");
    await("squeue -h -o '%T %t %N'", "WONDERING WO n2");
    run("scancel 2");
    faults("clear");
    faults("requeue_next=1");
    submit("", "if [ -z \"$SLURM_RESTART_COUNT\" ]; then sleep 60; fi");
    await_all();
    EXPECT_EQ(run("sacct -n -P -X -D -o State -j 3"), "REQUEUED\nCOMPLETED");
}

TEST_F(FakeSlurmFaults, JobsThatAreForgottenAndIdsThatComeAgain) {
    submit("", "echo $$ >pid; sleep 60");
    submit("", "echo $$ >other; sleep 60");
    await("test -s pid && test -s other && echo yes", "yes");
    faults("forget=1:live forget=2");
    EXPECT_EQ(run("squeue -h"), "");
    EXPECT_EQ(run("sacct -n"), "");
    EXPECT_EQ(run("kill -0 $(cat pid) && echo lives"), "lives");
    await("kill -0 $(cat other) 2>/dev/null || echo gone", "gone");
    faults("reuse_ids=1");
    EXPECT_EQ(submit("", "true"), "1");
    run("\"$FAKE\" stop cluster");
    await("kill -0 $(cat pid) 2>/dev/null || echo gone", "gone");
}

TEST_F(FakeSlurmFaults, SlowCommandsAndLateStarts) {
    faults("start_delay=1h slow.squeue=50ms");
    submit("", "true");
    EXPECT_EQ(run("squeue -h -o %T"), "PENDING");
    faults("start_delay=off");
    await_all();
}

TEST_F(FakeSlurmFaults, AFileThatSomebodyWroteCounts) {
    run("squeue");
    run("echo '{\"controller_down\": \"1\"}' >cluster/faults.json");
    EXPECT_EQ(shell("squeue").code, 1);
    EXPECT_EQ(shell("squeue").code, 0);
}

}  // namespace
