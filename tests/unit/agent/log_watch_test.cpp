// SPDX-License-Identifier: LGPL-3.0-or-later
#include "log_watch.hpp"

#include <fstream>

#include "unit/runtime/runtime_test.hpp"

namespace coromd::agent {
namespace {

class LogWatchTest : public testing::Test {
protected:
    void add(const std::string& text) { std::ofstream(file_, std::ios::app) << text; }

    runtime::test::TemporaryDirectory temporary_;
    std::filesystem::path file_ = temporary_.path() / "md.log";
    LogWatch watch_{file_, "Started mdrun", "Received the TERM signal"};
};

TEST_F(LogWatchTest, WhatIsNotThereHasNothingNew) {
    watch_.refresh();
    EXPECT_FALSE(watch_.ready());
    EXPECT_FALSE(watch_.acknowledged());
    LogWatch folder(temporary_.path(), "a", "b");
    folder.refresh();
    EXPECT_FALSE(folder.ready());
}

TEST_F(LogWatchTest, FindsTextsThatArriveInPieces) {
    add("some lines\nStarted m");
    watch_.refresh();
    EXPECT_FALSE(watch_.ready());
    add("drun on rank 0\nReceived the T");
    watch_.refresh();
    EXPECT_TRUE(watch_.ready());
    EXPECT_FALSE(watch_.acknowledged());
    for (const char letter : std::string("ERM signal")) {
        EXPECT_FALSE(watch_.acknowledged());
        add(std::string(1, letter));
        watch_.refresh();
    }
    EXPECT_TRUE(watch_.acknowledged());
}

TEST_F(LogWatchTest, FindsTextsAnywhereInALongLog) {
    for (const std::size_t before : {16380u, 16384u, 40000u}) {
        std::filesystem::remove(file_);
        add(std::string(before, '.') + "Started mdrun" + std::string(50000, '.'));
        LogWatch watch(file_, "Started mdrun", "Received");
        watch.refresh();
        EXPECT_TRUE(watch.ready()) << before;
        EXPECT_FALSE(watch.acknowledged());
    }
}

TEST_F(LogWatchTest, WithoutTextsItIsReadyAndNeverAcknowledges) {
    add("anything");
    LogWatch watch(file_, "", "");
    EXPECT_TRUE(watch.ready());
    watch.refresh();
    EXPECT_TRUE(watch.ready());
    EXPECT_FALSE(watch.acknowledged());
}

}  // namespace
}  // namespace coromd::agent
