// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace coromd::engine::model {

/// Standard normal deviates for the steps of particles: a pure function of (seed, particle, step,
/// component), so that a simulation may be cut into parts anywhere.
///
/// Fills `out` with `components` (1 or 2) numbers for each step from `first_step` on.
void fill_noise(std::uint64_t seed, std::uint32_t particle, std::int64_t first_step, int components,
                std::span<double> out) noexcept;

}  // namespace coromd::engine::model
