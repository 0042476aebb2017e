// SPDX-License-Identifier: LGPL-3.0-or-later
// How much memory 100,000 coroutines need that all wait at once, half of them for an event and half
// for a timer, below gather, and how long it takes to start, resume and end them.
//
// coromd_runtime_coroutines_bench [count]. Fails above 300 MB.

#include <chrono>
#include <cstdlib>

#include <sys/resource.h>

#include <fmt/format.h>

#include "coromd/runtime/context.hpp"
#include "coromd/runtime/event.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/timer.hpp"

namespace {

using namespace coromd::runtime;
using Clock = std::chrono::steady_clock;

constexpr double kMaxMegabytes = 300.0;

double peak_megabytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// A walker as a program writes it: a coroutine that awaits another.
task<int> segment(int i, Event& event, Clock::time_point end) {
    if (i % 2) {
        co_await event.wait();
    } else {
        co_await sleep_for(end - Clock::now());
    }
    co_return i;
}

task<int> walker(int i, Event& event, Clock::time_point end) {
    co_return co_await segment(i, event, end);
}

task<> setter(Event& event, Clock::time_point end) {
    co_await sleep_for(end - Clock::now());
    event.set();
}

task<int> walker_of_turns(int turns) {
    for (int i = 0; i < turns; ++i) co_await sleep_for(std::chrono::nanoseconds(0));
    co_return turns;
}

}  // namespace

int main(int argc, char** argv) {
    const int count = argc > 1 ? std::atoi(argv[1]) : 100'000;
    Context context(1);
    const double before = peak_megabytes();
    {
        // All of them have begun to wait before the first of them may go on.
        const Clock::time_point begin = Clock::now();
        const Clock::time_point end = begin + std::chrono::seconds(3);
        Event event;
        std::vector<task<int>> walkers;
        walkers.reserve(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i) walkers.push_back(walker(i, event, end));
        context.run(gather(gather(std::move(walkers)), setter(event, end)));
        fmt::print(
            "{} coroutines waiting at once: started, resumed and ended in {:.2f} s beside the wait of 3 s\n",
            count, seconds_since(begin) - 3.0);
    }
    const double used = peak_megabytes() - before;
    fmt::print("peak memory: {:.0f} MB above {:.0f} MB, {:.0f} bytes for each\n", used, before,
               used * 1024 * 1024 / count);
    {
        constexpr int kTurns = 10;
        const Clock::time_point begin = Clock::now();
        std::vector<task<int>> walkers;
        for (int i = 0; i < count; ++i) walkers.push_back(walker_of_turns(kTurns));
        context.run(gather(std::move(walkers)));
        const double seconds = seconds_since(begin);
        fmt::print("{} coroutines with {} timers each: {:.2f} s, {:.0f} ns for each wait\n", count, kTurns,
                   seconds, seconds * 1e9 / count / kTurns);
    }
    if (used < kMaxMegabytes) return EXIT_SUCCESS;
    fmt::print("FAILED: more than {:.0f} MB\n", kMaxMegabytes);
    return EXIT_FAILURE;
}
