// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "coromd/core/random.hpp"
#include "target.hpp"

namespace coromd::fuzz {

/// One of the seeds, damaged in one to four ways: bits and bytes changed, words overwritten by numbers that
/// hurt, pieces cut out, doubled, swapped for those of another seed, numbers of text replaced.
std::string mutated(const std::vector<Seed>& seeds, RandomStream& random);

}  // namespace coromd::fuzz
