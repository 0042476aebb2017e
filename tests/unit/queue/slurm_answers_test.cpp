// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm/answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coromd::queue::slurm {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::uint32_t> tasks_of(const JobId& id) {
    std::vector<std::uint32_t> out;
    id.for_each_task([&](std::uint32_t task) { out.push_back(task); });
    EXPECT_EQ(out.size(), id.n_tasks());
    for (const std::uint32_t task : out) EXPECT_TRUE(id.has_task(task));
    return out;
}

std::vector<std::uint32_t> tasks_of(std::string_view text) {
    const auto id = parse_job_id(text);
    EXPECT_TRUE(id) << text;
    return id ? tasks_of(*id) : std::vector<std::uint32_t>{};
}

TEST(SlurmJobId, IsAJobItsTasksAndAStep) {
    const auto plain = parse_job_id("12");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->job, 12u);
    EXPECT_TRUE(plain->tasks.empty());
    EXPECT_FALSE(plain->task());
    EXPECT_EQ(plain->step, "");
    EXPECT_EQ(parse_job_id("12_0")->task(), 0u);
    EXPECT_EQ(parse_job_id("12_3")->task(), 3u);
    EXPECT_EQ(parse_job_id("12_[3]")->task(), 3u);
    EXPECT_FALSE(parse_job_id("12_[3-4]")->task());
    EXPECT_EQ(parse_job_id("12.batch")->step, "batch");
    EXPECT_EQ(parse_job_id("12_3.0")->step, "0");
    EXPECT_EQ(parse_job_id("12_3.0")->task(), 3u);
}

TEST(SlurmJobId, TasksAreRanges) {
    EXPECT_THAT(tasks_of("12_[3-5,11%2]"), ElementsAre(3, 4, 5, 11));
    EXPECT_THAT(tasks_of("12_[0-10:4,2]"), ElementsAre(0, 4, 8, 2));
    EXPECT_THAT(tasks_of("12_[5-5]"), ElementsAre(5));
    EXPECT_EQ(parse_job_id("12_[0-4000000]")->n_tasks(), 4'000'001u);
    const auto id = parse_job_id("12_[0-100:7,500-600]");
    ASSERT_EQ(id->tasks.size(), 2u);
    EXPECT_TRUE(id->has_task(98));
    EXPECT_FALSE(id->has_task(99));
    EXPECT_FALSE(id->has_task(105));
    EXPECT_TRUE(id->has_task(600));
    EXPECT_FALSE(id->has_task(601));
}

TEST(SlurmJobId, ThatSqueueCutIsMarked) {
    for (const char* text : {"12_[1,3,5...]", "12_[1,3,...]", "12_[1,3,...%2]"}) {
        const auto id = parse_job_id(text);
        ASSERT_TRUE(id) << text;
        EXPECT_TRUE(id->truncated);
        EXPECT_THAT(tasks_of(*id), ElementsAre(1, 3));
    }
    EXPECT_FALSE(parse_job_id("12_[7,...]")->task());
    EXPECT_FALSE(parse_job_id("12_[7]")->truncated);
}

TEST(SlurmJobId, ThatIsNoneIsNothing) {
    for (const char* text : {"",
                             "0",
                             "-1",
                             "x",
                             "12x",
                             "12_",
                             "12_x",
                             "12_[",
                             "12_[]",
                             "12_[1",
                             "12_1]",
                             "12_[1,]",
                             "12_[2-1]",
                             "12_[1-]",
                             "12_[0-4:0]",
                             "12_[1-5:]",
                             "12_[0-4000001]",
                             "12_[0-4000000,1]",
                             "12_[1%]",
                             "12_[1%x]",
                             "12.",
                             "12+1",
                             "4294967296",
                             "12_[0-4294967296]",
                             "12_3-4",
                             "12_[...,1]",
                             "1 2",
                             "12_1_2"})
        EXPECT_FALSE(parse_job_id(text)) << text;
}

TEST(SlurmExitStatus, IsACodeAndASignal) {
    EXPECT_EQ(parse_exit_status("3:0")->code, 3);
    EXPECT_EQ(parse_exit_status("3:0")->signal, 0);
    EXPECT_EQ(parse_exit_status("0:9")->signal, 9);
    for (const char* text : {"", "3", ":", "3:", ":9", "-1:0", "0:9:1", "a:b"})
        EXPECT_FALSE(parse_exit_status(text)) << text;
}

TEST(SlurmSqueue, RowsAreRead) {
    const JobRows rows = parse_squeue(
        "12|RUNNING|n[1-2]|md_1|None\n"
        "13_[3-9,11%2]|PENDING||md_2|(ReqNodeNotAvail, UnavailableNodes:n[1-3]|x)\n"
        "\n"
        "14_1|COMPLETING|n1|md_3|None\r\n"
        "15|POWERED_UP|(null)|md_4|Priority");
    EXPECT_EQ(rows.n_garbage, 0u);
    ASSERT_EQ(rows.rows.size(), 4u);
    EXPECT_EQ(rows.rows[0].id.job, 12u);
    EXPECT_EQ(rows.rows[0].state->name, "RUNNING");
    EXPECT_EQ(rows.rows[0].nodes, "n[1-2]");
    EXPECT_EQ(rows.rows[0].name, "md_1");
    EXPECT_EQ(rows.rows[0].reason, "");
    EXPECT_EQ(rows.rows[1].id.n_tasks(), 8u);
    EXPECT_EQ(rows.rows[1].state->phase, Phase::waiting);
    EXPECT_EQ(rows.rows[1].nodes, "");
    EXPECT_EQ(rows.rows[1].reason, "(ReqNodeNotAvail, UnavailableNodes:n[1-3]|x)");
    EXPECT_EQ(rows.rows[2].reason, "");
    EXPECT_EQ(rows.rows[3].state->phase, Phase::unknown);
    EXPECT_EQ(rows.rows[3].state_text, "POWERED_UP");
    EXPECT_EQ(rows.rows[3].nodes, "");
    EXPECT_EQ(rows.rows[3].reason, "Priority");
}

TEST(SlurmSqueue, GarbageIsCounted) {
    const JobRows rows = parse_squeue(
        "Welcome \x1b[1m to the cluster\n12|RUNNING|n1\n|RUNNING|n1|a|None\n12||n1|a|None\n"
        "x|RUNNING|n1|a|None\n12|RUNNING|n1|a|None\n"s +
        std::string("\0\xff|\n", 4) + "12|RUNNING|n1|" + std::string(2 << 20, 'a') + "|None\n");
    EXPECT_EQ(rows.rows.size(), 1u);
    EXPECT_EQ(rows.n_garbage, 7u);
    EXPECT_EQ(rows.garbage, "Welcome \\x1b[1m to the cluster");
    EXPECT_EQ(parse_squeue("").rows.size(), 0u);
    EXPECT_EQ(parse_squeue("\n \n\n").n_garbage, 0u);
}

TEST(SlurmSacct, RowsAreRead) {
    const JobRows rows = parse_sacct(
        "12|FAILED|3:0|n1|md\n"
        "13_2|CANCELLED by 1000|0:15|n[1-2]|a|b\n"
        "13_[3-9]|PENDING|0:0|None assigned|md\n"
        "14|COMPLETED|0:0|n1|array\n"
        "12.batch|CANCELLED|0:9|n1|batch\n"
        "15|OUT_OF_ME+||n1|\n"
        "sacct: error: something\n");
    EXPECT_EQ(rows.n_garbage, 1u);
    ASSERT_EQ(rows.rows.size(), 6u);
    EXPECT_EQ(rows.rows[0].exit->code, 3);
    EXPECT_EQ(rows.rows[0].state->failure, FailureClass::user);
    EXPECT_TRUE(rows.rows[1].state->cancelled());
    EXPECT_EQ(rows.rows[1].state_text, "CANCELLED by 1000");
    EXPECT_EQ(rows.rows[1].exit->signal, 15);
    EXPECT_EQ(rows.rows[1].name, "a");
    EXPECT_EQ(rows.rows[2].id.n_tasks(), 7u);
    EXPECT_EQ(rows.rows[2].nodes, "");
    EXPECT_TRUE(rows.rows[3].id.tasks.empty());
    EXPECT_EQ(rows.rows[4].id.step, "batch");
    EXPECT_EQ(rows.rows[5].state->failure, FailureClass::memory);
    EXPECT_FALSE(rows.rows[5].exit);
}

TEST(SlurmAnswers, AnythingIsReadOrCounted) {
    const std::string text =
        "12_[3-9,11%2]|PENDING||md|None\n13.batch|CANCELLED by 0|0:9|n1|x\n14;alpha\nMaxArraySize = 10 "
        "sec\n7|8\n";
    const auto read = [](const std::string& damaged) {
        for (const auto parse : {parse_squeue, parse_sacct})
            for (const JobRow& row : parse(damaged).rows) EXPECT_TRUE(row.state);
        parse_sbatch(damaged);
        parse_config(damaged);
        parse_assoc(damaged);
        classify_failure(1, damaged);
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
        EXPECT_NO_THROW(read(text.substr(0, at)));
        EXPECT_NO_THROW(read(text.substr(at)));
        for (const char c : "\0\xff|\n9-[]_.=%:,"s) {
            std::string damaged = text;
            damaged[at] = c;
            EXPECT_NO_THROW(read(damaged)) << damaged;
        }
    }
}

TEST(SlurmSbatch, SaysTheIdWhateverStandsAroundIt) {
    EXPECT_EQ(parse_sbatch("12\n")->job, 12u);
    EXPECT_EQ(parse_sbatch("12")->cluster, "");
    EXPECT_EQ(parse_sbatch("12;alpha\n")->job, 12u);
    EXPECT_EQ(parse_sbatch("12;alpha\n")->cluster, "alpha");
    EXPECT_EQ(parse_sbatch("** Maintenance on Monday\n3 jobs; 4 nodes\n\n  12 \r\nBye.\n")->job, 12u);
    EXPECT_EQ(parse_sbatch("11\n12\n")->job, 12u);
    for (const char* text : {"", "\n", "Submitted batch job 12", "0", "-12", "12;", "12;a;b", "12;a b",
                             "12 13", "12a", "99999999999"})
        EXPECT_FALSE(parse_sbatch(text)) << text;
}

TEST(SlurmConfig, IsRead) {
    const ClusterConfig config = parse_config(
        "Configuration data as of 2024-01-01T00:00:00\n"
        "AccountingStorageType   = accounting_storage/slurmdbd\n"
        "ClusterName             = alpha\n"
        "KillWait                = 30 sec\n"
        "MaxArraySize            = 10001\n"
        "MaxJobCount             = 50000\n"
        "MinJobAge               = 300 sec\n"
        "SLURM_VERSION           = 22.05.8\n"
        "\nSlurmctld(primary) at alpha is UP\n");
    EXPECT_EQ(config.version, "22.05.8");
    EXPECT_EQ(config.cluster_name, "alpha");
    EXPECT_TRUE(config.has_accounting());
    EXPECT_EQ(config.max_array_size, 10001u);
    EXPECT_EQ(config.max_job_count, 50000u);
    EXPECT_EQ(config.min_job_age_s, 300u);
    EXPECT_EQ(config.kill_wait_s, 30u);
    for (const char* type : {"(null)", "accounting_storage/none", ""})
        EXPECT_FALSE(parse_config("AccountingStorageType = "s + type).has_accounting()) << type;
    EXPECT_EQ(parse_config("MaxArraySize = many\nMaxJobCount\n=\n").max_array_size, 0u);
}

TEST(SlurmAssoc, TheSmallestLimitsCount) {
    const JobLimits limits = parse_assoc("|\n100|5000\n|200\n50|\nsacctmgr: x\n1|2|3\n");
    EXPECT_EQ(limits.max_jobs, 50u);
    EXPECT_EQ(limits.max_submit, 200u);
    EXPECT_FALSE(parse_assoc("|\n-1|\n").max_jobs);
    EXPECT_FALSE(parse_assoc("").max_submit);
}

TEST(SlurmFailure, IsKnownByItsMessage) {
    using enum CommandFailure;
    const std::pair<const char*, CommandFailure> cases[] = {
        {"sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
         controller_unreachable},
        {"slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
         controller_unreachable},
        {"sbatch: fatal: Could not establish a configuration source", controller_unreachable},
        {"sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", timed_out},
        {"sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received", timed_out},
        {"Unable to contact slurm controller (receive failure)", timed_out},
        {"sacct: error: slurm_persist_conn_open_without_init: failed to open persistent connection to "
         "host:localhost:6819: Connection refused\nsacct: error: Problem talking to the database: Connection "
         "refused",
         accounting_unreachable},
        {"Slurm accounting storage is disabled", no_accounting},
        {"You are not running a supported accounting_storage plugin\nOnly 'accounting_storage/slurmdbd' is "
         "supported.",
         no_accounting},
        {"slurm_load_jobs error: Invalid job id specified", invalid_job_id},
        {"scancel: error: Kill job error on job id 12: Job/step already completing or completed",
         invalid_job_id},
        {"sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job "
         "violates "
         "accounting/QOS policy (job submit limit, user's size and/or time limits)",
         limit_reached},
        {"sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates "
         "accounting/QOS policy (job submit limit, user's size and/or time limits)",
         limit_reached},
        {"sbatch: error: QOSMaxWallDurationPerJobLimit\nsbatch: error: Batch job submission failed: Job "
         "violates "
         "accounting/QOS policy (job submit limit, user's size and/or time limits)",
         refused},
        {"Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size "
         "and/or time "
         "limits)",
         limit_reached},
        {"sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying", limit_reached},
        {"sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying\nsbatch: error: Batch "
         "job "
         "submission failed: Invalid partition name specified",
         refused},
        {"sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: "
         "Invalid "
         "partition name specified",
         refused},
        {"Batch job submission failed: Invalid account or account/partition combination specified", refused},
        {"Batch job submission failed: Requested node configuration is not available", refused},
        {"sbatch: unrecognized option '--nope'", refused},
        {"scancel: error: Kill job error on job id 12: Access/permission denied", permission},
        {"sbatch: error: Batch job submission failed: Protocol authentication error", authentication},
        {"sbatch: error: If munged is up, restart with --num-threads=10", authentication},
        {"sbatch: error: Batch job submission failed: something new", other},
        {"", other},
    };
    for (const auto& [text, failure] : cases) EXPECT_EQ(classify_failure(1, text), failure) << text;
}

TEST(SlurmFailure, IsKnownByTheExitCodeWhereThereAreNoWords) {
    EXPECT_EQ(classify_failure(0, "munge"), CommandFailure::none);
    EXPECT_EQ(classify_failure({}, ""), CommandFailure::timed_out);
    EXPECT_EQ(classify_failure({}, "Access/permission denied"), CommandFailure::permission);
    EXPECT_EQ(classify_failure(8, ""), CommandFailure::controller_unreachable);
    EXPECT_EQ(classify_failure(140, ""), CommandFailure::timed_out);
    EXPECT_EQ(classify_failure(210, ""), CommandFailure::permission);
    EXPECT_EQ(classify_failure(225, ""), CommandFailure::invalid_job_id);
    EXPECT_EQ(classify_failure(127, "sh: sbatch: not found"), CommandFailure::other);
    EXPECT_EQ(classify_failure(1, std::string(1 << 20, 'x') + "invalid QOS"), CommandFailure::refused);
}

TEST(SlurmFailure, HasAText) {
    EXPECT_EQ(to_string(CommandFailure::none), "no failure");
    EXPECT_EQ(to_string(CommandFailure::permission), "permission denied");
    EXPECT_EQ(to_string(CommandFailure::other), "another failure");
}

}  // namespace
}  // namespace coromd::queue::slurm
