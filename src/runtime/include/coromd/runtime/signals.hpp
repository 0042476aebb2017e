// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>

#include "coromd/runtime/context.hpp"

namespace coromd::runtime {

/// While it lives, SIGINT and SIGTERM are handed to a callback instead of killing the program.
/// The destructor restores what was installed before.
class SignalHandler {
public:
    /// Each signal calls `callback` with its number on the loop thread, where it will usually call
    /// context.request_stop(). It must not throw. `context` must outlive this object.
    /// Throws Error(system).
    SignalHandler(Context& context, std::function<void(int signal_number)> callback);
    ~SignalHandler();
    SignalHandler(const SignalHandler&) = delete;
    SignalHandler& operator=(const SignalHandler&) = delete;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace coromd::runtime
