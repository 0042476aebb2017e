// SPDX-License-Identifier: LGPL-3.0-or-later
#include "stop_question.hpp"

#include <array>
#include <chrono>

#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include "coromd/runtime/timer.hpp"

namespace coromd::session {

using runtime::Shutdown;
using runtime::task;

namespace {

constexpr std::chrono::seconds kPatience{20};
constexpr std::chrono::milliseconds kLook{100};

/// The first letter of a line that was typed; 0 where none was.
char typed() {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    std::array<char, 256> line{};
    if (::poll(&input, 1, 0) <= 0 || ::read(STDIN_FILENO, line.data(), line.size()) <= 0) return 0;
    return line[0];
}

}  // namespace

bool can_ask() noexcept {
    return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1 &&
           ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
}

task<std::optional<Shutdown>> ask_about_jobs(Terminal& terminal) {
    while (typed() != 0) {
        // What was typed before was no answer.
    }
    terminal.say(
        fmt::format("What shall become of the jobs that run? s: stop them with checkpoints, l: leave them "
                    "running, g: go on as if nothing had been.\n"
                    "Enter, or {} s without an answer: the usual, which is to leave those of clusters and to "
                    "stop those of this machine.",
                    kPatience.count()));
    const auto latest = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < latest) {
        switch (typed()) {
            case 0:
                break;
            case 's':
                co_return Shutdown::stop_jobs;
            case 'l':
                co_return Shutdown::leave_jobs;
            case 'g':
                co_return std::nullopt;
            default:
                co_return Shutdown::as_usual;
        }
        co_await runtime::sleep_for(kLook);
    }
    co_return Shutdown::as_usual;
}

}  // namespace coromd::session
