// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

#include "coromd/campaign/campaign.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"

namespace coromd::campaign {

/// The Error that `action` throws; a failed expectation where it throws none.
template <typename Action>
Error error_of(Action&& action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "no Error was thrown";
    return Error(ErrorKind::usage, "");
}

/// A test with an empty folder of its own, and the place of a campaign in it.
class CampaignFolder : public testing::Test {
protected:
    static constexpr std::uint64_t kSeed = 42;

    CampaignFolder() {
        std::string name = testing::TempDir() + "coromd-campaign-XXXXXX";
        if (::mkdtemp(name.data())) folder = name;
        place = folder / "campaign";
    }
    ~CampaignFolder() override {
        std::error_code ignored;
        if (!folder.empty()) std::filesystem::remove_all(folder, ignored);
    }
    void SetUp() override { ASSERT_FALSE(folder.empty()); }

    std::unique_ptr<Campaign> open(OpenMode mode = OpenMode::resume_or_create) {
        return Campaign::open(context, place, mode, kSeed);
    }
    std::filesystem::path database() const { return place / "campaign.sqlite"; }
    /// Runs SQL on the database, as somebody with the sqlite3 shell could.
    void tamper(const std::string& sql) const {
        SQLite::Database(database().string(), SQLite::OPEN_READWRITE).exec(sql);
    }

    std::filesystem::path folder;
    std::filesystem::path place;
    runtime::Context context{2};
};

/// A process that runs `body` with the writing end of a pipe. Killed at the end, if it still runs.
class ChildProcess {
public:
    explicit ChildProcess(const std::function<void(int pipe)>& body) {
        std::array<int, 2> ends{};
        if (::pipe(ends.data()) != 0) std::abort();
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(ends[0]);
            try {
                body(ends[1]);
            } catch (const std::exception& error) {
                say(ends[1], error.what());
                ::_exit(1);
            }
            ::_exit(0);
        }
        ::close(ends[1]);
        reader_ = ::fdopen(ends[0], "r");
    }
    ~ChildProcess() {
        kill();
        std::fclose(reader_);
    }
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    static void say(int pipe, const std::string& line) { ::dprintf(pipe, "%s\n", line.c_str()); }

    pid_t pid() const { return pid_; }
    /// Waits for the next line that the child says; empty at its end.
    std::string line() {
        std::array<char, 4096> buffer{};
        if (!std::fgets(buffer.data(), buffer.size(), reader_)) return {};
        std::string text = buffer.data();
        if (text.ends_with('\n')) text.pop_back();
        return text;
    }
    void kill() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        wait();
    }
    /// Waits for its end; the status as waitpid() has it.
    int wait() {
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = 0;
        return status;
    }

private:
    pid_t pid_ = 0;
    FILE* reader_ = nullptr;
};

inline queue::JobResult result_of(std::string key, int attempt, queue::JobState state,
                                  std::string reason = {}) {
    queue::JobResult result;
    result.key = std::move(key);
    result.attempt = attempt;
    result.state = state;
    result.reason = std::move(reason);
    return result;
}

}  // namespace coromd::campaign
