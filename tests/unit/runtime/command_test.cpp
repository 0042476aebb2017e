// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/runtime/process.hpp"

#include "runtime_test.hpp"

namespace coromd::runtime {
namespace {

using namespace test;

TEST(Command, TextIsQuotedForAShell) {
    EXPECT_EQ(Command({"gmx", "mdrun", "-deffnm", "a b", "it's", "", "$HOME", "x=1"}).text(),
              "gmx mdrun -deffnm 'a b' 'it'\\''s' '' '$HOME' x=1");
}

TEST(Command, KeepsWhatItIsGiven) {
    Command command({"a"});
    command.working_directory("/w").environment("N", "1").environment("N", "2").input("in").tail_limit(3);
    command.output_files("o", "e");
    EXPECT_EQ(command.working_directory(), "/w");
    EXPECT_EQ(command.environment().at("N"), "2");
    EXPECT_EQ(command.input(), "in");
    EXPECT_EQ(command.tail_limit(), 3u);
    EXPECT_EQ(command.stdout_path(), "o");
    EXPECT_EQ(command.stderr_path(), "e");
}

TEST(Command, RefusesWhatNoProgramCanBeGiven) {
    using namespace std::string_literals;
    EXPECT_THROW(Command(std::vector<std::string>()), Error);
    EXPECT_THROW(Command({"a", "b\0c"s}), Error);
    EXPECT_THROW(Command({"a"}).environment("A=B", "c"), Error);
    EXPECT_THROW(Command({"a"}).environment("", "c"), Error);
    EXPECT_THROW(Command({"a"}).environment("A", "\0"s), Error);
    EXPECT_THROW(Command({"a"}).working_directory("a\0"s), Error);
    EXPECT_THROW(Command({"a"}).output_files("a", ""), Error);
}

TEST(ExitStatus, SaysHowItEnded) {
    ExitStatus status;
    status.exit_code = 3;
    EXPECT_EQ(status.text(), "exit code 3");
    EXPECT_FALSE(status.success());
    status.exit_code = 0;
    EXPECT_TRUE(status.success());
    ExitStatus killed;
    killed.signal = 9;
    EXPECT_EQ(killed.text(), "killed by signal 9 (Killed)");
    EXPECT_FALSE(killed.success());
}

}  // namespace
}  // namespace coromd::runtime
