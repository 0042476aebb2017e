// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/process.hpp"

#include <csignal>
#include <fstream>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coromd/core/file.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/race.hpp"
#include "coromd/runtime/semaphore.hpp"
#include "process_table.hpp"
#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::StartsWith;

Command shell(std::string script) {
    return Command({"/bin/sh", "-c", std::move(script)});
}

/// Each test runs with pidfd and with the fallback.
class ProcessTest : public testing::TestWithParam<ExitNotice> {
protected:
    Process start(const Command& command) { return Process::start(context, command, GetParam()); }

    ProcessResult run(const Command& command) {
        Process process = start(command);
        context.run(process.wait());
        return process.result();
    }

    Context context{1};
};

INSTANTIATE_TEST_SUITE_P(Notices, ProcessTest,
                         testing::Values(ExitNotice::automatic, ExitNotice::without_pidfd),
                         [](const auto& info) {
                             return info.param == ExitNotice::automatic ? "automatic" : "without_pidfd";
                         });

TEST_P(ProcessTest, ReportsExitCodesAndSignals) {
    EXPECT_TRUE(run(Command({"true"})).status.success());
    EXPECT_EQ(run(shell("exit 7")).status.exit_code, 7);
    EXPECT_EQ(run(shell("kill -KILL $$")).status.text(), "killed by signal 9 (Killed)");
}

TEST_P(ProcessTest, NoticesOneThatEndedLongAgo) {
    Process process = start(Command({"true"}));
    while (process_start_time(process.pid())) ::usleep(1000);
    EXPECT_TRUE(context.run(process.wait()).success());
    EXPECT_TRUE(context.run(process.wait()).success());
    EXPECT_TRUE(process.ended());
}

TEST_P(ProcessTest, KeepsTheEndOfTheOutputAndCountsAll) {
    const ProcessResult result = run(shell("seq 1 100000; echo oops >&2").tail_limit(20));
    EXPECT_EQ(result.stdout_tail.size(), 20u);
    EXPECT_THAT(result.stdout_tail, testing::EndsWith("\n99999\n100000\n"));
    EXPECT_EQ(result.stdout_bytes, 588'895u);
    EXPECT_EQ(result.stderr_tail, "oops\n");
    EXPECT_EQ(result.stderr_bytes, 5u);
}

TEST_P(ProcessTest, ReadsItsInputOrNothing) {
    EXPECT_EQ(run(Command({"cat"})).stdout_tail, "");
    EXPECT_EQ(run(Command({"cat"}).input("protein\nsol\n")).stdout_tail, "protein\nsol\n");
    EXPECT_EQ(run(Command({"wc", "-c"}).input(std::string(1 << 20, 'x'))).stdout_tail, "1048576\n");
    EXPECT_TRUE(run(Command({"true"}).input(std::string(1 << 20, 'x'))).status.success());
}

TEST_P(ProcessTest, RunsInItsDirectoryWithItsEnvironment) {
    const TemporaryDirectory folder;
    const std::string script = "pwd -P; echo \"$COROMD_TEST\"; echo \"$PATH\"";
    const ProcessResult result = run(shell(script)
                                         .working_directory(folder.path())
                                         .environment("COROMD_TEST", "a b")
                                         .environment("PATH", "/x"));
    EXPECT_EQ(result.stdout_tail, std::filesystem::canonical(folder.path()).string() + "\na b\n/x\n");
}

TEST_P(ProcessTest, WritesItsOutputToFiles) {
    const TemporaryDirectory folder;
    const auto out = folder.path() / "out";
    const auto err = folder.path() / "err";
    std::ofstream(out) << "what was there before, and longer";
    const ProcessResult result = run(shell("echo one; echo two >&2").output_files(out, err));
    EXPECT_EQ(result.stdout_tail, "");
    EXPECT_EQ(result.stdout_bytes, 0u);
    EXPECT_EQ(read_text_file(out), "one\n");
    EXPECT_EQ(read_text_file(err), "two\n");

    run(shell("echo one; echo two >&2; echo three").output_files(out, out));
    EXPECT_EQ(read_text_file(out), "one\ntwo\nthree\n");
}

TEST_P(ProcessTest, IsNotHeldUpByAGrandchildWithThePipe) {
    const ProcessResult result = run(shell("sleep 1000 & echo $!"));
    EXPECT_TRUE(result.status.success());
    ASSERT_FALSE(result.stdout_tail.empty());
    EXPECT_EQ(::kill(std::stoi(result.stdout_tail), SIGKILL), 0);
}

TEST_P(ProcessTest, IsNotHeldUpByAGrandchildThatWritesForEver) {
    Process process = start(shell("yes & echo $! >&2"));
    EXPECT_TRUE(context.run(process.wait()).success());
    process.signal_group(SIGKILL);
}

TEST_P(ProcessTest, CancelledWaitDoesNotTouchTheProcess) {
    Process process = start(Command({"sleep", "1000"}));
    auto body = [&]() -> task<> {
        std::vector<task<>> racers;
        auto wait = [&]() -> task<> { co_await process.wait(); };
        racers.push_back(wait());
        racers.push_back(take_turns(3));
        EXPECT_EQ((co_await race(std::move(racers))).index, 1u);
        EXPECT_TRUE(process_is(process.pid(), process.start_time()));
        process.signal(SIGTERM);
        EXPECT_EQ((co_await process.wait()).signal, SIGTERM);
        EXPECT_FALSE(process_is(process.pid(), process.start_time()));
        process.signal(SIGKILL);
        process.signal_group(SIGKILL);
    };
    context.run(body());
}

TEST_P(ProcessTest, AnyNumberMayWait) {
    Process process = start(shell("exit 4"));
    auto [a, b] = context.run(gather(process.wait(), process.wait()));
    EXPECT_EQ(a.exit_code, 4);
    EXPECT_EQ(b.exit_code, 4);
}

TEST_P(ProcessTest, LeadsAGroupAndSignalsIt) {
    Process process = start(shell("sleep 1000 & sleep 1000"));
    EXPECT_EQ(detail::process_entry(process.pid())->group, process.pid());
    process.signal_group(SIGTERM);
    EXPECT_EQ(context.run(process.wait()).signal, SIGTERM);
}

TEST_P(ProcessTest, StartsWithDefaultSignalsAndNothingBlocked) {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    struct sigaction before {};
    sigaction(SIGPIPE, &ignore, &before);
    sigset_t block;
    sigset_t mask_before;
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &block, &mask_before);
    const ProcessResult result = run(Command({"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"}));
    pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
    sigaction(SIGPIPE, &before, nullptr);
    EXPECT_THAT(result.stdout_tail, StartsWith("SigBlk:\t0000000000000000\n"));
    const std::size_t ignored_at = result.stdout_tail.rfind('\t');
    const std::uint64_t ignored = std::stoull(result.stdout_tail.substr(ignored_at), nullptr, 16);
    EXPECT_EQ(ignored & 0x7fffffffu, 0u);  // 32 and 33 are the C library's own
}

TEST_P(ProcessTest, InheritsNoDescriptorButTheStandardOnes) {
    const int leaky = ::open("/dev/null", O_RDONLY);  // as libraries open files
    const ProcessResult result = run(Command({"ls", "/proc/self/fd"}));
    ::close(leaky);
    EXPECT_EQ(result.stdout_tail, "0\n1\n2\n3\n");  // 3 is the directory that ls reads
}

TEST_P(ProcessTest, WorksWhereStandardDescriptorsAreClosed) {
    run(Command({"true"}));  // so that the loop has opened what it needs
    Command command = shell("cat; echo error >&2");
    command.input("hello");
    for (const std::vector<int>& closed : {std::vector{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}}) {
        std::vector<FileDescriptor> saved;
        for (const int fd : closed) saved.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 10));
        for (const int fd : closed) ::close(fd);
        const ProcessResult result = run(command);
        for (std::size_t i = 0; i < closed.size(); ++i) ::dup2(saved[i].get(), closed[i]);
        EXPECT_EQ(result.stdout_tail, "hello");
        EXPECT_EQ(result.stderr_tail, "error\n");
    }
}

TEST_P(ProcessTest, KnowsWhatItUsed) {
    const ProcessResult result = run(shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"));
    EXPECT_GT(result.pid, 0);
    EXPECT_GT(result.wall_time.count(), 0);
    EXPECT_GT(result.cpu_time.count(), 0);
    EXPECT_GT(result.max_rss_bytes, 100'000u);
}

TEST_P(ProcessTest, LeavesNoDescriptorsBehind) {
    run(Command({"true"}));  // so that the loop has opened what it needs
    const std::size_t before = count_open_files();
    Semaphore slots(8);
    auto one = [&](int i) -> task<> {
        const Permit slot = co_await slots.acquire();
        Command command({"true"});
        if (i % 2) command.input("x");
        Process process = start(command);
        if (i % 3) co_await process.wait();  // the others are left to the loop
    };
    std::vector<task<>> all;
    for (int i = 0; i < 100; ++i) all.push_back(one(i));
    context.run(gather(std::move(all)));
    auto reaped = [&]() -> task<> {
        while (count_open_files() > before) co_await sleep_for(1ms);
    };
    context.run(reaped());
    EXPECT_EQ(count_open_files(), before);
}

TEST_P(ProcessTest, IsReapedAlsoWhenNobodyHoldsIt) {
    const pid_t pid = start(Command({"true"})).pid();
    auto body = [&]() -> task<> {
        while (detail::process_entry(pid)) co_await sleep_for(1ms);
    };
    context.run(body());
}

TEST_P(ProcessTest, FailsToStartWithAReasonAndWithoutLeaks) {
    const TemporaryDirectory folder;
    const auto script = folder.path() / "script";
    std::ofstream(script) << "#!/no/such/interpreter\n";
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    const auto text = folder.path() / "text";
    std::ofstream(text) << "not a program\n";
    run(Command({"true"}));
    const std::size_t before = count_open_files();
    const auto failure = [&](const Command& command) { return thrown_by([&] { start(command); }); };

    EXPECT_EQ(failure(Command({"no-such-program"})), "'no-such-program' was not found in PATH");
    EXPECT_EQ(failure(Command({""})), "'' was not found in PATH");
    EXPECT_EQ(failure(Command({"true"}).environment("PATH", ":/x:")), "'true' was not found in PATH");
    EXPECT_THAT(failure(Command({"/no/such/program"}).input("x")),
                StartsWith("cannot start '/no/such/program'"));
    EXPECT_THAT(failure(Command({text})), HasSubstr("ermission denied"));
    EXPECT_THAT(failure(Command({script})), HasSubstr("interpreter"));
    EXPECT_THAT(failure(Command({"true"}).working_directory("/no/such/folder")),
                HasSubstr("no working directory '/no/such/folder'"));
    EXPECT_THAT(failure(Command({"true"}).output_files(folder.path() / "out", "/no/such/folder/err")),
                HasSubstr("/no/such/folder/err"));
    EXPECT_EQ(count_open_files(), before);
}

TEST(FindProgram, SearchesPathOnly) {
    EXPECT_TRUE(std::filesystem::path(find_program(Command({"sh"}))).is_absolute());
    EXPECT_EQ(find_program(Command({"./sh"})), "./sh");
    EXPECT_EQ(thrown_by([] { find_program(Command({"no-such-program"})); }),
              "'no-such-program' was not found in PATH");
}

TEST_P(ProcessTest, FindsProgramsInItsOwnPathAndRelativeToItsDirectory) {
    const TemporaryDirectory folder;
    const auto script = folder.path() / "coromd-test-program";
    std::ofstream(script) << "#!/bin/sh\necho found\n";
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    const std::string path = "/nonexistent:" + folder.path().string() + ":/bin:/usr/bin";
    EXPECT_EQ(run(Command({"coromd-test-program"}).environment("PATH", path)).stdout_tail, "found\n");
    EXPECT_EQ(run(Command({"./coromd-test-program"}).working_directory(folder.path())).stdout_tail,
              "found\n");
}

TEST(Process, ContextMayGoWhileItRuns) {
    const std::size_t files = count_open_files();
    pid_t pid = 0;
    {
        Context context;
        pid = Process::start(context, Command({"sleep", "1000"})).pid();
    }
    EXPECT_EQ(count_open_files(), files);
    ASSERT_TRUE(process_start_time(pid));
    ::kill(pid, SIGKILL);
    EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

TEST(Process, LostStatusIsAnErrorNotAHang) {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    struct sigaction before {};
    sigaction(SIGCHLD, &ignore, &before);
    Context context;
    Process process = Process::start(context, Command({"true"}));
    EXPECT_THAT(thrown_by([&] { context.run(process.wait()); }), HasSubstr("was lost"));
    sigaction(SIGCHLD, &before, nullptr);
}

}  // namespace
}  // namespace coromd::runtime
