// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

namespace coromd::report {

enum class Scale {
    linear,
    count,  ///< linear, with ticks at whole numbers only
    log,    ///< positive values only
    pi,     ///< linear, for angles in rad: ticks at parts of pi
    names   ///< places 0, 1, 2, ... with names, the first on top
};

struct Tick {
    double value = 0.0;
    std::string label;
};

/// One axis of a plot: what it shows, from where to where, and where the ticks are.
class Axis {
public:
    /// `title`: with units, "time (ps)". A range that is empty or not finite is widened to one that can be
    /// drawn; with `round` (not for pi) its ends are moved outwards to round numbers, where ticks are.
    Axis(std::string title, double low, double high, Scale scale = Scale::linear, bool round = false);
    /// One place per name.
    static Axis of_names(std::string title, std::vector<std::string> names);

    const std::string& title() const noexcept { return title_; }
    double low() const noexcept { return low_; }
    double high() const noexcept { return high_; }
    Scale scale() const noexcept { return scale_; }
    /// 0 at low(), 1 at high(); not limited to those.
    double fraction(double value) const noexcept;
    /// The value at a fraction of the axis.
    double value(double fraction) const noexcept;
    /// At most about so many, at round numbers, ascending; all names.
    std::vector<Tick> ticks(int most) const;

private:
    std::string title_;
    double low_;
    double high_;
    Scale scale_;
    double step_ = 0.0;  // between ticks; 0 where it follows from the room that there is
    std::vector<std::string> names_;
};

/// The unit that suits a length of wall time: its name ("min") and its seconds.
struct TimeUnit {
    const char* name;
    double seconds;
};
TimeUnit time_unit(double seconds) noexcept;

}  // namespace coromd::report
