// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/session/session.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <stdexcept>

#include "coromd/core/file.hpp"
#include "coromd/runtime/timer.hpp"
#include "coromd/session/settings_file.hpp"
#include "fixtures.hpp"

namespace coromd::session {
namespace {

using runtime::task;
using testing::HasSubstr;

class SessionTest : public FolderTest {
protected:
    SessionOptions options() const { return SessionOptions(at("c")).progress(ProgressStyle::none); }
    std::string log() const { return read_text_file(at("c/coromd.log")); }
};

task<void> nothing() {
    co_return;
}

task<void> throw_error(ErrorKind kind) {
    fail(kind, "what went wrong");
    co_return;
}

task<void> throw_foreign() {
    throw std::runtime_error("foreign");
    co_return;
}

task<void> sleep_long() {
    co_await runtime::sleep_for(std::chrono::hours(1));
}

task<void> interrupt_and_sleep() {
    ::raise(SIGINT);
    co_await sleep_long();
}

TEST_F(SessionTest, ReturnsWhatMainShouldReturnAndLogsIt) {
    Session session(options());
    EXPECT_EQ(session.run(nothing()), 0);
    EXPECT_EQ(session.run(throw_error(ErrorKind::usage)), 2);
    EXPECT_EQ(session.run(throw_error(ErrorKind::conflict)), 2);
    EXPECT_EQ(session.run(throw_error(ErrorKind::job)), 1);
    EXPECT_EQ(session.run(throw_error(ErrorKind::system)), 1);
    EXPECT_EQ(session.run(throw_error(ErrorKind::input)), 1);
    EXPECT_EQ(session.run(throw_foreign()), 1);
    EXPECT_THAT(log(),
                AllOf(HasSubstr("session begins"), HasSubstr("what went wrong"), HasSubstr("foreign")));
}

TEST_F(SessionTest, SaysOnStandardErrorWhatWentWrong) {
    Session session(options());
    testing::internal::CaptureStderr();
    session.run(throw_error(ErrorKind::job));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "error: what went wrong\n");
}

TEST_F(SessionTest, AnInterruptStopsAndSaysHowToGoOn) {
    Session session(options());
    testing::internal::CaptureStderr();
    EXPECT_EQ(session.run(interrupt_and_sleep()), 130);
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_THAT(said, AllOf(HasSubstr("Stopping"), HasSubstr("start the same again to go on")));
    EXPECT_THAT(log(), HasSubstr("interrupted"));
}

TEST_F(SessionTest, GivesEveryRunTheSameRandomNumbersForAKey) {
    const auto draw = [&](const char* key) { return Session(options().seed(5)).random(key)(); };
    const auto first = draw("walkers/000");
    EXPECT_EQ(draw("walkers/000"), first);
    EXPECT_NE(draw("walkers/001"), first);
}

TEST_F(SessionTest, RefusesAnotherSeedAndAFreshStartInWhatIsThere) {
    Session(options().seed(5));
    EXPECT_EQ(error_of([&] { Session(options().seed(6)); }).kind(), ErrorKind::conflict);
    EXPECT_EQ(error_of([&] { Session(options().seed(5).fresh()); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([&] {
                  Session first(options().seed(5));
                  Session second(options().seed(5));
              }).kind(),
              ErrorKind::conflict);
}

TEST_F(SessionTest, ARehearsalLeavesNoTrace) {
    Session session(options().rehearsal());
    EXPECT_EQ(session.directory(), at("c"));
    EXPECT_EQ(session.queue().name(), "local");
    EXPECT_EQ(error_of([&] { session.campaign(); }).kind(), ErrorKind::usage);
    EXPECT_FALSE(std::filesystem::exists(at("c")));
}

TEST_F(SessionTest, MakesTheQueuesOfTheSettings) {
    Session session(options().settings(parse_toml("[queues.small]\ncores = 1\n", "s.toml")).rehearsal());
    EXPECT_EQ(session.queue("small").name(), "small");
    EXPECT_EQ(session.queue("local").name(), "local");
    EXPECT_THAT(error_of([&] { session.queue("big"); }).message(),
                AllOf(HasSubstr("'big'"), HasSubstr("local, small")));
}

TEST_F(SessionTest, WrongQueuesAreToldWithTheirPlace) {
    const auto message = [&](const char* toml) {
        return error_of([&] { Session(options().settings(parse_toml(toml, "s.toml")).rehearsal()); })
            .message();
    };
    EXPECT_THAT(message("[queues.local]\nkind = 'pbs'\n"), AllOf(HasSubstr("s.toml:2"), HasSubstr("pbs")));
    EXPECT_THAT(message("[queues.local]\ncore = 2\n"), AllOf(HasSubstr("s.toml:2"), HasSubstr("cores")));
    EXPECT_THAT(message("[queues]\nlocal = 2\n"), AllOf(HasSubstr("s.toml:2"), HasSubstr("a table")));
}

TEST_F(SessionTest, ReadsTheUsersSettingsWhereNoneAreGiven) {
    write("user/coromd/config.toml", "[queues.mine]\ncores = 1\n");
    EXPECT_EQ(Session(options().rehearsal()).queue("mine").name(), "mine");
}

}  // namespace
}  // namespace coromd::session
