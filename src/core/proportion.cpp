// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/proportion.hpp"

#include <cmath>
#include <limits>

#include "coromd/core/error.hpp"

namespace coromd {

Proportion wilson(std::int64_t successes, std::int64_t trials, double z) {
    if (successes < 0 || trials < successes || !(z > 0) || !std::isfinite(z))
        fail(ErrorKind::usage, "{} successes in {} trials, with z = {}, make no proportion", successes,
             trials, z);
    Proportion result{successes, trials, std::numeric_limits<double>::quiet_NaN(), 0.0, 1.0};
    if (trials == 0) return result;
    const double n = static_cast<double>(trials);
    const double p = static_cast<double>(successes) / n;
    const double z2 = z * z;
    const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
    const double half = z / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    result.estimate = p;
    // At the ends the interval reaches 0 or 1 exactly, but for rounding.
    result.low = successes == 0 ? 0.0 : centre - half;
    result.high = successes == trials ? 1.0 : centre + half;
    return result;
}

}  // namespace coromd
