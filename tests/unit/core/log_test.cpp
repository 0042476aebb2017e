// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "coromd/core/file.hpp"
#include "fixtures.hpp"

namespace coromd {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class LogTest : public TemporaryFolder {};

TEST_F(LogTest, LinesAreDatedAndThereAtOnce) {
    const Logger logger = file_logger(at("log"), false);
    logger->info("walker {} starts", 3);
    EXPECT_THAT(read_text_file(at("log")),
                ContainsRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}"
                              "[+-][0-9]{2}:[0-9]{2} \\[info\\] walker 3 starts\n$"));
}

TEST_F(LogTest, KeepsDebugButNoTrace) {
    const Logger logger = file_logger(at("log"), false);
    logger->debug("detail");
    logger->trace("noise");
    logger->flush();
    EXPECT_THAT(read_text_file(at("log")), HasSubstr("[debug] detail"));
    EXPECT_THAT(read_text_file(at("log")), Not(HasSubstr("noise")));
}

TEST_F(LogTest, Appends) {
    file_logger(at("log"), false)->info("first run");
    file_logger(at("log"), false)->info("second run");
    EXPECT_THAT(read_text_file(at("log")), ContainsRegex("first run\n.*second run\n"));
}

TEST_F(LogTest, VerboseAlsoWritesToStandardError) {
    testing::internal::CaptureStderr();
    file_logger(at("log"), false)->info("quiet");
    EXPECT_THAT(testing::internal::GetCapturedStderr(), IsEmpty());

    testing::internal::CaptureStderr();
    file_logger(at("log"), true)->info("loud");
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("[info] loud"));
}

TEST_F(LogTest, NamesTheFileThatCannotBeOpened) {
    write_file_durably(at("file"), "");
    const Error error = error_of([&] { file_logger(at("file/log"), false); });
    EXPECT_EQ(error.kind(), ErrorKind::system);
    EXPECT_THAT(error.what(), HasSubstr(at("file/log").string()));
}

TEST_F(LogTest, ProgramsStartedLaterDoNotHoldTheFile) {
    const Logger logger = file_logger(at("log"), false);
    int found = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code ignored;
        if (std::filesystem::read_symlink(entry, ignored) != at("log")) continue;
        ++found;
        EXPECT_TRUE(::fcntl(std::stoi(entry.path().filename()), F_GETFD) & FD_CLOEXEC);
    }
    EXPECT_EQ(found, 1);
}

TEST_F(LogTest, LeavesTheGlobalRegistryAlone) {
    const Logger first = file_logger(at("a"), false);
    const Logger second = null_logger();
    EXPECT_EQ(spdlog::get(first->name()), nullptr);
    EXPECT_EQ(spdlog::get(second->name()), nullptr);
}

TEST_F(LogTest, NullLoggerTakesNothing) {
    const Logger logger = null_logger();
    EXPECT_FALSE(logger->should_log(spdlog::level::critical));
    EXPECT_NO_THROW(logger->critical("nobody hears"));
}

}  // namespace
}  // namespace coromd
