// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/suggestion.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace coromd {
namespace {

constexpr std::array<std::string_view, 4> kKnown{"count", "max_steps", "slice", "T"};

TEST(Suggestion, FindsTheSlipOfAFinger) {
    EXPECT_EQ(nearest_name("max_step", kKnown), "max_steps");
    EXPECT_EQ(nearest_name("cont", kKnown), "count");
    EXPECT_EQ(nearest_name("SLICE", kKnown), "slice");
}

TEST(Suggestion, SaysNothingWhereNothingIsNear) {
    EXPECT_EQ(nearest_name("temperature", kKnown), "");
    EXPECT_EQ(nearest_name("", kKnown), "");
    EXPECT_EQ(nearest_name("x", kKnown), "") << "every name of one letter is one letter away from it";
    EXPECT_EQ(nearest_name(std::string(1'000'000, 'a'), kKnown), "");
    EXPECT_EQ(nearest_name("count", {}), "");
}

}  // namespace
}  // namespace coromd
