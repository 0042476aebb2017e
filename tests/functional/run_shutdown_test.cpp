// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The ways in which a program that runs a campaign is ended, other than by Ctrl-C in a pipe, and what
// becomes of its jobs; programs that run in the background; inputs that have changed; disks that get full.
#include <csignal>
#include <string>

#include <gmock/gmock.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.hpp"

namespace coromd::functional {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Shutdown : public CampaignTest {
protected:
    Shutdown() {
        environment_["FAKE_GMX_MS_PER_FRAME"] = "20";
        write_campaign("\"1 s\"", "\"1 min\"");
    }

    std::size_t mdruns(const std::string& word) const {
        std::size_t n = 0;
        for (const std::string& line : commands("mdrun")) n += line.starts_with(word) ? 1 : 0;
        return n;
    }
    void expect_each_part_once() const {
        EXPECT_EQ(mdruns("start"), 4u) << read("commands.log");
        EXPECT_EQ(mdruns("end"), 4u);
    }
    /// Waits until no program runs the campaign.
    void await_end() const {
        for (int i = 0; i < 6000 && fs::exists(folder_ / "turn.campaign/lease.json"); ++i) ::usleep(10'000);
        EXPECT_FALSE(fs::exists(folder_ / "turn.campaign/lease.json"));
    }
};

TEST_F(Shutdown, StopEndsTheProgramAndItsJobs) {
    const pid_t pid = start({"run", "campaign.toml"});
    await("commands.log", "mdrun");
    const Ended stop = coromd({"stop", "turn.campaign"});
    EXPECT_EQ(stop.exit_code, 0);
    EXPECT_THAT(stop.out, HasSubstr("start the same again to go on"));
    EXPECT_EQ(wait(pid).exit_code, 130);
    EXPECT_EQ(mdruns("end"), mdruns("start"));
}

TEST_F(Shutdown, JobsThatAreLeftRunningAreFoundAgain) {
    const pid_t pid = start({"run", "campaign.toml"});
    await("commands.log", "walkers/001/md.part0001");
    EXPECT_EQ(coromd({"stop", "turn.campaign", "--jobs", "leave"}).exit_code, 0);
    const Ended left = wait(pid);
    EXPECT_EQ(left.exit_code, 130);
    EXPECT_THAT(left.err, HasSubstr("jobs run on"));
    EXPECT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    expect_each_part_once();
}

TEST_F(Shutdown, StopOfACampaignThatNobodyRuns) {
    EXPECT_EQ(coromd({"stop", "turn.campaign"}).exit_code, 2);
    environment_["FAKE_GMX_MS_PER_FRAME"] = "0";
    ASSERT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    const Ended stop = coromd({"stop", "turn.campaign"});
    EXPECT_EQ(stop.exit_code, 0);
    EXPECT_THAT(stop.out, HasSubstr("No program runs"));
    EXPECT_EQ(coromd({"stop", "turn.campaign", "--jobs", "maybe"}).exit_code, 2);
}

TEST_F(Shutdown, AnOldRequestEndsNoNewProgram) {
    environment_["FAKE_GMX_MS_PER_FRAME"] = "0";
    ASSERT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    write("turn.campaign/stop.request", "stop");
    EXPECT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
}

TEST_F(Shutdown, ADetachedProgramGoesOnAndCanBeFollowed) {
    const Ended begun = coromd({"run", "campaign.toml", "--detach"});
    ASSERT_EQ(begun.exit_code, 0) << begun.err;
    EXPECT_THAT(begun.out, AllOf(HasSubstr("coromd attach '"), HasSubstr("turn.campaign'")));
    const Ended second = coromd({"run", "campaign.toml", "--detach"});
    EXPECT_EQ(second.exit_code, 2);
    EXPECT_THAT(second.err, HasSubstr("in use by process"));
    const Ended followed = coromd({"attach", "turn.campaign"});
    EXPECT_EQ(followed.exit_code, 0);
    EXPECT_THAT(followed.out, AllOf(HasSubstr("reached"), HasSubstr("committor (95 %")));
    EXPECT_FALSE(fs::exists(folder_ / "turn.campaign/lease.json"));
    expect_each_part_once();
}

TEST_F(Shutdown, WhatIsWrongIsToldBeforeItIsDetached) {
    write_campaign("kind = \"committor\"", "kind = \"comittor\"");
    const Ended ended = coromd({"run", "campaign.toml", "--detach"});
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.err, HasSubstr("comittor"));
    EXPECT_EQ(ended.out, "");
}

TEST_F(Shutdown, AttachTellsThatTheProgramWasKilled) {
    ASSERT_EQ(coromd({"run", "campaign.toml", "--detach"}).exit_code, 0);
    const std::string lease = read("turn.campaign/lease.json");
    const pid_t pid = std::stoi(lease.substr(lease.find("\"pid\":") + 6));
    ::kill(pid, SIGKILL);
    const Ended followed = coromd({"attach", "turn.campaign"});
    EXPECT_NE(followed.exit_code, 0);
    EXPECT_THAT(followed.err, HasSubstr("was killed"));
    EXPECT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
}

TEST_F(Shutdown, ChangedInputsAreGoneOnWithWhereThatIsWanted) {
    environment_["FAKE_GMX_MS_PER_FRAME"] = "0";
    ASSERT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    write_campaign("turn > 20*deg", "turn > 10*deg");
    EXPECT_EQ(coromd({"run", "campaign.toml"}).exit_code, 2);
    const Ended stays = coromd({"run", "campaign.toml", "--changed", "go-on"});
    EXPECT_EQ(stays.exit_code, 0) << stays.err;
    EXPECT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0) << "the change is recorded";
    EXPECT_EQ(coromd({"run", "campaign.toml", "--changed", "fork"}).exit_code, 2);
}

TEST_F(Shutdown, ADiskThatIsFullBeginsNothing) {
    write_campaign("seed = 7", "seed = 7\nmin_free_mib = 1000000000000");
    const Ended ended = coromd({"run", "campaign.toml"});
    EXPECT_NE(ended.exit_code, 0);
    EXPECT_THAT(ended.err, AllOf(HasSubstr("nothing is begun"), HasSubstr("min_free_mib")));
    EXPECT_EQ(read("commands.log"), "");
}

/// A coromd at a terminal.
class AtATerminal : public Shutdown {
protected:
    void run_there() {
        for (const auto& [name, value] : environment_) ::setenv(name.c_str(), value.c_str(), 1);
        pid_ = ::forkpty(&terminal_, nullptr, nullptr, nullptr);
        if (pid_ == 0) {
            if (::chdir(folder_.c_str()) == 0)
                ::execl(COROMD_PROGRAM, "coromd", "run", "campaign.toml", nullptr);
            ::_exit(127);
        }
    }
    /// Reads until `text` comes.
    void expect_said(const std::string& text) {
        char buffer[4096];
        while (said_.find(text) == said_.npos) {
            const ssize_t n = ::read(terminal_, buffer, sizeof buffer);
            if (n <= 0) break;
            said_.append(buffer, static_cast<std::size_t>(n));
        }
        EXPECT_THAT(said_, HasSubstr(text));
    }
    void type(const std::string& text) const {
        EXPECT_EQ(::write(terminal_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    int end() {
        char buffer[4096];
        while (::read(terminal_, buffer, sizeof buffer) > 0) {
        }
        int status = 0;
        ::waitpid(pid_, &status, 0);
        ::close(terminal_);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

    int terminal_ = -1;
    pid_t pid_ = 0;
    std::string said_;
};

TEST_F(AtATerminal, APersonIsAskedAndJobsAreLeftRunning) {
    run_there();
    await("commands.log", "walkers/001/md.part0001");
    type("\x03");
    expect_said("What shall become of the jobs");
    type("l\n");
    EXPECT_EQ(end(), 130);
    EXPECT_EQ(coromd({"run", "campaign.toml"}).exit_code, 0);
    expect_each_part_once();
}

TEST_F(AtATerminal, WhoAnswersGoLetsItGoOn) {
    run_there();
    await("commands.log", "mdrun");
    type("\x03");
    expect_said("What shall become of the jobs");
    type("g\n");
    EXPECT_EQ(end(), 0);
    expect_each_part_once();
}

TEST_F(AtATerminal, AnotherControlCIsTheUsual) {
    run_there();
    await("commands.log", "mdrun");
    type("\x03");
    expect_said("What shall become of the jobs");
    type("\x03");
    expect_said("Stopping");
    EXPECT_EQ(end(), 130);
    EXPECT_EQ(mdruns("end"), mdruns("start"));
}

}  // namespace
}  // namespace coromd::functional
