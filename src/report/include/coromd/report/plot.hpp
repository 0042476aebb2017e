// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/report/axis.hpp"

namespace coromd::report {

struct Point {
    double x = 0.0;
    double y = 0.0;
};

/// What a mark looks like. Colours are those of the page, one set for light and one for dark.
enum class Ink {
    series0,  ///< blue, orange, green, ...: safe for the colour-blind, as many as there are names here
    series1,
    series2,
    series3,
    series4,
    series5,
    series6,
    series7,
    good,
    bad,
    waiting,
    faint
};

/// The ink of the n-th of some series; they come round again.
Ink series_ink(std::size_t n) noexcept;

/// A picture with two axes, as inline SVG without a style of its own: the page's applies.
///
/// Coordinates are those of the axes. What lies outside is cut off at the frame; what is not finite is
/// not drawn.
class Plot {
public:
    /// In pixels at full size, with axes and titles.
    Plot(Axis x, Axis y, double width = 720, double height = 260);

    /// `tooltip`: text that shows under the mouse; none where empty.
    void line(std::span<const Point> points, Ink ink, double width = 1.5, std::string_view tooltip = {});
    /// A surface between two lines that share their x.
    void band(std::span<const double> x, std::span<const double> low, std::span<const double> high, Ink ink,
              double opacity = 1.0);
    /// From corner to corner.
    void box(Point from, Point to, Ink ink, double opacity = 1.0, std::string_view tooltip = {});
    /// Many small boxes at once, of level 1 to kLevels of the page's sequence of colours: `from`, `to` in
    /// pairs.
    void cells(std::span<const Point> corners, int level);
    static constexpr int kLevels = 8;
    void dot(Point at, Ink ink, std::string_view tooltip = {});
    /// From low to high at one place, as for an error.
    void whisker(Point low, Point high, Ink ink);
    /// One entry of the legend, which stands above the frame.
    void legend(Ink ink, std::string text);
    /// A legend for cells: what the lowest and the highest level stand for.
    void level_legend(std::string low, std::string high);

    /// `title` is what a screen reader says.
    std::string svg(std::string_view title) const;

private:
    struct LegendEntry {
        Ink ink;
        std::string text;
    };

    double place_x(double x) const;
    double place_y(double y) const;
    std::string rect(Point from, Point to) const;
    std::string axes() const;
    std::string legend_svg() const;

    Axis x_;
    Axis y_;
    double width_;
    double height_;
    double left_;
    double bottom_;
    std::string marks_;
    std::vector<LegendEntry> legend_;
    std::string low_level_;
    std::string high_level_;
};

}  // namespace coromd::report
