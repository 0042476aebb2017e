// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <string>

#include "database.hpp"

namespace coromd::campaign {

/// Brings a database of an earlier version to kSchemaVersion, inside of the caller's transaction.
/// `place`: what place_of() says. Throws Error(input) where what it holds does not add up.
void migrate(Connection& database, const std::string& place);

}  // namespace coromd::campaign
