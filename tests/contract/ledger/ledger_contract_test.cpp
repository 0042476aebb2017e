// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What a queue relies on, whichever ledger it was given. A key is claimed again in the same run by
// releasing it first: what the next run of the program would see.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "coromd/campaign/campaign.hpp"
#include "coromd/core/error.hpp"
#include "coromd/queue/ledger.hpp"
#include "coromd/runtime/event.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/race.hpp"

namespace coromd::queue {
namespace {

namespace fs = std::filesystem;
using campaign::Campaign;
using campaign::OpenMode;
using runtime::task;
using testing::HasSubstr;

struct LedgerKind {
    std::string name;
    /// A ledger, and whatever keeps it alive.
    std::function<std::shared_ptr<JobLedger>(runtime::Context&, const fs::path& folder)> make;
};

void PrintTo(const LedgerKind& kind, std::ostream* out) {
    *out << kind.name;
}

const std::vector<LedgerKind> kKinds{
    {"memory",
     [](runtime::Context&, const fs::path&) { return std::shared_ptr<JobLedger>(memory_ledger()); }},
    {"sqlite", [](runtime::Context& context, const fs::path& folder) {
         const std::shared_ptr<Campaign> campaign = Campaign::open(context, folder, OpenMode::fresh, 1);
         return std::shared_ptr<JobLedger>(campaign, &campaign->ledger());
     }}};

class LedgerContract : public testing::TestWithParam<LedgerKind> {
protected:
    LedgerContract() {
        std::string name = testing::TempDir() + "coromd-ledger-XXXXXX";
        if (::mkdtemp(name.data())) folder_ = name;
        ledger_ = GetParam().make(context_, folder_);
    }
    ~LedgerContract() override {
        ledger_.reset();
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    Claim claim(const std::string& key = "job", const std::string& specification = "specification") {
        return context_.run(ledger_->claim(key, specification));
    }
    Claim claim_again(const std::string& key = "job") {
        ledger_->release(key);
        return claim(key);
    }
    int begin(const std::string& key = "job") { return context_.run(ledger_->begin_attempt(key)); }
    void end(int attempt, JobState state) {
        JobResult result;
        result.key = "job";
        result.attempt = attempt;
        result.state = state;
        context_.run(ledger_->ended(result));
    }
    /// The conflict that `action` throws.
    template <typename Action>
    std::string conflict(Action&& action) {
        try {
            action();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::conflict);
            return error.what();
        }
        ADD_FAILURE() << "no conflict";
        return {};
    }

    fs::path folder_;
    runtime::Context context_{2};
    std::shared_ptr<JobLedger> ledger_;
};

TEST_P(LedgerContract, AKeyThatWasNeverTriedIsUnknown) {
    const Claim unknown = claim();
    EXPECT_EQ(unknown.state, JobState::unknown);
    EXPECT_EQ(unknown.attempts, 0);
    EXPECT_FALSE(unknown.result);
    EXPECT_EQ(unknown.submission, "");
}

TEST_P(LedgerContract, AKeyIsTakenOnceInARun) {
    claim();
    EXPECT_THAT(conflict([&] { claim(); }), HasSubstr("'job'"));
}

TEST_P(LedgerContract, OfTwoWhoAskAtOnceOneGetsTheKey) {
    std::vector<task<Claim>> both;
    both.push_back(ledger_->claim("job", "specification"));
    both.push_back(ledger_->claim("job", "specification"));
    const auto outcomes = context_.run(runtime::gather_outcomes(std::move(both)));
    EXPECT_EQ(outcomes[0].ok() + outcomes[1].ok(), 1);
}

TEST_P(LedgerContract, AReleasedKeyCanBeClaimedAgain) {
    claim();
    EXPECT_EQ(claim_again().state, JobState::unknown);
    EXPECT_EQ(begin(), 1);
}

TEST_P(LedgerContract, AnotherSpecificationIsAConflictThatShowsTheDifference) {
    claim("job", "same\nold");
    begin();
    ledger_->release("job");
    const std::string text = conflict([&] { claim("job", "same\nnew"); });
    EXPECT_THAT(text, HasSubstr("'job'"));
    EXPECT_THAT(text, HasSubstr("- old"));
    EXPECT_THAT(text, HasSubstr("+ new"));
    EXPECT_THAT(text, testing::Not(HasSubstr("same")));
    claim("job", "same\nold");  // the refused claim has not taken the key
}

TEST_P(LedgerContract, AttemptsAreCountedFromOne) {
    claim();
    EXPECT_EQ(begin(), 1);
    end(1, JobState::failed);
    EXPECT_EQ(begin(), 2);
    EXPECT_EQ(claim_again().attempts, 2);
    EXPECT_EQ(begin(), 3);
}

TEST_P(LedgerContract, AnAttemptThatWasLeftBehindIsFoundWhereItRuns) {
    claim();
    context_.run(ledger_->submitted("job", begin(), "pid 7"));
    const Claim left = claim_again();
    EXPECT_EQ(left.state, JobState::started);
    EXPECT_EQ(left.submission, "pid 7");
    begin();
    EXPECT_EQ(claim_again().submission, "");  // of the new attempt nothing is known yet
}

TEST_P(LedgerContract, AnAttemptThatEndedRunsNowhere) {
    claim();
    context_.run(ledger_->submitted("job", begin(), "pid 7"));
    end(1, JobState::interrupted);
    EXPECT_EQ(claim_again().submission, "");
}

TEST_P(LedgerContract, EveryEndIsRemembered) {
    claim();
    int attempt = 0;
    for (const JobState state :
         {JobState::failed, JobState::interrupted, JobState::cancelled, JobState::finished}) {
        JobResult result;
        result.key = "job";
        result.attempt = begin();
        result.state = state;
        result.exit.exit_code = 3;
        result.exit.stderr_tail = "no such group\n";
        result.failure = FailureClass::memory;
        result.reason = "a 'quoted' \"reason\"\nof two lines";
        result.files = {{"md.xtc", std::uint64_t{1} << 40}};
        context_.run(ledger_->ended(result));

        const Claim known = claim_again();
        EXPECT_EQ(known.state, state);
        EXPECT_EQ(known.attempts, ++attempt);
        ASSERT_TRUE(known.result);
        EXPECT_EQ(known.result->to_json(), result.to_json());
    }
}

TEST_P(LedgerContract, TheLastResultStaysWhileTheNextAttemptRuns) {
    claim();
    begin();
    end(1, JobState::failed);
    begin();
    const Claim known = claim_again();
    EXPECT_EQ(known.state, JobState::started);
    ASSERT_TRUE(known.result);
    EXPECT_EQ(known.result->attempt, 1);
}

TEST_P(LedgerContract, WhatIsFinishedIsNotBegunAgain) {
    claim();
    begin();
    end(1, JobState::finished);
    EXPECT_THAT(conflict([&] { begin(); }), HasSubstr("'job' is finished"));
    EXPECT_THAT(conflict([&] {
                    claim_again();
                    begin();
                }),
                HasSubstr("'job' is finished"));
}

TEST_P(LedgerContract, ACallThatWasBegunIsCarriedOut) {
    claim();
    // Cancelled before its change can be durable; it returns all the same.
    runtime::Event begun;
    runtime::Event never;
    int number = 0;
    auto body = [&]() -> task<void> {
        begun.set();
        number = co_await ledger_->begin_attempt("job");
        co_await ledger_->submitted("job", number, "pid 7");
        co_await never.wait();
    };
    std::vector<task<void>> racers;
    racers.push_back(body());
    racers.push_back(begun.wait());
    EXPECT_EQ(context_.run(runtime::race(std::move(racers))).index, 1u);
    EXPECT_EQ(number, 1);
    EXPECT_EQ(claim_again().submission, "pid 7");
}

TEST_P(LedgerContract, KeysDoNotDisturbEachOther) {
    const auto job = [](JobLedger& ledger, std::string key) -> task<int> {
        co_await ledger.claim(key, "specification of " + key);
        co_await ledger.begin_attempt(key);
        JobResult result;
        result.key = key;
        result.attempt = 1;
        result.state = JobState::failed;
        co_await ledger.ended(std::move(result));
        co_return co_await ledger.begin_attempt(key);
    };
    std::vector<task<int>> jobs;
    for (int i = 0; i < 200; ++i) jobs.push_back(job(*ledger_, std::to_string(i)));
    EXPECT_THAT(context_.run(runtime::gather(std::move(jobs))), testing::Each(2));
}

INSTANTIATE_TEST_SUITE_P(Kinds, LedgerContract, testing::ValuesIn(kKinds),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace coromd::queue
