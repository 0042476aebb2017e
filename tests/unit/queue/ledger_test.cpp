// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What the ledger in memory has of its own; what all ledgers share is in tests/contract/ledger.
#include "coromd/queue/ledger.hpp"

#include <gtest/gtest.h>

#include "coromd/core/error.hpp"
#include "coromd/runtime/context.hpp"

namespace coromd::queue {
namespace {

class MemoryLedger : public testing::Test {
protected:
    template <typename T>
    T run(runtime::task<T> task) {
        return context_.run(std::move(task));
    }
    void end(int attempt, JobState state) {
        JobResult result;
        result.key = "job";
        result.attempt = attempt;
        result.state = state;
        run(ledger_->ended(result));
    }
    template <typename Action>
    ErrorKind error_of(Action action) {
        try {
            action();
        } catch (const Error& error) {
            return error.kind();
        }
        ADD_FAILURE() << "nothing was thrown";
        return {};
    }

    runtime::Context context_{1};
    std::unique_ptr<JobLedger> ledger_ = memory_ledger();
};

TEST_F(MemoryLedger, BelongsToOneProgram) {
    run(ledger_->claim("job", "specification"));
    run(ledger_->begin_attempt("job"));
    EXPECT_EQ(run(memory_ledger()->claim("job", "another")).state, JobState::unknown);
}

TEST_F(MemoryLedger, KnowsASpecificationFromTheFirstAttemptOn) {
    run(ledger_->claim("job", "one"));
    ledger_->release("job");
    run(ledger_->claim("job", "two"));
    run(ledger_->begin_attempt("job"));
    ledger_->release("job");
    EXPECT_EQ(error_of([&] { run(ledger_->claim("job", "one")); }), ErrorKind::conflict);
}

TEST_F(MemoryLedger, NothingIsBegunWithoutAClaim) {
    EXPECT_EQ(error_of([&] { run(ledger_->begin_attempt("job")); }), ErrorKind::usage);
    run(ledger_->claim("job", ""));
    ledger_->release("job");
    EXPECT_EQ(error_of([&] { run(ledger_->begin_attempt("job")); }), ErrorKind::usage);
}

TEST_F(MemoryLedger, OnlyTheAttemptThatRunsIsSubmittedOrEnds) {
    EXPECT_EQ(error_of([&] { end(1, JobState::failed); }), ErrorKind::conflict);
    EXPECT_EQ(error_of([&] { run(ledger_->submitted("job", 1, "pid 7")); }), ErrorKind::conflict);
    run(ledger_->claim("job", ""));
    run(ledger_->begin_attempt("job"));
    EXPECT_EQ(error_of([&] { end(2, JobState::failed); }), ErrorKind::conflict);
    run(ledger_->begin_attempt("job"));
    EXPECT_EQ(error_of([&] { end(1, JobState::failed); }), ErrorKind::conflict);
    EXPECT_EQ(error_of([&] { run(ledger_->submitted("job", 1, "pid 7")); }), ErrorKind::conflict);
    end(2, JobState::failed);
    EXPECT_EQ(error_of([&] { end(2, JobState::finished); }), ErrorKind::conflict);
    EXPECT_EQ(error_of([&] { run(ledger_->submitted("job", 2, "pid 7")); }), ErrorKind::conflict);
}

TEST_F(MemoryLedger, AnAttemptEndsInOneOfFourWays) {
    run(ledger_->claim("job", ""));
    const int attempt = run(ledger_->begin_attempt("job"));
    EXPECT_EQ(error_of([&] { end(attempt, JobState::unknown); }), ErrorKind::usage);
    EXPECT_EQ(error_of([&] { end(attempt, JobState::started); }), ErrorKind::usage);
    end(attempt, JobState::interrupted);
}

TEST(SpecificationDifference, ShowsWhatOnlyOneSideHas) {
    EXPECT_EQ(specification_difference("a\nb\nc", "a\nB\nc"), "  - b\n  + B");
    EXPECT_EQ(specification_difference("a", "a\nb"), "  + b");
    EXPECT_EQ(specification_difference("a\nb\n", "b\n"), "  - a");
    EXPECT_EQ(specification_difference("", "a"), "  + a");
}

TEST(SpecificationDifference, CountsEqualLines) {
    EXPECT_EQ(specification_difference("a\na\nb", "a\nb"), "  - a");
}

TEST(SpecificationDifference, SaysSoWhereOnlyTheOrderDiffers) {
    EXPECT_EQ(specification_difference("a\nb", "b\na"), "  (the same lines in another order)");
}

}  // namespace
}  // namespace coromd::queue
