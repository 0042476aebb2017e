// SPDX-License-Identifier: LGPL-3.0-or-later
#include "kinds.hpp"

namespace coromd::sampling {

Registry<MethodKind> builtin_methods() {
    Registry<MethodKind> registry("kind of campaign");
    registry.add(committor_kind());
    return registry;
}

}  // namespace coromd::sampling
