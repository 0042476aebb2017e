// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace coromd::trajectory {

/// The hash by which asyncmd knows a trajectory: blake2b of 8 bytes, as a big-endian number, over the size
/// (in decimal digits), the first and the last 512 bytes of each file. Files that differ only in between have
/// the same: coromd itself uses fingerprints. Throws Error(system).
std::uint64_t asyncmd_hash(const std::vector<std::filesystem::path>& files);

}  // namespace coromd::trajectory
