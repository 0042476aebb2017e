// SPDX-License-Identifier: LGPL-3.0-or-later
// 5,000 times /bin/true through run_process(), beside a bare loop of posix_spawn and waitpid in the same
// run, which is the machine's floor, and how many descriptors are open before and after.
//
// coromd_runtime_processes_bench [count] [at once]. Fails where descriptors or children are left.

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "coromd/runtime/context.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/semaphore.hpp"

namespace {

using namespace coromd::runtime;
using Clock = std::chrono::steady_clock;

std::size_t open_files() {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++n;
    return n;
}

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// One after the other.
double bare_loop(int count) {
    const Clock::time_point begin = Clock::now();
    char name[] = "/bin/true";
    char* argv[] = {name, nullptr};
    for (int i = 0; i < count; ++i) {
        pid_t pid = 0;
        if (::posix_spawn(&pid, name, nullptr, nullptr, argv, environ) != 0) std::abort();
        int status = 0;
        if (::waitpid(pid, &status, 0) != pid || status != 0) std::abort();
    }
    return seconds_since(begin);
}

/// `at_once` beside each other, as in the campaign.
double bare_loop(int count, int at_once) {
    const Clock::time_point begin = Clock::now();
    char name[] = "/bin/true";
    char* argv[] = {name, nullptr};
    for (int started = 0, ended = 0; ended < count;) {
        if (started < count && started - ended < at_once) {
            pid_t pid = 0;
            if (::posix_spawn(&pid, name, nullptr, nullptr, argv, environ) != 0) std::abort();
            ++started;
        } else {
            int status = 0;
            if (::waitpid(-1, &status, 0) < 0 || status != 0) std::abort();
            ++ended;
        }
    }
    return seconds_since(begin);
}

task<> run_one(Context& context, Semaphore& slots) {
    const Permit slot = co_await slots.acquire();
    Command command({"/bin/true"});
    const ProcessResult result = co_await run_process(context, std::move(command));
    if (!result.status.success()) std::abort();
}

double through_library(Context& context, int count, int at_once) {
    const Clock::time_point begin = Clock::now();
    Semaphore slots(static_cast<std::size_t>(at_once));
    std::vector<task<>> all;
    for (int i = 0; i < count; ++i) all.push_back(run_one(context, slots));
    context.run(gather(std::move(all)));
    return seconds_since(begin);
}

}  // namespace

int main(int argc, char** argv) {
    const int count = argc > 1 ? std::atoi(argv[1]) : 5'000;
    const int at_once = argc > 2 ? std::atoi(argv[2]) : 64;
    Context context(1);
    through_library(context, 1, 1);  // opens what the loop itself needs
    const std::size_t before = open_files();

    const double serial_floor = bare_loop(count);
    const double serial = through_library(context, count, 1);
    const double floor = bare_loop(count, at_once);
    const double library = through_library(context, count, at_once);
    const std::size_t after = open_files();

    fmt::print("{} x /bin/true             bare       coromd     ratio\n", count);
    fmt::print("one after the other   {:8.3f} s {:8.3f} s {:8.2f}\n", serial_floor, serial,
               serial / serial_floor);
    fmt::print("{:3} at once           {:8.3f} s {:8.3f} s {:8.2f}\n", at_once, floor, library,
               library / floor);
    fmt::print("open descriptors before {}, after {}\n", before, after);
    const bool children_left = ::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD;
    if (after == before && !children_left) return EXIT_SUCCESS;
    fmt::print("FAILED: descriptors or children are left\n");
    return EXIT_FAILURE;
}
