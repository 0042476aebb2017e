// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coromd/core/file.hpp"
#include "coromd/queue/queue.hpp"
#include "coromd/runtime/event.hpp"
#include "coromd/runtime/race.hpp"
#include "coromd/runtime/with.hpp"
#include "unit/runtime/runtime_test.hpp"

namespace coromd::queue::test {

namespace fs = std::filesystem;
using runtime::Event;
using runtime::task;
using runtime::test::count_open_files;
using runtime::test::settle;
using runtime::test::TemporaryDirectory;

using Log = std::vector<std::string>;

inline void write_file(const fs::path& path, const std::string& content = "content") {
    std::ofstream(path) << content;
}

/// The names in a directory, sorted.
inline Log names_in(const fs::path& directory) {
    Log names;
    for (const auto& entry : fs::directory_iterator(directory))
        names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
}

/// A ledger in memory that notes each call, and first does what a test wants it to do.
class RecordingLedger final : public JobLedger {
public:
    explicit RecordingLedger(Log& log) : log_(log) {}

    /// Called with "begin", "submitted" and "ended" before the call is carried out; may throw.
    std::function<task<void>(std::string call)> before = [](std::string) -> task<void> { co_return; };

    task<Claim> claim(std::string key, std::string specification) override {
        return ledger_->claim(std::move(key), std::move(specification));
    }
    task<int> begin_attempt(std::string key) override {
        co_await before("begin");
        const int number = co_await ledger_->begin_attempt(std::move(key));
        log_.push_back(fmt::format("begin {}", number));
        co_return number;
    }
    task<void> submitted(std::string key, int attempt, std::string submission) override {
        co_await before("submitted");
        log_.push_back(fmt::format("submitted {} '{}'", attempt, submission));
        co_await ledger_->submitted(std::move(key), attempt, std::move(submission));
    }
    task<void> ended(JobResult result) override {
        co_await before("ended");
        log_.push_back(fmt::format("ended {} {}", result.attempt, to_string(result.state)));
        co_await ledger_->ended(std::move(result));
    }
    void release(const std::string& key) noexcept override {
        log_.push_back("release");
        ledger_->release(key);
    }
    /// What the next run of the program begins with.
    void forget_claim(const std::string& key) { ledger_->release(key); }

private:
    Log& log_;
    std::unique_ptr<JobLedger> ledger_ = memory_ledger();
};

/// Runs `main` until `stop` is set, then cancels it. How it ended: "Cancelled", the text of its
/// error, or the state of its result.
inline task<std::string> run_until(Event& stop, Queue& queue, Job job) {
    std::string ended;
    auto observe = [&]() -> task<void> {
        try {
            const JobResult result = co_await queue.run(job);
            ended = to_string(result.state);
        } catch (const Cancelled&) {
            ended = "Cancelled";
        } catch (const std::exception& error) {
            ended = error.what();
        }
    };
    std::vector<task<void>> both;
    both.push_back(observe());
    both.push_back(stop.wait());
    co_await runtime::race(std::move(both));
    co_return ended;
}

}  // namespace coromd::queue::test
