// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What the agents write, on file systems that lag, lose and spoil.
#include "coromd/queue/spool.hpp"
#include "slurm_test.hpp"

namespace coromd::functional {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class SlurmRecords : public SlurmTest {
protected:
    queue::RunId id() const { return queue::run_id("job", 1); }
    /// Ends the job with its agent, so that there is no record.
    void end_without_record() const { slurm("scancel --full --signal=KILL " + only_id()); }
};

TEST_F(SlurmRecords, ThatComeLateCount) {
    auto meanwhile = [&]() -> task<void> {
        co_await until_ready();
        end_without_record();
        auto ended = [&] { return slurm("squeue -h").empty(); };
        std::function<bool()> condition = ended;
        co_await until(condition);
        co_await until_called("squeue", 2);
        queue::ExitRecord record;
        record.key = "job";
        record.attempt = 1;
        record.exit.exit_code = 0;
        record.exit.node = "n1";
        // And so does a file that it names.
        record.exit.files = {{"out", 5, ""}};
        queue::Spool(file("spool")).write_record(id(), record);
        auto taken = [&] { return !ledger_.ends.empty(); };
        co_await runtime::sleep_for(500ms);
        EXPECT_FALSE(taken());
        queue::test::write_file(file("jobs/job/job.attempt1/out"), "late\n");
    };
    Job job = waiting();
    const std::vector<JobResult> results = run_with({job.writes("out")}, meanwhile);
    EXPECT_TRUE(results[0].ok()) << results[0].reason;
    EXPECT_EQ(read("jobs/job/out"), "late\n");
    EXPECT_EQ(runs(), 1u);
}

TEST_F(SlurmRecords, ThatNeverComeAreAFailureThatTellsWhatIsKnown) {
    set("lost_after", "500 ms");
    auto meanwhile = [&]() -> task<void> {
        co_await until_ready();
        end_without_record();
    };
    const std::vector<JobResult> results = run_with({waiting()}, meanwhile);
    EXPECT_EQ(results[0].failure, FailureClass::infrastructure);
    for (const char* piece : {"FAILED", "left no record"}) EXPECT_THAT(results[0].reason, HasSubstr(piece));
}

TEST_F(SlurmRecords, ThatCannotBeReadAreAFailureThatNamesThem) {
    retries_.infrastructure = 1;
    auto meanwhile = [&]() -> task<void> {
        co_await until_ready();
        end_without_record();
        queue::test::write_file(file("spool/records/" + id().text() + ".json"), "{\"version\": 1, \"ke");
        queue::test::write_file(file("go"));
    };
    const std::vector<JobResult> results = run_with({waiting()}, meanwhile);
    EXPECT_TRUE(results[0].ok()) << results[0].reason;
    EXPECT_EQ(results[0].attempt, 2);
    EXPECT_EQ(ledger_.ends.at(0).failure, FailureClass::infrastructure);
    EXPECT_THAT(ledger_.ends.at(0).reason, HasSubstr(id().text() + ".json"));
}

TEST_F(SlurmRecords, OfOthersAndRubbishBesideThemDoNoHarm) {
    fs::create_directories(file("spool/records"));
    queue::test::write_file(file("spool/records/" + queue::run_id("other", 1).text() + ".json"), "rubbish");
    queue::test::write_file(file("spool/records/nothing"), "");
    queue::test::write_file(file("spool/records/" + id().text() + ".json.tmp"), "{");
    EXPECT_TRUE(run(script("true")).ok());
}

TEST_F(SlurmRecords, InAFolderThatIsGoneForAWhileAreWaitedFor) {
    auto meanwhile = [&]() -> task<void> {
        co_await until_ready();
        fs::rename(file("spool"), file("away"));
        queue::test::write_file(file("go"));
        co_await until_called("squeue", 3);
        fs::rename(file("away"), file("spool"));
    };
    const std::vector<JobResult> results = run_with({waiting()}, meanwhile);
    EXPECT_TRUE(results[0].ok()) << results[0].reason;
    EXPECT_EQ(runs(), 1u);
}

TEST_F(SlurmRecords, SlurmsOwnOutputIsRemovedAsTheSettingsSay) {
    const auto outputs = [&] {
        std::size_t n = 0;
        for (const auto& entry : fs::directory_iterator(file("spool") / "batches"))
            n += entry.path().extension() == ".out" ? 1 : 0;
        return n;
    };
    run(script("true", "good"));
    EXPECT_EQ(outputs(), 0u);
    run(script("exit 1", "bad"));
    EXPECT_EQ(outputs(), 1u) << "it stays for a person to read";
    for (const auto& [setting, left] : {std::pair{"never", 3u}, std::pair{"always", 3u}}) {
        set("remove_output", std::string(setting));
        TappedLedger ledger;
        const auto queue = make_queue(ledger);
        context_.run(queue->run(script("true", std::string("good-") + setting)));
        context_.run(queue->run(script("exit 1", std::string("bad-") + setting)));
        EXPECT_EQ(outputs(), left) << setting;
    }
}

TEST_F(SlurmRecords, OfAProgramThatCouldNotBeStartedAreItsError) {
    Job job("job", {file("no-such-program").string()});
    job.in_directory(file("jobs/job"));
    try {
        run(job);
        ADD_FAILURE() << "it ran";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("no-such-program"));
    }
    EXPECT_THAT(ledger_.ends, SizeIs(1));
}

}  // namespace
}  // namespace coromd::functional
