// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Few trajectories are lines. Many are a map: for each short span of MD time, where the walkers are that
// are still under way.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "sections.hpp"

namespace coromd::report {

namespace {

constexpr std::size_t kMostLines = 8;
constexpr std::size_t kMostPoints = 600;
constexpr std::size_t kTimeBins = 120;
constexpr std::size_t kValueBins = 48;

constexpr double kWidth = 720;
constexpr double kHeight = 250;

/// The points of a line: of each run of frames the lowest and the highest, so that no peak is lost; a
/// jump over the border of a periodic variable is a gap.
std::vector<Point> points_of(const std::vector<double>& time, const std::vector<double>& values,
                             bool periodic) {
    const std::size_t run = values.size() / (kMostPoints / 2) + 1;
    std::vector<Point> points;
    const auto add = [&](std::size_t i) {
        if (periodic && !points.empty() && std::abs(values[i] - points.back().y) > std::numbers::pi)
            points.push_back({time[i], std::numeric_limits<double>::quiet_NaN()});
        points.push_back({time[i], values[i]});
    };
    for (std::size_t from = 0; from < values.size(); from += run) {
        const auto first = values.begin() + static_cast<std::ptrdiff_t>(from);
        const auto last = values.begin() + static_cast<std::ptrdiff_t>(std::min(from + run, values.size()));
        const auto [low, high] = std::minmax_element(first, last);
        const auto [a, b] = std::minmax({low - values.begin(), high - values.begin()});
        add(static_cast<std::size_t>(a));
        if (b != a) add(static_cast<std::size_t>(b));
    }
    return points;
}

double last_time(const VariableValues& values) {
    double last = 0;
    for (const TrajectoryValues& one : values.trajectories)
        for (const double time : one.time_ps) last = std::max(last, time);
    return last;
}

std::string lines(const VariableValues& values, std::size_t v) {
    const Variable& variable = values.variables[v];
    const auto [low, high] = range_of(values, v);
    Plot plot(Axis("MD time (ps)", 0, last_time(values)), variable_axis(variable, low, high), kWidth,
              kHeight);
    for (std::size_t i = 0; i < values.trajectories.size(); ++i) {
        const TrajectoryValues& one = values.trajectories[i];
        plot.line(points_of(one.time_ps, one.columns[v], variable.periodic), series_ink(i), 1.2, one.subject);
        plot.legend(series_ink(i), shortened(one.subject, 11));
    }
    return figure(plot.svg(variable.name + " over time"),
                  fmt::format("{} = {}", variable.name, variable.text));
}

std::string map(const VariableValues& values, std::size_t v) {
    const Variable& variable = values.variables[v];
    const auto [low, high] = range_of(values, v);
    const Axis x("MD time (ps)", 0, last_time(values));
    const Axis y = variable_axis(variable, low, high);
    std::vector<std::array<double, kValueBins>> counts(kTimeBins);
    const auto bin = [](const Axis& axis, double value, std::size_t bins) {
        return static_cast<std::size_t>(
            std::clamp(axis.fraction(value) * static_cast<double>(bins), 0.0, static_cast<double>(bins - 1)));
    };
    for (const TrajectoryValues& one : values.trajectories)
        for (std::size_t i = 0; i < one.time_ps.size(); ++i)
            ++counts[bin(x, one.time_ps[i], kTimeBins)][bin(y, one.columns[v][i], kValueBins)];
    double most = 0;
    for (auto& column : counts) {
        double sum = 0;
        for (const double count : column) sum += count;
        for (double& count : column) most = std::max(most, count = sum > 0 ? count / sum : 0);
    }
    std::array<std::vector<Point>, Plot::kLevels> cells;
    for (std::size_t i = 0; i < kTimeBins; ++i)
        for (std::size_t j = 0; j < kValueBins; ++j) {
            if (counts[i][j] == 0) continue;
            // By the square root: rare places are still to be seen.
            const double level = std::sqrt(counts[i][j] / most) * Plot::kLevels;
            std::vector<Point>& of_level =
                cells[static_cast<std::size_t>(std::clamp(std::ceil(level), 1.0, 8.0)) - 1];
            of_level.push_back(
                {x.value(static_cast<double>(i) / kTimeBins), y.value(static_cast<double>(j) / kValueBins)});
            of_level.push_back({x.value(static_cast<double>(i + 1) / kTimeBins),
                                y.value(static_cast<double>(j + 1) / kValueBins)});
        }
    Plot plot(x, y, kWidth, kHeight);
    for (std::size_t level = 0; level < cells.size(); ++level)
        plot.cells(cells[level], static_cast<int>(level) + 1);
    plot.level_legend("share of walkers: 0", fmt::format("{:.2g}", most));
    return figure(plot.svg(variable.name + " over time"),
                  fmt::format("{} = {}; at each time, the share of the {} walkers that have come so far.",
                              variable.name, variable.text,
                              count_text(static_cast<std::int64_t>(values.trajectories.size()))));
}

std::string time_series(const Material& material) {
    const VariableValues& values = material.variables;
    std::string html = left_out_html(values);
    if (values.trajectories.empty()) return html;
    for (std::size_t v = 0; v < values.variables.size(); ++v)
        html += values.trajectories.size() <= kMostLines ? lines(values, v) : map(values, v);
    return html;
}

}  // namespace

Section time_series_section() {
    return {"time-series", "Variables over time", time_series};
}

}  // namespace coromd::report
