// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include "coromd/sampling/campaign_kind.hpp"

namespace coromd::sampling {

// One per method, each in the source of its name.
MethodKind committor_kind();

}  // namespace coromd::sampling
