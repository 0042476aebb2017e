// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "coromd/runtime/context.hpp"
#include "coromd/runtime/detail/group.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::runtime {

/// A coroutine that runs beside others for as long as any of them needs it: one that polls for all
/// who wait. Belongs to the loop thread.
class Service {
public:
    /// `body` is called for each time that it is needed anew. It goes on until it is cancelled and then
    /// ends soon; it deals with its own errors.
    Service(Context& context, std::function<task<void>()> body);
    /// Nobody may be using it.
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// Awaits `child` while the service runs. The last one who leaves cancels it and waits for its end.
    ///
    /// Cancellation: reaches the child; throws what that throws, when the service has ended too if
    /// nobody else needs it.
    task<void> use(task<void> child);

    /// The same for a child with a result.
    template <typename T>
    task<T> use(task<T> child) {
        std::optional<T> result;
        task<void> storing = detail::store_result(std::move(child), result);
        co_await use(std::move(storing));
        co_return std::move(*result);
    }

private:
    class Run;

    void begin();
    void ended();

    Context& context_;
    std::function<task<void>()> body_;
    std::size_t users_ = 0;
    std::shared_ptr<Run> run_;
};

}  // namespace coromd::runtime
