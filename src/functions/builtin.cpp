// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/functions/collective_variable.hpp"
#include "variables/kinds.hpp"

namespace coromd::functions {

Registry<CollectiveVariableKind> builtin_collective_variables() {
    Registry<CollectiveVariableKind> kinds("collective variable");
    kinds.add(distance_kind());
    kinds.add(angle_kind());
    kinds.add(dihedral_kind());
    kinds.add(x_kind());
    kinds.add(y_kind());
    kinds.add(z_kind());
    return kinds;
}

}  // namespace coromd::functions
