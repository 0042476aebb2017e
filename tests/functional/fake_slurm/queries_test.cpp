// SPDX-License-Identifier: LGPL-3.0-or-later
// What the commands print and refuse.
#include <gmock/gmock.h>

#include "cluster.hpp"

namespace {

using coromd::functional::Ended;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class FakeSlurmQueries : public coromd::functional::FakeSlurmTest {};

TEST_F(FakeSlurmQueries, OptionsOfTheCommandLineWinOverTheScript) {
    setup();
    run("printf '#!/bin/sh\\n#SBATCH -J script --comment=\"two words\" # more\\n#SBATCH -t 5\\necho $1\\n' "
        ">job.sh");
    EXPECT_EQ(run("sbatch --hold -J line job.sh argument"), "Submitted batch job 1");
    EXPECT_EQ(run("squeue -h -o '%j|%k|%l|%u|%P'"), "line|two words|5:00|" + run("id -un") + "|debug");
    run("scontrol release 1");
    await_all();
    EXPECT_EQ(read("slurm-1.out"), "argument\n");
}

TEST_F(FakeSlurmQueries, SbatchRefusesAsTheRealOne) {
    setup("--max-submit 3 --max-array-size 11");
    Ended ended = shell("sbatch --colour=blue --wrap true");
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, StartsWith("sbatch: unrecognized option '--colour=blue'\n"));
    EXPECT_THAT(shell("echo hello | sbatch").err, HasSubstr("This does not look like a batch script"));
    EXPECT_THAT(shell("sbatch missing.sh").err, HasSubstr("Unable to open file missing.sh"));
    EXPECT_THAT(shell("sbatch -p other --wrap true").err, HasSubstr("Invalid partition name specified"));
    EXPECT_THAT(shell("sbatch -a 0-11 --wrap true").err, HasSubstr("Invalid job array specification"));
    EXPECT_EQ(run("sbatch --version"), "slurm 22.05.8");
    submit("--hold -a 0-2", "true");
    ended = shell("sbatch --wrap true");
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err,
                AllOf(HasSubstr("AssocMaxSubmitJobLimit"), HasSubstr("violates accounting/QOS policy")));
    EXPECT_EQ(run("sacctmgr -n -P show assoc where user=$(id -un) format=MaxSubmit"), "3");
    EXPECT_THAT(run("scontrol show config"), AllOf(HasSubstr("MaxArraySize            = 11\n"),
                                                   HasSubstr("SLURM_VERSION           = 22.05.8\n")));
}

TEST_F(FakeSlurmQueries, SqueueFilters) {
    setup("--min-job-age 0");
    submit("--hold -J a", "true");
    submit("--hold -J b -a 1,3,5,7", "true");
    EXPECT_EQ(run("squeue --me -h -n b -o %i"), "2_[1,3,5,7]");
    EXPECT_EQ(run("SLURM_BITSTR_LEN=5 squeue -h -n b -o %i"), "2_[1,3,...]");
    EXPECT_EQ(run("squeue -h -j 1,2_3 -o %A"), "1\n2");
    EXPECT_EQ(run("squeue -h -j 2_3 -o %i"), "2_3");
    EXPECT_EQ(run("squeue -h -u nobody-at-all"), "");
    EXPECT_EQ(run("squeue -j 1 -o '%.5i|%4t|'"), "JOBID|ST  |\n    1|PD  |");
    const Ended unknown = shell("squeue -h -j 77");
    EXPECT_EQ(unknown.code, 1);
    EXPECT_EQ(unknown.err, "slurm_load_jobs error: Invalid job id specified\n");
    run("scancel 1");
    EXPECT_EQ(shell("squeue -h -j 1").code, 1);
    EXPECT_EQ(shell("sacct -n -j 77").out, "");
    EXPECT_EQ(shell("sacct -n -o Nonsense").code, 1);
    EXPECT_EQ(run("sacct -n -P -X --name a -S now-1hours -o JobName"), "a");
}

TEST_F(FakeSlurmQueries, ManyJobsAreNoTrouble) {
    setup("--max-array-size 100001 --max-job-count 100001");
    submit("--hold -a 0-99999", "true");
    EXPECT_EQ(run("squeue -h -o %i"), "1_[0-99999]");
    EXPECT_EQ(run("squeue -h -r -o %i | wc -l"), "100000");
    const Ended full = shell("timeout 0.5 sbatch -a 0-1 --wrap true");
    EXPECT_THAT(full.err, HasSubstr("Slurm temporarily unable to accept job, sleeping and retrying"));
}

TEST_F(FakeSlurmQueries, TheProgramItself) {
    EXPECT_THAT(shell("\"$FAKE\" --help").out,
                AllOf(HasSubstr("Examples:"), HasSubstr("squeue_lag=SECONDS")));
    EXPECT_EQ(shell("\"$FAKE\" faults nowhere").code, 2);
    EXPECT_EQ(shell("\"$FAKE\" setup cluster --nodes many").code, 2);
    EXPECT_EQ(shell("mkdir mine; touch mine/file; \"$FAKE\" setup mine").code, 2);
    setup();
    EXPECT_EQ(shell("\"$FAKE\" faults cluster squeu_lag=1s").code, 2);
    submit("", "sleep 60 & echo $! >child; wait");
    await_file("child");
    EXPECT_EQ(shell("\"$FAKE\" setup cluster").code, 2);
    run("\"$FAKE\" stop cluster");
    await("kill -0 $(cat child) 2>/dev/null || echo gone", "gone");
    EXPECT_THAT(read("cluster/calls.log"), HasSubstr(" sbatch --parsable\n"));
    setup();
    EXPECT_EQ(run("sacct -n"), "");
    EXPECT_EQ(submit("", "true"), "1");
}

TEST_F(FakeSlurmQueries, JobsEndWhenTheirClusterIsRemoved) {
    setup();
    submit("", "sleep 60 & echo $! >child; wait");
    await_file("child");
    run("rm -rf cluster");
    await("kill -0 $(cat child) 2>/dev/null || echo gone", "gone");
}

}  // namespace
