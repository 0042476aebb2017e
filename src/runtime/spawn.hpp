// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <exception>

#include <asio/any_io_executor.hpp>
#include <asio/cancellation_signal.hpp>

#include "coromd/runtime/task.hpp"

namespace coromd::runtime::detail {

/// A coroutine that runs beside the one that started it, which must keep this object until it has
/// ended. The only place where co_spawn is instantiated.
class Child {
public:
    Child() = default;
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// Puts the start of `body` into the loop's queue; none of it runs before this returns.
    void start(const asio::any_io_executor& executor, task<void> body) noexcept;
    /// Cancels the wait that it is in, and all later ones. A body that has not begun never does.
    void cancel();

protected:
    ~Child() = default;

private:
    /// Called on the loop when the body has ended. Destroys the object at the earliest from the
    /// loop's queue.
    virtual void ended(std::exception_ptr error) noexcept = 0;

    asio::cancellation_signal signal_;
    bool cancelled_ = false;
};

}  // namespace coromd::runtime::detail
