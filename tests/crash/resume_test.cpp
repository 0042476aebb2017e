// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What else happens to a program that is started again: it dies again, it is started twice at once, the
// clock has gone backwards, the campaign lies somewhere else.
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include <sys/wait.h>

#include <gmock/gmock.h>

#include "coromd/core/file.hpp"
#include "harness.hpp"

namespace coromd::crash {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// When the first job of each walker runs.
const Kill kInTheMiddle{"run.agent_run.submitted", 2};

class Resumed : public CrashTest {
protected:
    Resumed() { prepare(scripts_on("local")); }

    /// Lets the scripts wait until go() is called; their names are in the witness when they begin.
    std::map<std::string, std::string> waiting() const { return {{"CRASH_GO", (folder_ / "go").string()}}; }
    void go() const { write("go", ""); }
};

/// The points that a text of C++ names.
std::set<std::string> points_in(const std::string& text) {
    static const std::regex point("fault_point\\(\"([^\"]+)\"\\)");
    std::set<std::string> points;
    for (std::sregex_iterator found(text.begin(), text.end(), point), end; found != end; ++found)
        points.insert((*found)[1]);
    return points;
}

TEST_F(Resumed, EveryPointOfTheSourcesIsPassedByACampaignThatIsKilled) {
    std::set<std::string> points;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(COROMD_SOURCES))
        if (entry.path().extension() == ".cpp") points.merge(points_in(read_text_file(entry.path())));
    EXPECT_GT(points.size(), 30u);
    Passages passed = passages();
    passed.merge(passages(&kInTheMiddle));
    prepare(scripts_on("slurm"));
    passed.merge(passages());
    for (const auto& [name, count] : passed) points.erase(name.substr(name.find('.') + 1));
    EXPECT_THAT(points, testing::IsEmpty()) << "no test kills anything there";
    std::printf("%zu points of processes\n", passed.size());
}

TEST_F(Resumed, ItDiesAgain) {
    const Passages undisturbed = passages();
    const std::string expected = result();
    const Passages second = passages(&kInTheMiddle);
    EXPECT_TRUE(second.contains("run.lease.removed"));
    int kills = 0;
    for (const auto& [point, count] : second) {
        if (!point.starts_with("run.") || (COROMD_CRASH_SAMPLE && undisturbed.contains(point))) continue;
        SCOPED_TRACE("killed again at " + point);
        clear();
        EXPECT_TRUE(run_until(kInTheMiddle));
        kills += run_until({point, 1}) ? 1 : 0;
        const Ended ended = run();
        EXPECT_EQ(ended.exit_code, 0) << ended.err;
        expect_promise(expected);
        if (HasFailure()) return;
    }
    EXPECT_GT(kills, 0);
    std::printf("%d kills\n", kills);
}

TEST_F(Resumed, OfTwoThatAreStartedAtOnceOneRuns) {
    passages();
    const std::string expected = result();
    for (int round = 0; round < (COROMD_CRASH_SAMPLE ? 3 : 30); ++round) {
        clear();
        fs::remove(folder_ / "go");
        // Every second time there is a campaign whose owner is dead.
        if (round % 2 == 1) {
            EXPECT_TRUE(run_until(kInTheMiddle, waiting()));
        }
        const std::set<pid_t> both{start_run(waiting()), start_run(waiting())};
        int status = 0;
        const pid_t refused = ::wait(&status);
        EXPECT_TRUE(both.contains(refused));
        EXPECT_EQ(WEXITSTATUS(status), 2) << read("stderr");
        EXPECT_THAT(read("stderr"), HasSubstr("is in use by process"));
        go();
        const pid_t other = ::wait(&status);
        EXPECT_TRUE(both.contains(other) && other != refused);
        EXPECT_EQ(status, 0) << read("stderr");
        expect_promise(expected);
        if (HasFailure()) return;
    }
}

TEST_F(Resumed, TheClockHasGoneBackwards) {
    passages();
    const std::string expected = result();
    for (const char* shift : {"-86400000", "86400000", "-1790000000000"}) {
        SCOPED_TRACE(shift);
        clear();
        EXPECT_TRUE(run_until(kInTheMiddle));
        const Ended ended = run({{"COROMD_FAULT_CLOCK_MS", shift}});
        EXPECT_EQ(ended.exit_code, 0) << ended.err;
        expect_promise(expected);
    }
}

TEST_F(Resumed, ItLiesSomewhereElseWhileItsJobsRun) {
    passages();
    const std::string expected = result();
    clear();
    EXPECT_TRUE(run_until(kInTheMiddle, waiting()));
    await("witness", "begin walkers/0/segment1");
    await("witness", "begin walkers/1/segment1");
    fs::rename(campaign(), folder_ / "place" / "moved");
    workload_.command.back() = "place/moved";
    const pid_t next = start_run();
    await("place/moved/coromd.log", "going on with attempt 1");
    go();
    const Ended ended = wait(next);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_FALSE(fs::exists(campaign())) << "something was written to where it was";
    fs::rename(folder_ / "place" / "moved", campaign());
    expect_promise(expected);
}

}  // namespace
}  // namespace coromd::crash
