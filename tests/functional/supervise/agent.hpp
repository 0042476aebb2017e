// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <csignal>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/queue/spool.hpp"

namespace coromd::functional {

/// A job file in a folder of its own, for tests that run the real `coromd supervise` on it. Each agent
/// is the leader of a process group, as the one of a queue is.
class AgentTest : public testing::Test {
protected:
    AgentTest();
    ~AgentTest() override;

    /// How an agent is begun, beside its arguments.
    enum class Begin { plain, without_streams, asked_to_stop };

    /// Writes the job file and starts an agent on it.
    pid_t start(Begin begin = Begin::plain);
    pid_t supervise(const std::vector<std::string>& arguments, Begin begin = Begin::plain);
    /// Goes on with another attempt of the job, in a directory of its own.
    void next_attempt();
    /// Waits for its end: its exit code, 128 + the signal where one ended it.
    int wait(pid_t agent);
    /// start() and wait().
    int run() { return wait(start()); }

    /// The command "probe key=value ...", see probe.cpp, with the rule that fits it.
    void probe(std::vector<std::string> words);
    void shell(const std::string& line) { job_.command = {"/bin/sh", "-c", line}; }

    std::filesystem::path file(const std::string& name) const { return job_.directory / name; }
    std::string read(const std::filesystem::path& path) const;
    void write(const std::filesystem::path& path, const std::string& text = "") const;
    /// Waits until a file has `text`; fails the test after half a minute.
    void await(const std::filesystem::path& path, const std::string& text) const;
    /// Waits until a process has ended, whoever reaps it.
    void await_end(pid_t pid) const;
    /// Waits until the agent has taken all its signals and gone through its loop a few times.
    void let_it_act(pid_t agent) const;
    /// The number in a file.
    pid_t pid_in(const std::string& name) const;

    queue::RunId id(int restart = 0) const { return queue::run_id(job_.key, job_.attempt, restart); }
    bool has_record(int restart = 0) const { return spool_.has_record(id(restart)); }
    queue::ExitRecord record(int restart = 0) const;
    /// How many times probe has got SIGTERM.
    std::size_t signals() const { return read(file("signals")).size() / 5; }

    std::filesystem::path folder_;
    queue::Spool spool_;
    queue::JobFile job_;
    std::map<std::string, std::string> environment_;

private:
    std::vector<pid_t> running_;
};

}  // namespace coromd::functional
