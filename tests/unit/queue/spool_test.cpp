// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/queue/spool.hpp"

#include <unistd.h>

#include "fixtures.hpp"

namespace coromd::queue {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SpoolTest : public testing::Test {
protected:
    ExitRecord record(int attempt, int restart = 0) const {
        ExitRecord record;
        record.key = "a/job";
        record.attempt = attempt;
        record.exit.restart = restart;
        record.exit.exit_code = 0;
        record.exit.files = {{"md.xtc", 7, "abc"}};
        return record;
    }
    static RunId run(int attempt, int restart = 0) { return run_id("a/job", attempt, restart); }

    TemporaryDirectory temporary_;
    Spool spool_{temporary_.path() / "spool"};
    Runner me_ = this_process();
};

TEST(RunId, IsReadAsItIsWritten) {
    const RunId id = run_id("walkers/003/md.part0004", 12, 3);
    EXPECT_EQ(RunId::parse(id.text()), id);
    for (const char* bad :
         {"", "x", "0.1", "0.1.0.1", "0.1.0x", "0.0.0", "0.1.-1", "0..1", "zz.1.0", "11112222333344445.1.0"})
        EXPECT_EQ(RunId::parse(bad), std::nullopt) << bad;
}

TEST_F(SpoolTest, ARunIsTakenOnce) {
    EXPECT_TRUE(spool_.claim(run(1), me_));
    EXPECT_FALSE(spool_.claim(run(1), me_));
    EXPECT_TRUE(spool_.claim(run_id("another", 1), me_));
}

TEST_F(SpoolTest, ALaterRunTakesOverAndAnEarlierOneMustStop) {
    EXPECT_TRUE(spool_.claim(run(1), me_));
    EXPECT_TRUE(spool_.beat(run(1)));
    EXPECT_TRUE(spool_.claim(run(1, 1), me_));
    EXPECT_FALSE(spool_.beat(run(1)));
    EXPECT_TRUE(spool_.claim(run(2), me_));
    EXPECT_FALSE(spool_.beat(run(1, 1)));
    EXPECT_TRUE(spool_.beat(run(2)));
    EXPECT_FALSE(spool_.claim(run(1, 7), me_)) << "attempt 2 is later than any restart of attempt 1";
}

TEST_F(SpoolTest, WhoWasGivenUpMustStopAndMayNotBegin) {
    EXPECT_TRUE(spool_.claim(run(1), me_));
    EXPECT_FALSE(spool_.stop_requested(run(1)));
    spool_.request_stop(run(1));
    EXPECT_TRUE(spool_.stop_requested(run(1)));
    EXPECT_FALSE(spool_.claim(run(1, 1), me_));
    EXPECT_TRUE(spool_.claim(run(2), me_));
}

TEST_F(SpoolTest, TheRunnerIsKnownByItsProcess) {
    EXPECT_FALSE(spool_.runner(run(1)));
    ASSERT_TRUE(spool_.claim(run(1), me_));
    const auto runner = spool_.runner(run(1));
    ASSERT_TRUE(runner);
    EXPECT_EQ(runner->pid, ::getpid());
    EXPECT_EQ(runner->start_time, me_.start_time);
    EXPECT_EQ(runner->boot_id, me_.boot_id);
    EXPECT_GT(runner->beat_ms, 1'600'000'000'000);
    EXPECT_EQ(spool_.last_claim(run(1)), run(1));
    EXPECT_EQ(spool_.last_claim(run(2)), std::nullopt);
}

TEST_F(SpoolTest, RecordsAreFoundByOneReadOfTheDirectory) {
    EXPECT_THAT(spool_.records(), IsEmpty());
    spool_.write_record(run(1), record(1));
    write_file(spool_.directory() / "records" / ".half.json.tmp");
    write_file(spool_.directory() / "records" / "readme.json");
    EXPECT_THAT(spool_.records(), ElementsAre(run(1)));
    EXPECT_TRUE(spool_.has_record(run(1)));
    EXPECT_FALSE(spool_.has_record(run(2)));
    EXPECT_EQ(spool_.read_record(run(1))->exit.files.at(0).fingerprint, "abc");
    EXPECT_FALSE(spool_.read_record(run(2)));
}

TEST_F(SpoolTest, AFileNameOfAnyBytesIsReadAsItWas) {
    ExitRecord odd = record(1);
    odd.exit.files = {{"\xff\x01.xtc", 1, "abc"}, {"Ümlaut %ff.xtc", 2, ""}};
    spool_.write_record(run(1), odd);
    const auto files = spool_.read_record(run(1))->exit.files;
    ASSERT_EQ(files.size(), 2u);
    EXPECT_EQ(files[0].name, "\xff\x01.xtc");
    EXPECT_EQ(files[1].name, "Ümlaut %ff.xtc");

    // Hexadecimal names are no way around what a name may be.
    const std::string text = odd.to_json();
    const auto at = text.find("ff012e787463");
    ASSERT_NE(at, text.npos);
    for (const char* bad : {"2e2e2f78", "6a6f622e6f7574", "f", "zz", ""})
        EXPECT_THROW(ExitRecord::from_json(std::string(text).replace(at, 12, bad)), Error) << bad;
}

TEST_F(SpoolTest, AClaimThatCannotBeLookedUpIsNone) {
    write_file(spool_.directory() / "claims" / run(1).text().substr(0, 16), "a file, not a folder");
    EXPECT_THROW(spool_.claim(run(1), me_), Error);
    EXPECT_THROW(spool_.last_claim(run(1)), Error);
    EXPECT_TRUE(spool_.beat(run(1))) << "an error is no reason to lose work";
}

TEST_F(SpoolTest, ARecordThatIsRubbishIsNamed) {
    const std::filesystem::path file = spool_.directory() / "records" / (run(1).text() + ".json");
    for (const std::string& text : {std::string(""), std::string("{}"), std::string("{\"version\": 9}"),
                                    std::string("[1"), record(2).to_json(), record(1, 1).to_json()}) {
        write_file(file, text);
        try {
            spool_.read_record(run(1));
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_THAT(error.what(), HasSubstr(run(1).text()));
        }
    }
}

TEST_F(SpoolTest, NothingIsLeftOfAJobThatIsFinished) {
    for (const RunId id : {run(1), run(1, 1)}) {
        ASSERT_TRUE(spool_.claim(id, me_));
        spool_.write_record(id, record(1, id.restart));
    }
    spool_.remove(run(1), false);
    EXPECT_THAT(spool_.records(), IsEmpty());
    EXPECT_TRUE(spool_.runner(run(1))) << "its claims keep earlier runs from going on";
    spool_.remove(run(1), true);
    EXPECT_FALSE(spool_.beat(run(1))) << "one that still runs stops";
    EXPECT_FALSE(spool_.last_claim(run(1)));
}

TEST_F(SpoolTest, AClaimThatCannotBeReadIsNone) {
    ASSERT_TRUE(spool_.claim(run(1), me_));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(spool_.directory() / "claims"))
        if (entry.is_regular_file())
            for (const char* text : {"", "{\"version\": 1", "nonsense", "{\"version\":1,\"pid\":-1}"}) {
                write_file(entry.path(), text);
                EXPECT_FALSE(spool_.runner(run(1))) << text;
            }
}

TEST(JobFile, IsReadAsItIsWritten) {
    JobFile file;
    file.key = "a/job";
    file.attempt = 3;
    file.spool = "/campaign/spool";
    file.directory = "/campaign/a/job.attempt3";
    file.command = {"gmx", "mdrun", "-s", "Ümlaut and \"quotes\".tpr"};
    file.environment = {{"A", "b"}};
    file.input = "text\n";
    file.walltime = std::chrono::milliseconds(90'000);
    file.grace = std::chrono::milliseconds(60'000);
    file.stop.log = "md.log";
    file.stop.ready = "Started";
    file.cores = {2, 3};
    file.gpus = {1};
    file.recoverable = true;
    EXPECT_EQ(JobFile::from_json(file.to_json()).to_json(), file.to_json());

    file.command = {"\xff"};
    EXPECT_THROW(file.to_json(), Error);
}

TEST(JobFile, RubbishIsRefused) {
    JobFile file;
    file.key = "a";
    file.attempt = 1;
    file.spool = "/s";
    file.directory = "/d";
    file.command = {"true"};
    const std::string good = file.to_json();
    ASSERT_NO_THROW(JobFile::from_json(good));
    const auto with = [&](const std::string& what, const std::string& by) {
        std::string text = good;
        const auto at = text.find(what);
        EXPECT_NE(at, text.npos) << what;
        return text.replace(at, what.size(), by);
    };
    for (const std::string& text :
         {std::string(), std::string("{"), with("\"version\": 1", "\"version\": 2"), with("\"/d\"", "\"d\""),
          with("\"attempt\": 1", "\"attempt\": 0"), with("\"attempt\": 1", "\"attempt\": 1e99"),
          with("\"true\"", ""), with("\"true\"", "7"), with("\"signal\": 15", "\"signal\": 0"),
          with("\"signal\": 15", "\"signal\": 99"), with("\"grace_ms\": 0", "\"grace_ms\": -1"),
          with("\"walltime_ms\": 0", "\"walltime_ms\": 9000000000000000000")})
        EXPECT_THROW(JobFile::from_json(text), Error) << text;
}

}  // namespace
}  // namespace coromd::queue
