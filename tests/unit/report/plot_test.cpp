// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/report/plot.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coromd::report {
namespace {

using testing::HasSubstr;
using testing::Not;

const double kNaN = std::numeric_limits<double>::quiet_NaN();
const double kInfinity = std::numeric_limits<double>::infinity();

Plot unit_plot() {
    return {Axis("time (ps)", 0, 1), Axis("psi (rad)", 0, 1)};
}

std::size_t count(const std::string& text, const std::string& piece) {
    std::size_t n = 0;
    for (auto at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1)) ++n;
    return n;
}

TEST(Plot, NamesItsAxesAndItself) {
    const std::string svg = unit_plot().svg("psi <over> time");
    EXPECT_THAT(svg, HasSubstr("aria-label=\"psi &lt;over&gt; time\""));
    EXPECT_THAT(svg, HasSubstr(">time (ps)</text>"));
    EXPECT_THAT(svg, HasSubstr(">psi (rad)</text>"));
    EXPECT_THAT(svg, HasSubstr(">0.4</text>"));
}

TEST(Plot, BreaksLinesWhereThereIsNoValue) {
    Plot plot = unit_plot();
    const std::vector<Point> points{{0, 0},     {0.2, 0.2},       {0.3, kNaN},
                                    {0.4, 0.4}, {0.5, kInfinity}, {0.6, 0.5}};
    plot.line(points, Ink::series3);
    const std::string svg = plot.svg("");
    const auto begin = svg.find("class=\"line s3\"");
    const std::string path = svg.substr(begin, svg.find("/>", begin) - begin);
    EXPECT_EQ(count(path, "M"), 3u) << path;
    EXPECT_EQ(count(path, "L"), 1u) << path;
}

TEST(Plot, DrawsNothingThatIsNoNumber) {
    Plot plot = unit_plot();
    const std::vector<double> bad{kNaN, kInfinity};
    plot.line({}, Ink::good);
    plot.dot({kNaN, 0}, Ink::good);
    plot.box({0, 0}, {kInfinity, 1}, Ink::good);
    plot.band(bad, bad, bad, Ink::good);
    const std::string svg = plot.svg("");
    EXPECT_THAT(svg, Not(HasSubstr("good")));
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(Plot, ShowsWhatTookNoTime) {
    Plot plot = unit_plot();
    plot.box({0.5, 0.2}, {0.5, 0.4}, Ink::bad, 1, "<1>");
    EXPECT_THAT(plot.svg(""), HasSubstr("width=\"0.8\""));
    EXPECT_THAT(plot.svg(""), HasSubstr("<title>&lt;1&gt;</title>"));
}

TEST(Plot, PutsCornersWhereTheyBelong) {
    Plot plot(Axis("", 0, 1), Axis("", 0, 1), 100, 100);
    plot.box({0, 0}, {1, 1}, Ink::good);
    const std::string svg = plot.svg("");
    const auto box = svg.find("class=\"fill good\"");
    const auto frame = svg.find("class=\"frame\"");
    ASSERT_NE(box, std::string::npos);
    const auto place = [&](std::size_t at) {
        return svg.substr(svg.find("x=", at), svg.find("/>", at) - svg.find("x=", at));
    };
    EXPECT_EQ(place(box), place(frame)) << "a box from corner to corner is the frame";
}

TEST(Plot, HasALegend) {
    Plot plot = unit_plot();
    EXPECT_THAT(plot.svg(""), Not(HasSubstr("rx=\"2\"")));
    plot.legend(series_ink(9), "a & b");
    plot.level_legend("0", "12");
    EXPECT_THAT(plot.svg(""), HasSubstr("class=\"fill s1\""));
    EXPECT_THAT(plot.svg(""), HasSubstr("a &amp; b"));
    EXPECT_THAT(plot.svg(""), HasSubstr("class=\"fill l8\""));
}

}  // namespace
}  // namespace coromd::report
