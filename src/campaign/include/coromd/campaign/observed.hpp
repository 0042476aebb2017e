// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coromd/campaign/memo.hpp"
#include "coromd/runtime/event.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/race.hpp"
#include "coromd/runtime/timeout.hpp"

// What depends on which of several things came first, or on the clock, and must not differ when the program
// is started again. What was seen is recorded before it is handed on. `key`: as for Campaign::memo().
namespace coromd::campaign {

namespace detail {

/// Which children have ended, in their order.
class Completions {
public:
    explicit Completions(std::size_t n) : events_(n) {
        for (auto& event : events_) event = std::make_unique<runtime::Event>();
    }

    void done(std::size_t index);
    /// The index of a child that has ended and was not handed out yet: `wanted`, or the first one.
    /// Cancellation: throws Cancelled.
    runtime::task<std::size_t> next(std::optional<std::size_t> wanted);

private:
    std::vector<std::unique_ptr<runtime::Event>> events_;
    std::unique_ptr<runtime::Event> any_ = std::make_unique<runtime::Event>();
    std::deque<std::size_t> ended_;
};

template <typename T>
runtime::task<void> complete(runtime::task<T> child, std::optional<T>& place, Completions& completions,
                             std::size_t index) {
    place.emplace(co_await std::move(child));
    completions.done(index);
}

/// What is recorded at `position` of an order; taken for this run.
runtime::task<std::optional<std::size_t>> recall_index(Campaign& campaign, std::string key,
                                                       std::size_t limit);
runtime::task<void> remember_index(Campaign& campaign, std::string key, std::size_t index);

template <typename T, typename Fn>
runtime::task<void> deliver(Campaign& campaign, std::string key, Completions& completions,
                            std::vector<std::optional<T>>& results, Fn& fn) {
    for (std::size_t position = 0; position < results.size(); ++position) {
        const std::string place = key + "/" + std::to_string(position);
        const std::optional<std::size_t> recorded = co_await recall_index(campaign, place, results.size());
        const std::size_t index = co_await completions.next(recorded);
        if (!recorded) co_await remember_index(campaign, place, index);
        co_await fn(index, std::move(*results[index]));
    }
}

}  // namespace detail

/// runtime::race() with the same winner at every start: where it is known, only that child is run.
/// Cancellation: as runtime::race().
template <typename T>
runtime::task<runtime::RaceResult<T>> race(Campaign& campaign, std::string key,
                                           std::vector<runtime::task<T>> children) {
    const std::optional<std::size_t> known = co_await detail::recall_index(campaign, key, children.size());
    if (known) {
        runtime::RaceResult<T> result{*known, co_await std::move(children[*known])};
        co_return result;
    }
    runtime::RaceResult<T> result = co_await runtime::race(std::move(children));
    co_await detail::remember_index(campaign, key, result.index);
    co_return result;
}

/// runtime::with_timeout() that is cut off, or not, as it was at the first start.
/// Cancellation: as runtime::with_timeout().
template <typename T>
runtime::task<std::optional<T>> with_timeout(Campaign& campaign, std::string key,
                                             std::chrono::nanoseconds limit, runtime::task<T> child) {
    const std::optional<std::size_t> known = co_await detail::recall_index(campaign, key, 2);
    std::optional<T> result;
    if (known) {
        if (*known != 0) result.emplace(co_await std::move(child));
        co_return result;
    }
    result = co_await runtime::with_timeout(limit, std::move(child));
    const auto in_time = static_cast<std::size_t>(result.has_value());
    co_await detail::remember_index(campaign, key, in_time);
    co_return result;
}

/// Runs all children beside each other, and awaits `fn(index, value)`, a coroutine, for each of them as they
/// end, one at a time, in the same order at every start. The first error, of a child or of `fn`, cancels the
/// rest and is rethrown.
/// Cancellation: cancels children and `fn`, waits until all have ended, throws Cancelled.
template <typename T, typename Fn>
runtime::task<void> for_each_completed(Campaign& campaign, std::string key,
                                       std::vector<runtime::task<T>> children, Fn& fn) {
    detail::Completions completions(children.size());
    std::vector<std::optional<T>> results(children.size());
    std::vector<runtime::task<void>> all;
    for (std::size_t i = 0; i < results.size(); ++i)
        all.push_back(detail::complete(std::move(children[i]), results[i], completions, i));
    all.push_back(detail::deliver(campaign, std::move(key), completions, results, fn));
    co_await runtime::gather(std::move(all));
}

/// The time when this was first asked for, Unix time in milliseconds.
/// Cancellation: not cancellable.
runtime::task<std::int64_t> observed_now_ms(Campaign& campaign, std::string key);

}  // namespace coromd::campaign
