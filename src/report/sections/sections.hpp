// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "coromd/report/html.hpp"
#include "coromd/report/plot.hpp"
#include "coromd/report/section.hpp"

namespace coromd::report {

// One source each, in sections/.
Section head_section();
Section outcomes_section();
Section jobs_section();
Section timeline_section();
Section throughput_section();
Section waiting_section();
Section failures_section();
Section time_series_section();
Section densities_section();
Section inputs_section();
Section provenance_section();
Section notes_section();

/// An axis that shows a variable, from its lowest to its highest value.
Axis variable_axis(const Variable& variable, double low, double high);

/// The lowest and the highest value of a variable over all trajectories; (0, 0) where there is none.
std::pair<double, double> range_of(const VariableValues& values, std::size_t variable);

/// What was left out of the values, as paragraphs.
std::string left_out_html(const VariableValues& values);

/// Wall time since the creation of the campaign, to the last thing that happened, and its unit.
struct Clock {
    explicit Clock(const Material& material);

    double at(std::int64_t unix_ms) const;  ///< in units
    Axis axis() const;

    TimeUnit unit;
    double end;  ///< in units, > 0
    const Material& material;
};

/// A text of at most so many letters, its end kept: that is where names differ.
std::string shortened(std::string text, std::size_t letters);

/// Orders names as people do: "walkers/999" before "walkers/1000".
struct NaturalOrder {
    bool operator()(const std::string& a, const std::string& b) const;
};

}  // namespace coromd::report
