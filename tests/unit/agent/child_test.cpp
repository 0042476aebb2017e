// SPDX-License-Identifier: LGPL-3.0-or-later
#include "child.hpp"

#include <csignal>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "coromd/core/file.hpp"
#include "coromd/queue/attempt_files.hpp"
#include "unit/runtime/runtime_test.hpp"

namespace coromd::agent {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::Not;

class ChildTest : public testing::Test {
protected:
    pid_t start(const std::string& line) {
        job_.command = {"/bin/sh", "-c", line};
        return start_program(job_, temporary_.path());
    }
    std::string out() const { return read_text_file(temporary_.path() / queue::kStdoutFile); }
    void await_out(const std::string& text) const {
        const auto deadline = std::chrono::steady_clock::now() + 30s;
        while (out().find(text) == std::string::npos) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline) << out();
            std::this_thread::sleep_for(2ms);
        }
    }
    static int end_of(pid_t pid) {
        int status = 0;
        EXPECT_EQ(::waitpid(pid, &status, 0), pid);
        return status;
    }

    runtime::test::TemporaryDirectory temporary_;
    queue::JobFile job_;
};

TEST_F(ChildTest, RunsInItsDirectoryAndOurGroup) {
    const pid_t pid = start("pwd; ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat; exit 7");
    const int status = end_of(pid);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 7);
    EXPECT_THAT(out(), testing::StartsWith(temporary_.path().string() + "\n"));
    EXPECT_THAT(out(), testing::HasSubstr(std::to_string(::getpgrp()) + "\n"));
}

TEST_F(ChildTest, WhatCannotBeStartedThrowsAndLeavesNothing) {
    const std::size_t before = runtime::test::count_open_files();
    job_.command = {"/no/such/program"};
    EXPECT_THROW(start_program(job_, temporary_.path()), Error);
    job_.command = {"no-such-program-anywhere"};
    EXPECT_THROW(start_program(job_, temporary_.path()), Error);
    job_.command = {"true"};
    EXPECT_THROW(start_program(job_, temporary_.path() / "missing"), Error);
    EXPECT_EQ(runtime::test::count_open_files(), before);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "no child is left";
}

TEST_F(ChildTest, ALargeInputNeedsNobodyToFeedIt) {
    job_.input.assign(std::size_t{1} << 20, 'x');
    EXPECT_EQ(end_of(start("wc -c")), 0);
    EXPECT_EQ(out(), "1048576\n");
}

TEST_F(ChildTest, NoSignalStaysBlockedOrIgnored) {
    sigset_t set;
    sigset_t old;
    sigfillset(&set);
    ::sigprocmask(SIG_BLOCK, &set, &old);
    auto* const handler = std::signal(SIGPIPE, SIG_IGN);
    // Not in a shell, which unblocks them itself.
    job_.command = {"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"};
    const pid_t pid = start_program(job_, temporary_.path());
    std::signal(SIGPIPE, handler);
    ::sigprocmask(SIG_SETMASK, &old, nullptr);
    EXPECT_EQ(end_of(pid), 0);
    EXPECT_EQ(out(), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(ChildTest, TheLeavesAreWhatAScriptRuns) {
    const pid_t shell = start("sh -c 'sleep 1000; :' & sleep 1000 & echo $!; wait");
    await_out("\n");
    const pid_t sleeper = std::atoi(out().c_str());
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (descendants().size() < 4 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(2ms);
    EXPECT_THAT(descendants(), Contains(shell));
    EXPECT_EQ(descendants().size(), 4u);
    EXPECT_THAT(leaf_descendants(), Contains(sleeper));
    EXPECT_THAT(leaf_descendants(), Not(Contains(shell)));
    EXPECT_EQ(leaf_descendants().size(), 2u);
    for (const pid_t pid : descendants()) ::kill(pid, SIGKILL);
    EXPECT_TRUE(WIFSIGNALED(end_of(shell)));
    EXPECT_TRUE(descendants().empty());
}

}  // namespace
}  // namespace coromd::agent
