// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

namespace coromd::bench {

/// What this process itself has used, without the programs that it ran.
inline double own_cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Resident memory of this process.
inline double resident_mb() {
    std::ifstream statm("/proc/self/statm");
    double size = 0.0;
    double resident = 0.0;
    statm >> size >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

}  // namespace coromd::bench
