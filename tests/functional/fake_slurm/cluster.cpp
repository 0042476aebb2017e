// SPDX-License-Identifier: LGPL-3.0-or-later
#include "cluster.hpp"

#include <chrono>
#include <cstdlib>
#include <thread>

#include <stdlib.h>
#include <sys/wait.h>

#include "coromd/core/file.hpp"

namespace coromd::functional {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

FakeSlurmTest::FakeSlurmTest() {
    std::string name = testing::TempDir() + "coromd-slurm-XXXXXX";
    if (::mkdtemp(name.data()) != nullptr) folder_ = name;
}

FakeSlurmTest::~FakeSlurmTest() {
    if (folder_.empty()) return;
    shell("\"$FAKE\" stop cluster");
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void FakeSlurmTest::setup(const std::string& options) {
    ASSERT_FALSE(folder_.empty());
    run("\"$FAKE\" setup cluster --nodes 2 --cores-per-node 4 --minute 1s --kill-wait 300ms " + options);
}

Ended FakeSlurmTest::shell(const std::string& line) const {
    const std::string script =
        "cd '" + folder_.string() + "' && export FAKE='" COROMD_FAKE_SLURM_PROGRAM "' PATH='" +
        (folder_ / "cluster/bin").string() + "':\"$PATH\" && { " + line + "\n} >.out 2>.err";
    const int status = std::system(script.c_str());
    Ended ended{.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                .out = read(".out"),
                .err = read(".err")};
    if (ended.out.ends_with('\n')) ended.out.pop_back();
    return ended;
}

std::string FakeSlurmTest::run(const std::string& line) const {
    const Ended ended = shell(line);
    EXPECT_EQ(ended.code, 0) << line << "\n" << ended.err;
    return ended.out;
}

std::string FakeSlurmTest::submit(const std::string& options, const std::string& script) const {
    return run("sbatch --parsable " + options + " <<'END'\n#!/bin/sh\n" + script + "\nEND");
}

std::string FakeSlurmTest::state(const std::string& id) const {
    return run("sacct -n -P -X -o State -j " + id);
}

std::string FakeSlurmTest::read(const std::string& name) const {
    return fs::exists(folder_ / name) ? read_text_file(folder_ / name) : "";
}

void FakeSlurmTest::await(const std::string& line, const std::string& wanted) const {
    const auto deadline = steady_clock::now() + std::chrono::seconds(20);
    std::string got;
    while (steady_clock::now() < deadline) {
        got = shell(line).out;
        if (got == wanted) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL() << line << " printed '" << got << "' and not '" << wanted << "'";
}

}  // namespace coromd::functional
