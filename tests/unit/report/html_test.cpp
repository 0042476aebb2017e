// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/report/html.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coromd::report {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Html, EscapesWhatHasAMeaning) {
    EXPECT_EQ(escape("<script>alert('a' & \"b\")</script>"),
              "&lt;script&gt;alert(&#39;a&#39; &amp; &quot;b&quot;)&lt;/script&gt;");
    EXPECT_EQ(escape("Å ψ 𝄞\n\t"), "Å ψ 𝄞\n\t");
}

TEST(Html, ReplacesWhatIsNoText) {
    const std::string replaced = "\uFFFD";
    EXPECT_EQ(escape(std::string("a\0b", 3)), "a" + replaced + "b");
    EXPECT_EQ(escape("\x1B[31m"), replaced + "[31m");
    EXPECT_EQ(escape("\xC0\xAF"), replaced + replaced) << "an overlong '/'";
    EXPECT_EQ(escape("\xED\xA0\x80"), replaced + replaced + replaced) << "a surrogate";
    EXPECT_EQ(escape("\xF4\x90\x80\x80"), replaced + replaced + replaced + replaced) << "above U+10FFFF";
    EXPECT_EQ(escape("x\xE2\x82"), "x" + replaced + replaced) << "cut off";
}

TEST(Html, LinksToFilesOnly) {
    EXPECT_EQ(link("walkers/003/md.trr", "md"), "<a href=\"walkers/003/md.trr\">md</a>");
    EXPECT_EQ(link("javascript:alert(1)", "x"), "<a href=\"javascript%3Aalert%281%29\">x</a>");
    EXPECT_EQ(link("a\"b ?#", "<"), "<a href=\"a%22b%20%3F%23\">&lt;</a>");
}

TEST(Html, KeepsTheEndOfLongTexts) {
    const std::string html = preformatted(std::string(100, 'a') + "<end>", 10);
    EXPECT_THAT(html, HasSubstr("The last 10 of 105 bytes"));
    EXPECT_THAT(html, HasSubstr("<pre>aaaaa&lt;end&gt;</pre>"));
}

TEST(Html, SetsNumbersToTheRight) {
    Table table({"name", ">n"});
    EXPECT_TRUE(table.empty());
    table.row({"<b>x</b>", "1"});
    EXPECT_FALSE(table.empty());
    EXPECT_THAT(table.html(), HasSubstr("<tr><td><b>x</b></td><td class=\"n\">1</td></tr>"));
    EXPECT_THAT(table.html(), Not(HasSubstr("&gt;n")));
}

TEST(Html, WritesTimesForPeople) {
    EXPECT_EQ(date_text(1'772'352'000'000), "2026-03-01 08:00:00 UTC");
    EXPECT_EQ(date_text(0), "-");
    EXPECT_EQ(duration_text(0.25), "250 ms");
    EXPECT_EQ(duration_text(9.5), "9.5 s");
    EXPECT_EQ(duration_text(125), "2 min 05 s");
    EXPECT_EQ(duration_text(3600), "1 h 00 min");
    EXPECT_EQ(duration_text(86400 * 3 + 4 * 3600), "3 d 4 h");
    EXPECT_EQ(duration_text(std::numeric_limits<double>::quiet_NaN()), "-");
    EXPECT_EQ(md_time_text(12.5), "12.5 ps");
    EXPECT_EQ(md_time_text(1250), "1.25 ns");
    EXPECT_EQ(md_time_text(2.5e6), "2.5 µs");
    EXPECT_EQ(count_text(999), "999");
    EXPECT_EQ(count_text(-1234567), "-1\u202f234\u202f567");
}

}  // namespace
}  // namespace coromd::report
