// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/post.hpp>

#include "coromd/core/error.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/runtime/event.hpp"
#include "coromd/runtime/timer.hpp"

namespace coromd::runtime::test {

using namespace std::chrono_literals;

/// Longer than any test takes: a wait that only a cancellation ends.
constexpr std::chrono::hours kForever{1};

inline std::size_t count_open_files() {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++n;
    return n;
}

/// Lets everything that is ready in the loop run, several times over.
inline task<> settle() {
    for (int i = 0; i < 10; ++i) co_await sleep_for(0s);
}

/// Calls `action` when the loop has turned `turns` times. Stops with the context.
inline void after_turns(const asio::any_io_executor& executor, std::size_t turns,
                        std::function<void()> action) {
    asio::post(executor, [executor, turns, action = std::move(action)]() mutable {
        if (turns == 0) {
            action();
        } else {
            after_turns(executor, turns - 1, std::move(action));
        }
    });
}

/// A directory that is removed at the end.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "coromd-test-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp failed");
        path_ = name;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// Waits for an event and notes how that ended in `log`.
inline task<> log_cancellation(Event& event, std::vector<std::string>& log, std::string name) {
    try {
        co_await event.wait();
        log.push_back(name + " set");
    } catch (const Cancelled&) {
        log.push_back(name + " cancelled");
        throw;
    }
}

/// Ends after `turns` of the loop.
inline task<> take_turns(int turns) {
    for (int i = 0; i < turns; ++i) co_await sleep_for(0s);
}

template <typename T>
task<T> value_after(int turns, T value) {
    co_await take_turns(turns);
    co_return value;
}

inline task<> error_after(int turns, std::string message) {
    co_await take_turns(turns);
    throw Error(ErrorKind::job, message);
}

/// Ends only when it is cancelled, and then only after `turns` of a shielded clean-up's loop.
inline task<> wait_forever() {
    co_await sleep_for(kForever);
}

/// What `action` throws, as text; "nothing" where it does not.
template <typename Action>
std::string thrown_by(Action action) {
    try {
        action();
    } catch (const Cancelled&) {
        return "Cancelled";
    } catch (const Error& error) {
        return error.message();
    } catch (const std::exception& error) {
        return std::string("not of ours: ") + error.what();
    }
    return "nothing";
}

}  // namespace coromd::runtime::test
