// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <numbers>

/// Units are those of GROMACS: nm, ps, nm/ps, amu, K, kJ/mol; angles are in radians.
namespace coromd::units {

/// Molar gas constant in kJ/(mol K), exact in the SI of 2019; what GROMACS calls BOLTZ.
inline constexpr double kBoltzmann = 0.008314462618153241;
inline constexpr double kDegree = std::numbers::pi / 180.0;

}  // namespace coromd::units
