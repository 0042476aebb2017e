// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include "coromd/functions/collective_variable.hpp"

namespace coromd::functions {

CollectiveVariableKind angle_kind();
CollectiveVariableKind dihedral_kind();
CollectiveVariableKind distance_kind();
CollectiveVariableKind x_kind();
CollectiveVariableKind y_kind();
CollectiveVariableKind z_kind();

}  // namespace coromd::functions
