// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <span>

#include "coromd/core/registry.hpp"
#include "coromd/functions/collective_variable.hpp"
#include "text.hpp"

namespace coromd::functions {

/// Is this the call of a collective variable, right or wrong, and no expression?
bool is_collective_variable(const Registry<CollectiveVariableKind>& kinds, std::span<const Token> tokens);

}  // namespace coromd::functions
