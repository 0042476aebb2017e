// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/clock.hpp"

#include <chrono>

#include "coromd/core/fault.hpp"

namespace coromd {

std::int64_t now_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count() + faulty_clock_ms();
}

}  // namespace coromd
