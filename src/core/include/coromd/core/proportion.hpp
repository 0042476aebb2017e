// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>

namespace coromd {

/// A probability estimated from independent trials, with its interval.
struct Proportion {
    std::int64_t successes = 0;
    std::int64_t trials = 0;
    double estimate = 0.0;  ///< successes / trials; NaN without trials
    double low = 0.0;
    double high = 1.0;
};

/// The interval of Wilson (J. Am. Stat. Assoc. 22, 209 (1927)), which stays within [0, 1] and is
/// right also for few trials and for none or all successes. `z`: standard normal quantile (1.96:
/// 95 %). Throws Error(usage) where the counts make no sense.
Proportion wilson(std::int64_t successes, std::int64_t trials, double z = 1.959963984540054);

}  // namespace coromd
