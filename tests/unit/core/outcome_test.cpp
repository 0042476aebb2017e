// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/outcome.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace coromd {
namespace {

const std::exception_ptr kFailure = std::make_exception_ptr(Error(ErrorKind::job, "it failed"));

TEST(OutcomeTest, HoldsAValue) {
    Outcome<int> outcome = 7;
    EXPECT_TRUE(outcome.ok());
    EXPECT_EQ(outcome.value(), 7);
    EXPECT_EQ(outcome.error(), nullptr);
    EXPECT_EQ(outcome.error_text(), "");
}

TEST(OutcomeTest, RethrowsTheExceptionInPlaceOfTheValue) {
    const Outcome<int> outcome = kFailure;
    EXPECT_FALSE(outcome);
    EXPECT_THROW(outcome.value(), Error);
    EXPECT_EQ(outcome.error(), kFailure);
    EXPECT_EQ(outcome.error_text(), "it failed");
}

TEST(OutcomeTest, GivesUpAValueThatOnlyMoves) {
    Outcome<std::unique_ptr<int>> outcome = std::make_unique<int>(3);
    const std::unique_ptr<int> taken = std::move(outcome).value();
    EXPECT_EQ(*taken, 3);
}

TEST(OutcomeTest, OfNothing) {
    EXPECT_NO_THROW(Outcome<void>().value());
    const Outcome<void> failed = kFailure;
    EXPECT_FALSE(failed.ok());
    EXPECT_THROW(failed.value(), Error);
    EXPECT_EQ(failed.error_text(), "it failed");
}

}  // namespace
}  // namespace coromd
