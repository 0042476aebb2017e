// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/session/screen_block.hpp"

#include <cstdio>
#include <memory>

#include <gmock/gmock.h>

namespace coromd::session {
namespace {

// A file is no terminal: it is taken for a screen of 24 lines of 80 characters.
class ScreenBlockTest : public testing::Test {
protected:
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{std::tmpfile(), std::fclose};
    ScreenBlock block_{file_.get()};
};

TEST_F(ScreenBlockTest, ReplacesItsLines) {
    EXPECT_EQ(block_.replacement({"one", "two"}), "one\ntwo\n");
    EXPECT_EQ(block_.replacement({"three"}), "\r\x1b[2A\x1b[Jthree\n");
    EXPECT_EQ(block_.erasure(), "\r\x1b[1A\x1b[J");
    EXPECT_EQ(block_.erasure(), "") << "there is nothing left to remove";
}

TEST_F(ScreenBlockTest, NoLineIsWrapped) {
    EXPECT_EQ(block_.replacement({std::string(200, 'x')}), std::string(79, 'x') + "\n");
    std::string umlauts;
    for (int i = 0; i < 100; ++i) umlauts += "\xC3\xA4";
    EXPECT_EQ(block_.replacement({umlauts}), "\r\x1b[1A\x1b[J" + umlauts.substr(0, 2 * 79) + "\n");
    EXPECT_EQ(block_.room(), 23u);
}

}  // namespace
}  // namespace coromd::session
