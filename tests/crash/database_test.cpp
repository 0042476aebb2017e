// SPDX-License-Identifier: LGPL-3.0-or-later
//
// In the middle of SQLite's own writes: the n-th call fails, does half of its work, finds the disk full,
// or is the last of the process; for all n up to the end of the work. What had returned is there
// afterwards, and the rest can be done again.
#include <csignal>
#include <cstdio>
#include <functional>
#include <ostream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "coromd/runtime/gather.hpp"
#include "faulty_vfs.hpp"
#include "unit/campaign/fixtures.hpp"

namespace coromd::crash {
namespace {

using campaign::Campaign;
using campaign::ChildProcess;
using campaign::OpenMode;
using queue::Claim;
using queue::JobState;
using runtime::task;

/// A campaign of few steps, of which each says when it is durable.
class Steps {
public:
    Steps(runtime::Context& context, const std::filesystem::path& place,
          std::function<void(const std::string&)> say)
        : context_(context), say_(std::move(say)) {
        step("open", [&] { campaign_ = Campaign::open(context, place, OpenMode::resume_or_create, 42); });
        if (!campaign_) return;
        step("input", [&] { context_.run(campaign_->record_inputs({{"input", "first"}})); });
        begin("a", "begin a");
        step("submitted a", [&] { context_.run(ledger().submitted("a", 1, "here")); });
        begin("b", "begin b");
        end("a", JobState::finished);
        end("b", JobState::failed);
        begin("b", "again b");
        step("many", [&] {
            std::vector<task<int>> many;
            for (const std::string key : {"many1", "many2", "many3"}) many.push_back(begun(key));
            context_.run(runtime::gather(std::move(many)));
        });
        begin("last", "last");
    }

private:
    queue::JobLedger& ledger() { return campaign_->ledger(); }
    void step(const std::string& name, const std::function<void()>& body) {
        try {
            body();
            say_("did " + name);
        } catch (const Error& error) {
            say_("failed " + name);
        }
    }
    task<int> begun(std::string key) {
        if (claimed_.insert(key).second) co_await ledger().claim(key, "specification");
        co_return co_await ledger().begin_attempt(key);
    }
    void begin(const std::string& key, const std::string& name) {
        step(name, [&] { context_.run(begun(key)); });
    }
    void end(const std::string& key, JobState state) {
        step("end " + key, [&] { context_.run(ledger().ended(campaign::result_of(key, 1, state))); });
    }

    runtime::Context& context_;
    std::function<void(const std::string&)> say_;
    std::unique_ptr<Campaign> campaign_;
    std::set<std::string> claimed_;
};

class DatabaseFaults : public campaign::CampaignFolder, public testing::WithParamInterface<DiskFault> {
protected:
    /// The steps in a child process; what it said, and whether the fault came.
    std::pair<std::set<std::string>, bool> in_faulty_process(int nth) {
        ChildProcess child([&](int pipe) {
            FaultyVfs vfs(GetParam(), nth);
            runtime::Context own(2);
            {
                Steps steps(own, place, [&](const std::string& line) { ChildProcess::say(pipe, line); });
            }
            if (vfs.fired()) ChildProcess::say(pipe, "fired");
        });
        std::set<std::string> said;
        for (std::string line = child.line(); !line.empty(); line = child.line()) said.insert(line);
        const int status = child.wait();
        const bool died = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        EXPECT_TRUE(died ? GetParam() == DiskFault::crash : status == 0) << "the child ended with " << status;
        return {said, died || said.contains("fired")};
    }

    Claim claim(const std::string& key) {
        return context.run(campaign_->ledger().claim(key, "specification"));
    }

    /// Everything that was said to be done is there, and all that is not can be done now.
    void expect_kept(const std::set<std::string>& said) {
        const auto did = [&](const char* step) { return said.contains(std::string("did ") + step); };
        campaign_ = open();
        EXPECT_EQ(SQLite::Database(database().string()).execAndGet("PRAGMA integrity_check").getString(),
                  "ok");
        bool known = false;
        try {
            context.run(campaign_->record_inputs({{"input", "second"}}));
        } catch (const Error& error) {
            known = error.kind() == ErrorKind::conflict;
        }
        EXPECT_TRUE(known || !did("input"));
        const Claim a = claim("a");
        if (did("begin a")) {
            EXPECT_EQ(a.attempts, 1);
        }
        if (did("end a")) {
            EXPECT_EQ(a.state, JobState::finished);
        } else if (did("submitted a") && a.state == JobState::started) {
            EXPECT_EQ(a.submission, "here");
        }
        const Claim b = claim("b");
        EXPECT_GE(b.attempts, int{did("begin b")} + int{did("again b")});
        if (did("end b")) {
            EXPECT_TRUE(b.result) << "the end of the first attempt is gone";
        }
        for (const char* key : {"many1", "many2", "many3"}) {
            const Claim many = claim(key);
            EXPECT_GE(many.attempts, int{did("many")});
        }
        EXPECT_GE(claim("last").attempts, int{did("last")});
        for (const std::string key : {"a", "b", "many1", "many2", "many3", "last"}) {
            if (key == "a" && a.state == JobState::finished) continue;
            const int number = context.run(campaign_->ledger().begin_attempt(key));
            context.run(campaign_->ledger().ended(campaign::result_of(key, number, JobState::finished)));
        }
        campaign_.reset();
    }

    std::unique_ptr<Campaign> campaign_;
};

TEST_P(DatabaseFaults, WhatWasDoneIsThereAndTheRestCanBeDone) {
    const bool once = GetParam() == DiskFault::error || GetParam() == DiskFault::half;
    int rounds = 0;
    bool fired = true;
    for (int nth = 1; fired; nth += COROMD_CRASH_SAMPLE ? 11 : 1, ++rounds) {
        SCOPED_TRACE("call " + std::to_string(nth));
        std::filesystem::remove_all(place);
        std::set<std::string> said;
        std::tie(said, fired) = in_faulty_process(nth);
        // One error is no reason to fail for ever after.
        if (once && fired && said.contains("did open") && !said.contains("failed last")) {
            EXPECT_TRUE(said.contains("did last"));
        }
        if (once && said.contains("failed last")) {
            EXPECT_TRUE(said.contains("did many")) << "it has not recovered from an earlier error";
        }
        expect_kept(said);
        if (HasFailure()) {
            for (const std::string& line : said) std::printf("%s\n", line.c_str());
            return;
        }
    }
    EXPECT_GT(rounds, 5);
    std::printf("%d rounds\n", rounds);
}

constexpr const char* kNames[] = {"Error", "HalfAWrite", "DiskFull", "NoSync", "Crash"};

INSTANTIATE_TEST_SUITE_P(, DatabaseFaults,
                         testing::Values(DiskFault::error, DiskFault::half, DiskFault::full,
                                         DiskFault::no_sync, DiskFault::crash),
                         [](const auto& info) { return std::string(kNames[static_cast<int>(info.param)]); });

}  // namespace
}  // namespace coromd::crash
