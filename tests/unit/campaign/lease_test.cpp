// SPDX-License-Identifier: LGPL-3.0-or-later
#include "lease.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <limits>
#include <set>
#include <thread>

#include <nlohmann/json.hpp>

#include "coromd/runtime/process.hpp"
#include "fixtures.hpp"

namespace coromd::campaign {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class LeaseTest : public CampaignFolder {
protected:
    void SetUp() override {
        CampaignFolder::SetUp();
        open();
    }
    fs::path file() const { return place / "lease.json"; }
    json content() const { return json::parse(read_text_file(file())); }
    void write(const std::string& text) const { std::ofstream(file()) << text; }
    /// A lease like ours, of a process that has ended.
    json of_the_dead() {
        json lease;
        {
            const auto campaign = open();
            lease = content();
        }
        lease["pid"] = std::numeric_limits<pid_t>::max();
        lease["token"] = "of another";
        return lease;
    }
};

TEST_F(LeaseTest, NamesItsOwnerAndEndsWithIt) {
    {
        const auto campaign = open();
        EXPECT_EQ(content()["pid"], ::getpid());
        EXPECT_EQ(content()["boot_id"], runtime::boot_id());
        EXPECT_EQ(content()["start_time"], *runtime::process_start_time(::getpid()));
    }
    EXPECT_FALSE(fs::exists(file()));
}

TEST_F(LeaseTest, ASecondProgramIsRefused) {
    ChildProcess owner([&](int pipe) {
        const auto campaign = open();
        ChildProcess::say(pipe, "open");
        ::pause();
    });
    ASSERT_EQ(owner.line(), "open");
    const Error error = error_of([&] { open(); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error.what(), HasSubstr("process " + std::to_string(owner.pid())));
    EXPECT_THAT(error.what(), HasSubstr("host " + content()["host"].get<std::string>()));
}

TEST_F(LeaseTest, OneProgramDoesNotOpenItTwice) {
    const auto campaign = open();
    EXPECT_EQ(error_of([&] { open(); }).kind(), ErrorKind::conflict);
    EXPECT_TRUE(fs::exists(file()));
}

TEST_F(LeaseTest, OfAKilledProgramIsTakenOverBeforeItIsReaped) {
    ChildProcess owner([&](int pipe) {
        const auto campaign = open();
        ChildProcess::say(pipe, "open");
        ::pause();
    });
    ASSERT_EQ(owner.line(), "open");
    ::kill(owner.pid(), SIGKILL);
    siginfo_t info;
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(owner.pid()), &info, WEXITED | WNOWAIT), 0);
    ASSERT_TRUE(fs::exists(file()));
    const auto campaign = open();
    EXPECT_EQ(content()["pid"], ::getpid());
}

TEST_F(LeaseTest, OfADeadProcessIsTakenOver) {
    write(of_the_dead().dump());
    open();
}

TEST_F(LeaseTest, OfAnotherProcessWithTheSamePidIsTakenOver) {
    json lease = of_the_dead();
    lease["pid"] = ::getpid();
    lease["start_time"] = "1";
    write(lease.dump());
    open();
}

TEST_F(LeaseTest, OfAnEarlierBootIsTakenOver) {
    json lease = of_the_dead();
    lease["pid"] = ::getpid();
    lease["start_time"] = *runtime::process_start_time(::getpid());
    write(lease.dump());
    EXPECT_EQ(error_of([&] { open(); }).kind(), ErrorKind::conflict);
    lease["boot_id"] = "another";
    write(lease.dump());
    open();
}

TEST_F(LeaseTest, OfAnotherHostIsRefused) {
    json lease = of_the_dead();
    lease["host"] = "login2";
    write(lease.dump());
    const std::string before = read_text_file(file());
    const Error error = error_of([&] { open(); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error.what(), HasSubstr("on host login2"));
    EXPECT_THAT(error.what(), HasSubstr("--take-over"));
    EXPECT_EQ(read_text_file(file()), before);
    EXPECT_NO_THROW(
        Campaign::open(context, place, OpenMode::resume_or_create, kSeed, OnChange::refuse, true));
}

TEST_F(LeaseTest, OfAnotherHostThatIsSilentIsTakenOver) {
    json lease = of_the_dead();
    lease["host"] = "login2";
    write(lease.dump());
    const auto now = fs::last_write_time(file());
    fs::last_write_time(file(), now - Lease::kSilence + std::chrono::minutes(1));
    EXPECT_EQ(error_of([&] { open(); }).kind(), ErrorKind::conflict);
    fs::last_write_time(file(), now - Lease::kSilence - std::chrono::minutes(1));
    open();
}

TEST_F(LeaseTest, IsRenewed) {
    const Lease lease = Lease::take(folder, null_logger());
    const fs::path renewed = folder / Lease::kFileName;
    const auto now = fs::last_write_time(renewed);
    fs::last_write_time(renewed, now - std::chrono::hours(1));
    lease.renew();
    EXPECT_GE(fs::last_write_time(renewed), now);
}

TEST_F(LeaseTest, WhatIsNoLeaseIsToldAndLeft) {
    json wrong_pid = of_the_dead();
    wrong_pid["pid"] = -1;
    json no_host = of_the_dead();
    no_host.erase("host");
    for (const std::string& text :
         {std::string(), std::string("{"), std::string("[]"), std::string("{\"pid\": \"x\"}"),
          wrong_pid.dump(), no_host.dump(), std::string(100'000, ' ')}) {
        write(text);
        const Error error = error_of([&] { open(); });
        EXPECT_EQ(error.kind(), ErrorKind::input) << text.substr(0, 100);
        EXPECT_THAT(error.what(), HasSubstr(file().string()));
        EXPECT_TRUE(fs::exists(file()));
    }
}

TEST_F(LeaseTest, AnotherOnesIsNotGivenBack) {
    auto campaign = open();
    json lease = content();
    lease["token"] = "of another";
    write(lease.dump());
    campaign.reset();
    EXPECT_TRUE(fs::exists(file()));
}

TEST_F(LeaseTest, IsNotGivenBackByAForkOfItsOwner) {
    auto campaign = open();
    ChildProcess child([&](int) { campaign.reset(); });
    EXPECT_EQ(child.wait(), 0);
    EXPECT_TRUE(fs::exists(file()));
}

TEST_F(LeaseTest, OfManyThreadsOneTakesOver) {
    for (int round = 0; round < 10; ++round) {
        write(of_the_dead().dump());
        std::atomic<int> ready = 0;
        std::atomic<int> winners = 0;
        std::atomic<int> refused = 0;
        constexpr int kThreads = 8;
        const auto compete = [&] {
            runtime::Context own(1);
            std::unique_ptr<Campaign> campaign;
            ++ready;
            while (ready < kThreads) std::this_thread::yield();
            try {
                campaign = Campaign::open(own, place, OpenMode::resume_or_create, kSeed);
                ++winners;
            } catch (const Error& error) {
                if (error.kind() == ErrorKind::conflict) ++refused;
            }
            ++ready;
            while (ready < 2 * kThreads) std::this_thread::yield();  // the winner keeps it meanwhile
        };
        std::vector<std::jthread> threads;
        for (int i = 0; i < kThreads; ++i) threads.emplace_back(compete);
        threads.clear();
        EXPECT_EQ(winners, 1);
        EXPECT_EQ(refused, kThreads - 1);
    }
}

TEST_F(LeaseTest, OfManyProcessesOneTakesOver) {
    for (int round = 0; round < 5; ++round) {
        write(of_the_dead().dump());
        std::array<int, 2> gate{};
        ASSERT_EQ(::pipe(gate.data()), 0);
        std::vector<std::unique_ptr<ChildProcess>> children;
        for (int i = 0; i < 8; ++i) {
            children.push_back(std::make_unique<ChildProcess>([&](int pipe) {
                ::close(gate[1]);
                char none = 0;
                [[maybe_unused]] const ssize_t n = ::read(gate[0], &none, 1);  // until the gate is closed
                std::unique_ptr<Campaign> campaign;
                try {
                    campaign = open();
                    ChildProcess::say(pipe, "owner");
                } catch (const Error& error) {
                    ChildProcess::say(pipe, std::string(to_string(error.kind())));
                }
                ::pause();
            }));
        }
        ::close(gate[0]);
        ::close(gate[1]);
        std::multiset<std::string> said;
        for (const auto& child : children) said.insert(child->line());
        EXPECT_EQ(said.count("owner"), 1u);
        EXPECT_EQ(said.count("conflict"), 7u);
    }
}

TEST_F(LeaseTest, OfManyCreatorsOneOwnsTheCampaign) {
    place = folder / "new";
    std::vector<std::unique_ptr<ChildProcess>> children;
    for (int i = 0; i < 8; ++i) {
        children.push_back(std::make_unique<ChildProcess>([&](int pipe) {
            std::unique_ptr<Campaign> campaign;
            try {
                campaign = open();
                ChildProcess::say(pipe, "owner");
            } catch (const Error& error) {
                ChildProcess::say(pipe, std::string(to_string(error.kind())));
            }
            ::pause();
        }));
    }
    std::multiset<std::string> said;
    for (const auto& child : children) said.insert(child->line());
    EXPECT_EQ(said.count("owner"), 1u);
    EXPECT_EQ(said.count("conflict"), 7u);
}

}  // namespace
}  // namespace coromd::campaign
