// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>

#include "coromd/runtime/context.hpp"

namespace coromd::runtime {

/// While it lives, SIGINT and SIGTERM ask `context` to stop instead of killing the program.
/// The destructor restores what was installed before.
class StopOnSignals {
public:
    /// Each signal calls `callback` with its number on the loop thread and then
    /// context.request_stop(). What a second one means is the callback's decision. It must not
    /// throw. Both references must outlive this object. Throws Error(system).
    StopOnSignals(Context& context, std::function<void(int signal_number)> callback);
    ~StopOnSignals();
    StopOnSignals(const StopOnSignals&) = delete;
    StopOnSignals& operator=(const StopOnSignals&) = delete;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace coromd::runtime
