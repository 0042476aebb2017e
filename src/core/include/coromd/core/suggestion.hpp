// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <span>
#include <string_view>

namespace coromd {

/// The known name that `name` is most probably a slip of, upper and lower case being the same; empty
/// where none is near.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known);

}  // namespace coromd
