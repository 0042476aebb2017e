// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <sys/types.h>

#include "coromd/core/file.hpp"
#include "coromd/runtime/process.hpp"

namespace coromd::runtime::detail {

/// A process just started.
struct Launched {
    pid_t pid = 0;
    FileDescriptor stdout_pipe;  ///< to read from, non-blocking; none where the output goes to a file
    FileDescriptor stderr_pipe;
};

/// Throws as Process::start() does.
Launched launch(const Command& command);

}  // namespace coromd::runtime::detail
