// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "sections.hpp"

namespace coromd::report {

namespace {

constexpr std::size_t kBins = 60;
constexpr std::size_t kMostPairs = 6;

std::size_t bin_of(const Axis& axis, double value) {
    return static_cast<std::size_t>(std::clamp(axis.fraction(value) * kBins, 0.0, kBins - 1.0));
}

double edge(const Axis& axis, std::size_t bin) {
    return axis.value(static_cast<double>(bin) / kBins);
}

Axis axis_of(const VariableValues& values, std::size_t v) {
    const auto [low, high] = range_of(values, v);
    return variable_axis(values.variables[v], low, high);
}

std::string density_of_one(const VariableValues& values) {
    const Axis x = axis_of(values, 0);
    std::vector<double> counts(kBins, 0.0);
    double frames = 0;
    for (const TrajectoryValues& one : values.trajectories)
        for (const double value : one.columns[0]) {
            ++counts[bin_of(x, value)];
            ++frames;
        }
    const double width = (x.high() - x.low()) / kBins;
    const double most = *std::ranges::max_element(counts) / frames / width;
    const Variable& variable = values.variables[0];
    const std::string unit = variable.units.empty() ? "" : fmt::format(" (1/{})", variable.units);
    Plot plot(x, Axis("density" + unit, 0, most, Scale::linear, true), 560, 260);
    for (std::size_t i = 0; i < kBins; ++i)
        if (counts[i] > 0)
            plot.box({edge(x, i), 0}, {edge(x, i + 1), counts[i] / frames / width}, Ink::series0);
    return figure(plot.svg("Density of " + variable.name),
                  fmt::format("Density of {} over {} frames.", variable.name,
                              count_text(static_cast<std::int64_t>(frames))));
}

/// Cells of one row that have the same level are drawn as one.
std::string density_of_pair(const VariableValues& values, std::size_t a, std::size_t b) {
    const Axis x = axis_of(values, a);
    const Axis y = axis_of(values, b);
    std::vector<std::array<double, kBins>> rows(kBins);
    double most = 1;
    for (const TrajectoryValues& one : values.trajectories)
        for (std::size_t i = 0; i < one.time_ps.size(); ++i)
            most = std::max(most, ++rows[bin_of(y, one.columns[b][i])][bin_of(x, one.columns[a][i])]);
    const auto level_of = [&](double count) {
        return static_cast<int>(std::ceil(std::log(count + 1) / std::log(most + 1) * Plot::kLevels - 1e-9));
    };
    std::array<std::vector<Point>, Plot::kLevels> cells;
    for (std::size_t j = 0; j < kBins; ++j)
        for (std::size_t i = 0; i < kBins;) {
            const int level = level_of(rows[j][i]);
            std::size_t end = i + 1;
            while (end < kBins && level_of(rows[j][end]) == level) ++end;
            if (level > 0) {
                cells[static_cast<std::size_t>(level) - 1].push_back({edge(x, i), edge(y, j)});
                cells[static_cast<std::size_t>(level) - 1].push_back({edge(x, end), edge(y, j + 1)});
            }
            i = end;
        }
    Plot plot(x, y, 440, 400);
    for (std::size_t level = 0; level < cells.size(); ++level)
        plot.cells(cells[level], static_cast<int>(level) + 1);
    plot.level_legend("frames: 1", count_text(static_cast<std::int64_t>(most)));
    const std::string& first = values.variables[a].name;
    const std::string& second = values.variables[b].name;
    return figure(plot.svg(fmt::format("Density of {} and {}", first, second)),
                  fmt::format("{} and {}: frames per cell, in steps of equal ratio.", first, second));
}

std::string densities(const Material& material) {
    const VariableValues& values = material.variables;
    const bool any_frame = std::ranges::any_of(
        values.trajectories, [](const TrajectoryValues& one) { return !one.time_ps.empty(); });
    if (!any_frame || values.variables.empty()) return {};
    std::string html = paragraph(
        "All frames of the trajectories above, each of the same weight. Walkers that end where a condition "
        "holds "
        "are no equilibrium: these are places that were visited, not free energies.");
    if (values.variables.size() == 1) return html + density_of_one(values);
    html += "<div class=\"side\">";
    std::size_t pairs = 0;
    for (std::size_t a = 0; a < values.variables.size(); ++a)
        for (std::size_t b = a + 1; b < values.variables.size(); ++b)
            if (++pairs <= kMostPairs) html += density_of_pair(values, a, b);
    html += "</div>\n";
    if (pairs > kMostPairs)
        html += paragraph(fmt::format("{} more pairs are left out.", pairs - kMostPairs), "left-out");
    return html;
}

}  // namespace

Section densities_section() {
    return {"densities", "Densities", densities};
}

}  // namespace coromd::report
