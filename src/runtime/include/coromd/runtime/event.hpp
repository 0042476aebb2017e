// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <list>

#include "coromd/runtime/task.hpp"

namespace coromd::runtime {

/// Something that happens once; any number of coroutines wait for it. Belongs to the loop thread.
class Event {
public:
    Event() = default;
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    /// Resumes all who wait and lets all later waits through.
    void set() noexcept;
    bool is_set() const noexcept { return set_; }

    /// Waits until set() was called. The Event must live until then.
    ///
    /// Cancellation: throws Cancelled at once, also where the event is set.
    task<void> wait();

private:
    class Wait;

    bool set_ = false;
    std::list<Wait*> waits_;
};

}  // namespace coromd::runtime
