// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace coromd::queue::slurm {

// SLURM writes the nodes of a job as one expression; who blames nodes needs their names.

/// How many names an expression may stand for.
inline constexpr std::size_t kMostHosts = 65'536;

/// The names that e.g. `phys[04-07,9],gpu1,n[1-2]-ib[0-1]` stands for, in that order, leading zeros
/// kept; none for "", "(null)" and "None assigned".
/// Throws Error(input) with the text for what is no such expression, for more than kMostHosts names,
/// and for names of more than 255 characters.
std::vector<std::string> expand_hostlist(std::string_view text);

}  // namespace coromd::queue::slurm
