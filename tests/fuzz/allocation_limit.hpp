// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>

namespace coromd::fuzz {

/// From now on a single `new` of more bytes ends the program, with a message. Linking this replaces the
/// global operator new: a sanitizer no longer sees which delete belongs to which new.
void limit_allocations(std::size_t bytes);

}  // namespace coromd::fuzz
