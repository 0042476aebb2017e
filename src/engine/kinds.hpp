// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include "coromd/engine/md_system.hpp"

// One per kind of engine, each in the folder of its name.
namespace coromd::engine::gromacs {
EngineKind kind();
}
namespace coromd::engine::model {
EngineKind kind();
}
