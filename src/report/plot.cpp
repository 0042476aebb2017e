// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Pixels have one decimal: on paper that is a hundredth of a millimetre, and it keeps pages small.
// Marks are clipped to the frame by their coordinates, not by a clip path: that would need an id,
// which is one name for a whole page.
#include "coromd/report/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "coromd/report/html.hpp"

namespace coromd::report {

namespace {

constexpr double kTop = 10;
constexpr double kRight = 24;
constexpr double kLegendHeight = 22;
// Widths of letters at the size of labels, about: figures are wide, text is narrow.
constexpr double kFigure = 7.4;
constexpr double kLetter = 6.6;

std::string_view css_class(Ink ink) {
    constexpr std::array kNames{"s0", "s1", "s2",   "s3",  "s4",      "s5",
                                "s6", "s7", "good", "bad", "waiting", "faint"};
    return kNames[static_cast<std::size_t>(ink)];
}

/// One decimal, none where it is 0.
void append_number(std::string& out, double value) {
    const auto tenths = std::llround(value * 10);
    if (tenths % 10 == 0)
        out += fmt::to_string(tenths / 10);
    else
        out += fmt::format("{}{}.{}", tenths < 0 ? "-" : "", std::abs(tenths) / 10, std::abs(tenths) % 10);
}

std::string number(double value) {
    std::string out;
    append_number(out, value);
    return out;
}

std::size_t letters(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string closed(std::string_view element, std::string_view tooltip) {
    if (tooltip.empty()) return "/>\n";
    return fmt::format("><title>{}</title></{}>\n", escape(tooltip), element);
}

int most_ticks_x(double pixels, Scale scale) {
    return std::max(2, static_cast<int>(pixels / (scale == Scale::log ? 70 : 80)));
}
int most_ticks_y(double pixels) {
    return std::max(2, static_cast<int>(pixels / 40));
}

}  // namespace

Ink series_ink(std::size_t n) noexcept {
    return static_cast<Ink>(n % 8);
}

Plot::Plot(Axis x, Axis y, double width, double height)
    : x_(std::move(x)), y_(std::move(y)), width_(width), height_(height) {
    bottom_ = x_.title().empty() ? 24 : 42;
    std::size_t longest = 1;
    for (const Tick& tick : y_.ticks(most_ticks_y(height_ - kTop - bottom_)))
        longest = std::max(longest, letters(tick.label));
    left_ = 12 + kFigure * static_cast<double>(longest) + (y_.title().empty() ? 0 : 18);
}

double Plot::place_x(double x) const {
    return left_ + std::clamp(x_.fraction(x), 0.0, 1.0) * (width_ - left_ - kRight);
}
double Plot::place_y(double y) const {
    return height_ - bottom_ - std::clamp(y_.fraction(y), 0.0, 1.0) * (height_ - bottom_ - kTop);
}

void Plot::line(std::span<const Point> points, Ink ink, double width, std::string_view tooltip) {
    std::string path;
    bool pen_down = false;
    for (const Point& point : points) {
        if (!std::isfinite(point.x) || !std::isfinite(point.y)) {
            pen_down = false;
            continue;
        }
        path += pen_down ? 'L' : 'M';
        append_number(path, place_x(point.x));
        path += ' ';
        append_number(path, place_y(point.y));
        pen_down = true;
    }
    if (path.empty()) return;
    marks_ += fmt::format("<path class=\"line {}\" stroke-width=\"{}\" d=\"{}\"{}", css_class(ink),
                          number(width), path, closed("path", tooltip));
}

void Plot::band(std::span<const double> x, std::span<const double> low, std::span<const double> high, Ink ink,
                double opacity) {
    std::string path;
    const auto add = [&](double at, double value) {
        path += path.empty() ? 'M' : 'L';
        append_number(path, place_x(at));
        path += ' ';
        append_number(path, place_y(value));
    };
    const std::size_t n = std::min({x.size(), low.size(), high.size()});
    for (std::size_t i = 0; i < n; ++i)
        if (std::isfinite(high[i])) add(x[i], high[i]);
    for (std::size_t i = n; i-- > 0;)
        if (std::isfinite(low[i])) add(x[i], low[i]);
    if (path.empty()) return;
    marks_ += fmt::format("<path class=\"fill {}\" fill-opacity=\"{:.2f}\" d=\"{}Z\"/>\n", css_class(ink),
                          opacity, path);
}

void Plot::box(Point from, Point to, Ink ink, double opacity, std::string_view tooltip) {
    if (!std::isfinite(from.x) || !std::isfinite(from.y) || !std::isfinite(to.x) || !std::isfinite(to.y))
        return;
    const auto [x0, x1] = std::minmax({place_x(from.x), place_x(to.x)});
    const auto [y0, y1] = std::minmax({place_y(from.y), place_y(to.y)});
    // A bar that took no time is still there to be seen.
    const std::string full = opacity < 1 ? fmt::format(" fill-opacity=\"{:.2f}\"", opacity) : "";
    marks_ += fmt::format("<rect class=\"fill {}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{}{}",
                          css_class(ink), number(x0), number(y0), number(std::max(x1 - x0, 0.8)),
                          number(y1 - y0), full, closed("rect", tooltip));
}

void Plot::cells(std::span<const Point> corners, int level) {
    std::string path;
    for (std::size_t i = 0; i + 1 < corners.size(); i += 2) {
        const double x0 = place_x(corners[i].x);
        const double x1 = place_x(corners[i + 1].x);
        const double y0 = place_y(corners[i].y);
        const double y1 = place_y(corners[i + 1].y);
        path += fmt::format("M{} {}H{}V{}H{}Z", number(x0), number(y0), number(x1), number(y1), number(x0));
    }
    if (path.empty()) return;
    marks_ += fmt::format("<path class=\"fill l{}\" d=\"{}\"/>\n", std::clamp(level, 1, kLevels), path);
}

void Plot::dot(Point at, Ink ink, std::string_view tooltip) {
    if (!std::isfinite(at.x) || !std::isfinite(at.y)) return;
    marks_ += fmt::format("<circle class=\"fill {}\" cx=\"{}\" cy=\"{}\" r=\"4\"{}", css_class(ink),
                          number(place_x(at.x)), number(place_y(at.y)), closed("circle", tooltip));
}

void Plot::whisker(Point low, Point high, Ink ink) {
    const double x0 = place_x(low.x);
    const double y0 = place_y(low.y);
    const double x1 = place_x(high.x);
    const double y1 = place_y(high.y);
    // The caps are square to the line between the two.
    const double length = std::hypot(x1 - x0, y1 - y0);
    const double dx = length > 0 ? 4 * (y1 - y0) / length : 0;
    const double dy = length > 0 ? 4 * (x1 - x0) / length : 4;
    std::string path;
    for (const auto& [x, y] : {std::pair(x0, y0), std::pair(x1, y1)})
        path += fmt::format("M{} {}L{} {}", number(x - dx), number(y - dy), number(x + dx), number(y + dy));
    marks_ += fmt::format("<path class=\"line {}\" stroke-width=\"1.5\" d=\"M{} {}L{} {}{}\"/>\n",
                          css_class(ink), number(x0), number(y0), number(x1), number(y1), path);
}

void Plot::legend(Ink ink, std::string text) {
    legend_.push_back({ink, std::move(text)});
}

void Plot::level_legend(std::string low, std::string high) {
    low_level_ = std::move(low);
    high_level_ = std::move(high);
}

std::string Plot::axes() const {
    const double right = width_ - kRight;
    const double base = height_ - bottom_;
    std::string grid;
    std::string labels;
    for (const Tick& tick : x_.ticks(most_ticks_x(right - left_, x_.scale()))) {
        const std::string x = number(place_x(tick.value));
        grid += fmt::format("M{} {}V{}", x, number(kTop), number(base));
        labels += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>", x,
                              number(base + 16), escape(tick.label));
    }
    for (const Tick& tick : y_.ticks(most_ticks_y(base - kTop))) {
        const double y = place_y(tick.value);
        if (y_.scale() != Scale::names)
            grid += fmt::format("M{} {}H{}", number(left_), number(y), number(right));
        labels += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>", number(left_ - 7),
                              number(y + 4), escape(tick.label));
    }
    if (!x_.title().empty())
        labels += fmt::format("<text class=\"title\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                              number((left_ + right) / 2), number(height_ - 6), escape(x_.title()));
    if (!y_.title().empty())
        labels += fmt::format(
            "<text class=\"title\" transform=\"translate(13 {}) rotate(-90)\" "
            "text-anchor=\"middle\">{}</text>",
            number((kTop + base) / 2), escape(y_.title()));
    return fmt::format("<path class=\"grid\" d=\"{}\"/>\n<g class=\"labels\">{}</g>\n", grid, labels);
}

std::string Plot::legend_svg() const {
    std::string out;
    double x = left_;
    const auto text = [&](std::string_view words) {
        out += fmt::format("<text x=\"{}\" y=\"-8\">{}</text>", number(x), escape(words));
        x += kLetter * static_cast<double>(letters(words)) + 18;
    };
    for (const LegendEntry& entry : legend_) {
        out += fmt::format("<rect class=\"fill {}\" x=\"{}\" y=\"-17\" width=\"14\" height=\"10\" rx=\"2\"/>",
                           css_class(entry.ink), number(x));
        x += 19;
        text(entry.text);
    }
    if (!high_level_.empty()) {
        text(low_level_);
        x -= 12;
        for (int level = 1; level <= kLevels; ++level, x += 14)
            out += fmt::format("<rect class=\"fill l{}\" x=\"{}\" y=\"-17\" width=\"14\" height=\"10\"/>",
                               level, number(x));
        x += 6;
        text(high_level_);
    }
    return out.empty() ? out : fmt::format("<g class=\"labels\">{}</g>\n", out);
}

std::string Plot::svg(std::string_view title) const {
    const std::string legend = legend_svg();
    const double above = legend.empty() ? 0 : kLegendHeight;
    return fmt::format(
        "<svg role=\"img\" aria-label=\"{}\" viewBox=\"0 {} {} {}\" style=\"width:{}px\">\n{}{}{}"
        "<rect class=\"frame\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n</svg>",
        escape(title), number(-above), number(width_), number(height_ + above), number(width_), legend,
        axes(), marks_, number(left_), number(kTop), number(width_ - left_ - kRight),
        number(height_ - bottom_ - kTop));
}

}  // namespace coromd::report
