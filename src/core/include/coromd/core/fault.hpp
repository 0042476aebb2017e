// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>

// Where the crash tests kill programs: docs/design/crash-safety.md. Without the CMake option
// COROMD_FAULT_POINTS, which no installation has, all of this is nothing.

namespace coromd {

#ifdef COROMD_FAULT_POINTS

/// A moment in which this process may die: before or after a durable step, or an effect outside.
/// Writes "PROCESS.NAME" to the log of passages, and where a test wants it ends here by SIGKILL.
/// On any thread.
void fault_point(const char* name) noexcept;

/// What this process is for the tests; before it says so it passes no point. What is inherited by
/// programs that it starts concerns them only if they say so too.
void name_process_for_faults(const char* name) noexcept;

/// What a test adds to the clock.
std::int64_t faulty_clock_ms() noexcept;

#else

inline void fault_point(const char* /*name*/) noexcept {}
inline void name_process_for_faults(const char* /*name*/) noexcept {}
inline std::int64_t faulty_clock_ms() noexcept {
    return 0;
}

#endif

}  // namespace coromd
