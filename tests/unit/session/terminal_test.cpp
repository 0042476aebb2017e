// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/session/terminal.hpp"

#include <cstdio>
#include <memory>
#include <string>

#include <gmock/gmock.h>

namespace coromd::session {
namespace {

using testing::HasSubstr;
using testing::Not;

class TerminalTest : public testing::Test {
protected:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    std::string shown() const {
        std::string text(100'000, '\0');
        std::rewind(file_.get());
        text.resize(std::fread(text.data(), 1, text.size(), file_.get()));
        return text;
    }

    static Progress progress(const std::string& subject, const std::string& phase) {
        Progress progress;
        progress.subject = subject;
        progress.phase = phase;
        progress.time_ps = 1.25;
        progress.ns_per_day = 90.0;
        progress.part = 2;
        return progress;
    }

    std::unique_ptr<std::FILE, Close> file_{std::tmpfile()};
};

TEST_F(TerminalTest, InPlaceHasALineForEachWalkerWithItsStateTimeRateAndPart) {
    Terminal terminal(file_.get(), ProgressStyle::in_place, null_logger());
    std::string text;
    while (text.empty()) {  // it draws a few times a second at most
        terminal.progress(progress("walkers/003", "running"));
        text = shown();
    }
    for (const char* piece : {"walkers/003", "running", "1.25 ps", "90.0 ns/day", "part 2"})
        EXPECT_THAT(text, HasSubstr(piece));
}

TEST_F(TerminalTest, InPlaceTheLastLineOfAWalkerStays) {
    {
        Terminal terminal(file_.get(), ProgressStyle::in_place, null_logger());
        terminal.progress(progress("walkers/000", "running"));
        terminal.progress(progress("walkers/000", "reached left"));
    }
    const std::string text = shown();
    const auto last = text.rfind("walkers/000");
    ASSERT_NE(last, std::string::npos);
    EXPECT_THAT(text.substr(last), HasSubstr("reached left"));
    EXPECT_THAT(text.substr(text.find("reached left")), Not(HasSubstr("walkers/000"))) << "printed again";
}

TEST_F(TerminalTest, LinesHaveNoControlCharacters) {
    {
        Terminal terminal(file_.get(), ProgressStyle::lines, null_logger());
        terminal.progress(progress("walkers/000", "running"));
        terminal.progress(progress("walkers/000", "reached left"));
        terminal.note("system", "masses were guessed");
    }
    const std::string text = shown();
    EXPECT_THAT(text, HasSubstr("reached left"));
    EXPECT_THAT(text, HasSubstr("masses were guessed"));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST_F(TerminalTest, NoneShowsNoProgressButWhatMustBeSaid) {
    {
        Terminal terminal(file_.get(), ProgressStyle::none, null_logger());
        terminal.progress(progress("walkers/000", "running"));
        terminal.say("Stopped.");
    }
    EXPECT_EQ(shown(), "Stopped.\n");
}

}  // namespace
}  // namespace coromd::session
