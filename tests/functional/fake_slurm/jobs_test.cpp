// SPDX-License-Identifier: LGPL-3.0-or-later
// What becomes of jobs: how they run, wait and end.
#include <gmock/gmock.h>

#include "cluster.hpp"

namespace {

using testing::AllOf;
using testing::HasSubstr;

class FakeSlurmJobs : public coromd::functional::FakeSlurmTest {};

TEST_F(FakeSlurmJobs, RunsAScriptWithItsEnvironmentAndFiles) {
    setup("--gpus-per-node 2");
    run("mkdir work");
    const std::string id =
        submit("-J name -D work -o out-%x-%j -n 2 -c 2 --gpus-per-node=1 --export=ALL,MINE=7",
               "#SBATCH --output=ignored\necho $SLURM_JOB_ID $SLURM_JOB_NAME $SLURM_JOB_NODELIST "
               "$SLURM_CPUS_ON_NODE "
               "$SLURM_CPUS_PER_TASK $SLURM_NTASKS $CUDA_VISIBLE_DEVICES $MINE $(basename $PWD)");
    EXPECT_EQ(id, "1");
    await_all();
    EXPECT_EQ(read("work/out-name-1"), "1 name n1 4 2 2 0 7 work\n");
    EXPECT_EQ(run("sacct -n -P -X -o JobID,JobName,State,ExitCode,NodeList -j 1"), "1|name|COMPLETED|0:0|n1");
}

TEST_F(FakeSlurmJobs, TellsHowAScriptEnded) {
    setup();
    submit("", "exit 3");
    submit("", "kill -9 $$");
    submit("", "exit 139");
    submit("-o missing/folder/out", "true");
    await_all();
    // sacct subtracts 128, scontrol does not.
    EXPECT_EQ(run("sacct -n -P -X -o State,ExitCode"), "FAILED|3:0\nFAILED|0:9\nFAILED|11:0\nFAILED|0:53");
    EXPECT_THAT(run("scontrol show job 3"), AllOf(HasSubstr("JobState=FAILED"), HasSubstr("ExitCode=139:0")));
}

TEST_F(FakeSlurmJobs, AnArrayRunsAsManyElementsAsItsThrottleAllows) {
    setup();
    submit("--array=0-5%2 -o %A_%a.txt",
           "echo $SLURM_ARRAY_TASK_ID >>begun; while [ ! -e go ]; do sleep 0.02; done");
    await("squeue -h -t R -o %i", "1_0\n1_1");
    EXPECT_EQ(run("squeue -h -t PD -o '%i %r'"), "1_[2-5%2] JobArrayTaskLimit");
    EXPECT_EQ(run("squeue -h -r -t PD -o '%i %F %K'"), "1_2 1 2\n1_3 1 3\n1_4 1 4\n1_5 1 5");
    run("scancel 1_4");
    EXPECT_EQ(run("squeue -h -t PD -o %i"), "1_[2-3,5%2]");
    run("touch go");
    await_all();
    EXPECT_EQ(run("sort begun | tr -d '\\n'"), "01235");
    EXPECT_EQ(run("sacct -n -P -X -o JobID,State -j 1 | sort"),
              "1_0|COMPLETED\n1_1|COMPLETED\n1_2|COMPLETED\n1_3|COMPLETED\n1_4|CANCELLED by " + run("id -u") +
                  "\n1_5|COMPLETED");
}

TEST_F(FakeSlurmJobs, ATimeLimitEndsTheScriptAndItsChildren) {
    setup();
    submit("-t 1",
           "trap '' TERM; sh -c \"trap '' TERM; echo \\$\\$ >child; while :; do sleep 0.1; done\" & wait; "
           "sleep 60");
    await_all();
    EXPECT_EQ(run("sacct -n -P -X -o State,ExitCode"), "TIMEOUT|0:0");
    EXPECT_THAT(read("slurm-1.out"), HasSubstr("DUE TO TIME LIMIT ***"));
    EXPECT_NE(shell("kill -0 $(cat child)").code, 0);
}

TEST_F(FakeSlurmJobs, ASignalComesBeforeTheTimeLimit) {
    setup();
    submit("-t 10 --signal=B:USR1@570", "trap 'echo warned; exit 0' USR1; while :; do sleep 0.02; done");
    await_all();
    EXPECT_EQ(read("slurm-1.out"), "warned\n");
    EXPECT_EQ(state("1"), "COMPLETED");
}

TEST_F(FakeSlurmJobs, CancellingIsSeenAtOnceInSacctAndWhileItLastsInSqueue) {
    setup("--kill-wait 10s");
    submit("",
           "trap 'while [ ! -e go ]; do sleep 0.02; done; exit 0' TERM; touch ready; while :; do sleep 0.02; "
           "done");
    await_file("ready");
    submit("--hold", "true");
    run("scancel 1 2 99");
    EXPECT_EQ(state("1,2"), "CANCELLED by " + run("id -u") + "\nCANCELLED by " + run("id -u"));
    EXPECT_EQ(run("squeue -h -o '%i %T %t'"), "1 COMPLETING CG");
    run("touch go");
    await_all();
    EXPECT_EQ(shell("scancel").code, 1);
}

TEST_F(FakeSlurmJobs, SignalsReachTheScriptOnlyWhenAskedTo) {
    setup();
    submit("", "trap 'echo got' USR1; touch ready; while [ ! -e go ]; do sleep 0.02; done");
    await_file("ready");
    run("scancel --signal=USR1 1");
    run("scancel --signal=USR1 --batch 1");
    await("cat slurm-1.out", "got");
    run("touch go");
    await_all();
    EXPECT_EQ(read("slurm-1.out"), "got\n");
}

TEST_F(FakeSlurmJobs, ARequeuedJobKeepsItsId) {
    setup();
    submit("",
           "touch ready; if [ -z \"$SLURM_RESTART_COUNT\" ]; then sleep 60; fi; echo $SLURM_RESTART_COUNT "
           ">count");
    await_file("ready");
    run("scontrol requeue 1");
    await_all();
    EXPECT_EQ(read("count"), "1\n");
    EXPECT_EQ(run("sacct -n -P -X -D -o JobID,State,Restarts -j 1"), "1|REQUEUED|0\n1|COMPLETED|1");
    EXPECT_EQ(run("sacct -n -P -X -o State -j 1"), "COMPLETED");
}

TEST_F(FakeSlurmJobs, DependenciesHoldJobsBack) {
    setup();
    submit("", "while [ ! -e go ]; do sleep 0.02; done; exit 1");
    submit("-d afterok:1", "true");
    submit("-d afterany:1", "true");
    submit("-d afterok:1 --kill-on-invalid-dep=yes", "true");
    submit("-d afterok:4711", "true");
    await("squeue -h -t PD -o '%i %r'", "2 Dependency\n3 Dependency\n4 Dependency");
    run("touch go");
    await("squeue -h -o '%i %T %r'", "2 PENDING DependencyNeverSatisfied");
    EXPECT_EQ(state("3,4,5"), "COMPLETED\nCANCELLED by 0\nCOMPLETED");
}

TEST_F(FakeSlurmJobs, SingletonsRunOneAfterTheOther) {
    setup();
    submit("-J same", "while [ ! -e go ]; do sleep 0.02; done; echo 1 >>order");
    submit("-J same -d singleton", "echo 2 >>order");
    await("squeue -h -o '%i %T'", "1 RUNNING\n2 PENDING");
    run("touch go");
    await_all();
    EXPECT_EQ(read("order"), "1\n2\n");
}

TEST_F(FakeSlurmJobs, JobsShareTheNodes) {
    setup("--memory-per-node 1000");
    submit("-c 4", "sleep 60");
    submit("-n 2 -c 1 --mem 600", "sleep 60");
    submit("--mem 600", "sleep 60");
    submit("-c 5", "true");
    await("squeue -h -o '%i %t %N %r'", "1 R n1 None\n2 R n2 None\n3 PD  Resources\n4 PD  PartitionConfig");
    run("scancel 3");
    submit("-w n2 -n 2", "sleep 60");
    submit("-N 2", "true");
    await("squeue -h -o '%i %t %N'", "1 R n1\n2 R n2\n4 PD \n5 R n2\n6 PD ");
    run("scancel 1 5");
    await("sacct -n -P -X -o NodeList,State -j 6", "n[1-2]|COMPLETED");
    EXPECT_EQ(run("sinfo -h -o '%N %T %C'"), "n1 idle 0/4/0/4\nn2 mixed 2/2/0/4");
}

TEST_F(FakeSlurmJobs, StepsWaitForCoresOfTheirJob) {
    setup();
    submit("-n 2",
           "srun --exact -n1 sh -c 'touch one; while [ ! -e go ]; do sleep 0.02; done' &\n"
           "while [ ! -e one ]; do sleep 0.02; done\n"
           "srun --exact -n2 sh -c 'echo rank $SLURM_PROCID >>ranks; exit 3'\necho code $?; wait");
    await("grep -c 'step creation temporarily disabled' slurm-1.out", "1");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "ranks"));
    run("touch go");
    await_all();
    EXPECT_THAT(read("slurm-1.out"), AllOf(HasSubstr("(Requested nodes are busy)"), HasSubstr("code 3\n")));
    EXPECT_EQ(run("sort ranks"), "rank 0\nrank 1");
    EXPECT_EQ(shell("srun true").code, 1);
}

TEST_F(FakeSlurmJobs, HoldUpdateAndNodesThatFail) {
    setup();
    submit("--hold --no-requeue", "sleep 60");
    EXPECT_EQ(run("squeue -h -o '%T %r'"), "PENDING JobHeldUser");
    run("scontrol release 1");
    await("squeue -h -o '%T %N'", "RUNNING n1");
    run("scontrol update nodename=n1 state=down reason=test");
    await("sacct -n -P -X -o State -j 1", "NODE_FAIL");
    submit("", "sleep 60");
    await("squeue -h -o '%T %N'", "RUNNING n2");
    run("scontrol update jobid=2 timelimit=0");
    await("sacct -n -P -X -o State -j 2", "TIMEOUT");
}

TEST_F(FakeSlurmJobs, AControllerThatLeftKnowsWhatEnded) {
    setup();
    submit("--array=1-3", "true");
    submit("", "sleep 60");
    await("squeue -h -o %i", "4");
    run("\"$FAKE\" stop cluster");
    EXPECT_EQ(run("sacct -n -P -X -o JobID,State | sort"),
              "1_1|COMPLETED\n1_2|COMPLETED\n1_3|COMPLETED\n4|CANCELLED by 0");
    EXPECT_EQ(submit("", "true"), "5");
}

}  // namespace
