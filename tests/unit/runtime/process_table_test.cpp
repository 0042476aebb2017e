// SPDX-License-Identifier: LGPL-3.0-or-later
#include "process_table.hpp"

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/race.hpp"
#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;

TEST(ProcessTable, ParsesNamesWithBlanksAndParentheses) {
    const auto entry = detail::parse_process_entry(
        "12 (a) b (c) S 1 34 34 0 -1 4194560 91 0 0 0 0 0 0 0 20 0 1 0 987654321 2306048 150 1844\n");
    ASSERT_TRUE(entry);
    EXPECT_TRUE(entry->lives);
    EXPECT_EQ(entry->group, 34);
    EXPECT_EQ(entry->start_time, "987654321");
    EXPECT_FALSE(
        detail::parse_process_entry("12 (x) Z 1 34 34 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n")->lives);
}

TEST(ProcessTable, RefusesWhatIsCutOff) {
    const std::string line = "12 (x) S 1 34 34 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5";
    for (std::size_t n = 0; n < line.size(); ++n) {
        EXPECT_FALSE(detail::parse_process_entry(line.substr(0, n))) << n;
    }
    EXPECT_TRUE(detail::parse_process_entry(line));
    EXPECT_FALSE(detail::parse_process_entry("12 (x) S 1 3x 34 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5"));
}

TEST(ProcessTable, KnowsThisProcess) {
    const std::optional<std::string> start = process_start_time(::getpid());
    ASSERT_TRUE(start);
    EXPECT_TRUE(process_is(::getpid(), *start));
    EXPECT_FALSE(process_is(::getpid(), *start + "1"));
    EXPECT_FALSE(process_is(-1, *start));
    EXPECT_TRUE(detail::group_lives(::getpgrp()));
    EXPECT_EQ(boot_id().size(), 36u);
}

TEST(ProcessTable, WhatOnlyWaitsToBeReapedIsGone) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::setpgid(0, 0);
        ::_exit(0);
    }
    while (process_start_time(child)) ::usleep(100);
    ASSERT_TRUE(detail::process_entry(child));
    EXPECT_FALSE(process_start_time(child));
    EXPECT_FALSE(detail::group_lives(child));
    Context context;
    context.run(wait_for_foreign(child, detail::process_entry(child)->start_time));
    EXPECT_EQ(::waitpid(child, nullptr, 0), child);
}

class WaitForForeign : public testing::TestWithParam<ExitNotice> {};
INSTANTIATE_TEST_SUITE_P(Notices, WaitForForeign,
                         testing::Values(ExitNotice::automatic, ExitNotice::without_pidfd));

TEST_P(WaitForForeign, ReturnsAtOnceForAnotherOrNone) {
    Context context;
    context.run(wait_for_foreign(::getpid(), "another", GetParam()));
    context.run(wait_for_foreign(0, "none", GetParam()));
}

TEST_P(WaitForForeign, WaitsForTheEnd) {
    // A grandchild: no child of ours, and reparented.
    Context context;
    Process parent = Process::start(context, Command({"sh", "-c", "sleep 1000 > /dev/null 2>&1 & echo $!"}));
    context.run(parent.wait());
    const pid_t pid = std::stoi(parent.stdout_tail());
    const std::string start = process_start_time(pid).value();
    const std::size_t files = count_open_files();
    bool killed = false;
    auto waiter = [&]() -> task<> {
        co_await wait_for_foreign(pid, start, GetParam());
        EXPECT_TRUE(killed);
    };
    auto killer = [&]() -> task<> {
        co_await settle();
        killed = true;
        ::kill(pid, SIGKILL);
    };
    context.run(gather(waiter(), killer()));
    EXPECT_FALSE(process_is(pid, start));
    EXPECT_LE(count_open_files(), files);
}

TEST_P(WaitForForeign, CancelledWaitDoesNotTouchTheProcess) {
    Context context;
    Process process = Process::start(context, Command({"sleep", "1000"}));
    const std::size_t files = count_open_files();
    auto body = [&]() -> task<> {
        std::vector<task<>> racers;
        racers.push_back(wait_for_foreign(process.pid(), process.start_time(), GetParam()));
        racers.push_back(take_turns(5));
        EXPECT_EQ((co_await race(std::move(racers))).index, 1u);
        EXPECT_TRUE(process_is(process.pid(), process.start_time()));
        EXPECT_EQ(count_open_files(), files);
        process.signal(SIGKILL);
        co_await process.wait();
    };
    context.run(body());
}

}  // namespace
}  // namespace coromd::runtime
