// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/engine/md_system.hpp"
#include "kinds.hpp"

namespace coromd::engine {

Registry<EngineKind> builtin_engines() {
    Registry<EngineKind> registry("engine kind");
    registry.add(gromacs::kind());
    registry.add(model::kind());
    return registry;
}

}  // namespace coromd::engine
