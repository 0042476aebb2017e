// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace coromd::functional {

/// What a line of shell left.
struct Ended {
    int code = 0;
    std::string out;  ///< without the newline at its end
    std::string err;
};

/// A test with an emulated cluster of its own, which is stopped at its end.
class FakeSlurmTest : public testing::Test {
protected:
    FakeSlurmTest();
    ~FakeSlurmTest() override;

    /// Makes the cluster; two nodes of four cores, a minute of a second, unless `options` say otherwise.
    void setup(const std::string& options = "");
    /// A line for /bin/sh with the cluster's commands first in PATH; "$FAKE" is the program itself.
    Ended shell(const std::string& line) const;
    /// The same for a line that must succeed; its standard output.
    std::string run(const std::string& line) const;
    void faults(const std::string& assignments) const { run("\"$FAKE\" faults cluster " + assignments); }
    /// Submits a script given as a line of shell; its id.
    std::string submit(const std::string& options, const std::string& script) const;
    /// The state that sacct shows.
    std::string state(const std::string& id) const;
    /// The content of a file; empty where there is none.
    std::string read(const std::string& name) const;
    /// Repeats a line until it prints `wanted`; fails the test after some seconds.
    void await(const std::string& line, const std::string& wanted) const;
    /// Waits until squeue shows nothing.
    void await_all() const { await("squeue -h", ""); }
    /// Waits until a file is there.
    void await_file(const std::string& name) const { await("test -e " + name + " && echo yes", "yes"); }

    std::filesystem::path folder_;
};

}  // namespace coromd::functional
