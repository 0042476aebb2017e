// SPDX-License-Identifier: LGPL-3.0-or-later
#include <csignal>

#include "coromd/core/file.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/timeout.hpp"
#include "process_table.hpp"
#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;

Command shell(std::string script) {
    return Command({"/bin/sh", "-c", std::move(script)});
}

/// Runs `script` until it has written the file "ready", then cancels it.
void cancel_when_ready(const std::filesystem::path& folder, std::string script,
                       std::chrono::nanoseconds grace) {
    Context context;
    auto canceller = [&]() -> task<> {
        while (!std::filesystem::exists(folder / "ready")) co_await sleep_for(1ms);
        context.request_stop();
    };
    Command command = shell(std::move(script));
    command.working_directory(folder);
    EXPECT_THROW(context.run(gather(run_process(context, command, grace), canceller())), Cancelled);
}

TEST(RunProcess, FailingProgramIsAValue) {
    Context context;
    const ProcessResult result = context.run(run_process(context, shell("echo out; echo err >&2; exit 2")));
    EXPECT_EQ(result.status.exit_code, 2);
    EXPECT_EQ(result.stdout_tail, "out\n");
    EXPECT_EQ(result.stderr_tail, "err\n");
}

TEST(RunProcess, ProgramThatDoesNotStartIsAnError) {
    Context context;
    EXPECT_EQ(thrown_by([&] { context.run(run_process(context, Command({"no-such-program"}))); }),
              "'no-such-program' was not found in PATH");
}

TEST(RunProcess, CommandBuiltInTheAwaitExpressionIsSafe) {
    Context context;
    const std::string text = "a text that is too long for the small string optimisation";
    std::vector<std::string> argv{"echo", text};
    auto body = [&]() -> task<std::string> {
        std::string out;
        for (int i = 0; i < 3; ++i) {
            const ProcessResult result =
                co_await run_process(context, Command(argv).environment("X", text).input(text));
            out += result.stdout_tail;
        }
        co_return out;
    };
    EXPECT_EQ(context.run(body()).size(), 3u * (text.size() + 1));
}

TEST(RunProcess, CancelledSendsOneSigtermAndWaitsForTheEnd) {
    const TemporaryDirectory folder;
    cancel_when_ready(folder.path(),
                      "trap 'echo term >> terms' TERM; : > ready;"
                      "while [ ! -e terms ]; do sleep 0.01; done; sleep 0.1; : > checkpoint",
                      kForever);
    EXPECT_EQ(read_text_file(folder.path() / "terms"), "term\n");
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "checkpoint"));
}

TEST(RunProcess, CancelledKillsAfterTheGrace) {
    const TemporaryDirectory folder;
    cancel_when_ready(folder.path(), "trap '' TERM; echo $$ > pid; : > ready; while :; do sleep 0.05; done",
                      50ms);
    const pid_t pid = std::stoi(read_text_file(folder.path() / "pid"));
    EXPECT_FALSE(detail::process_entry(pid));
}

TEST(RunProcess, CancelledWaitsForTheWholeGroup) {
    const TemporaryDirectory folder;
    // The shell dies of the signal at once; what it started says so on its standard error, which must
    // not be closed yet, and writes its last file first.
    const std::string child =
        "sh -c 'trap \"sleep 0.2; echo stopping >&2; : > checkpoint; exit\" TERM; : > ready; "
        "while :; do sleep 0.01; done' & ";
    cancel_when_ready(folder.path(), child + "trap - TERM; wait", kForever);
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "checkpoint"));
}

TEST(RunProcess, CancelledKillsAGrandchildThatStays) {
    const TemporaryDirectory folder;
    const std::string child =
        "sh -c 'trap \"\" TERM; echo $$ > pid; : > ready; while :; do sleep 0.01; done' & ";
    cancel_when_ready(folder.path(), child + "trap - TERM; wait", 100ms);
    const pid_t pid = std::stoi(read_text_file(folder.path() / "pid"));
    while (process_start_time(pid)) {
    }  // killed, not waited for
}

TEST(RunProcess, IsCutOffByATimeout) {
    Context context;
    EXPECT_EQ(context.run(with_timeout(20ms, run_process(context, Command({"sleep", "1000"})))),
              std::nullopt);
}

TEST(RunProcess, CancelledBeforeItStartsStartsNothing) {
    Context context;
    const TemporaryDirectory folder;
    auto body = [&]() -> task<> {
        context.request_stop();
        try {
            co_await wait_forever();
        } catch (const Cancelled&) {
        }
        Command command({"touch", "started"});
        command.working_directory(folder.path());
        co_await run_process(context, command);
    };
    EXPECT_THROW(context.run(body()), Cancelled);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "started"));
}

}  // namespace
}  // namespace coromd::runtime
