// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/letters.hpp"

#include <gtest/gtest.h>

namespace coromd {
namespace {

TEST(Letters, OnlyThoseOfAsciiChange) {
    EXPECT_EQ(lower_case("Az@[`{9\xc3\x84"), "az@[`{9\xc3\x84");
    EXPECT_EQ(upper_case("Az@[`{9\xc3\xa4"), "AZ@[`{9\xc3\xa4");
}

TEST(Letters, TheSameButForTheirCase) {
    EXPECT_TRUE(same_letters("", ""));
    EXPECT_TRUE(same_letters("Cl", "cL"));
    EXPECT_FALSE(same_letters("C", "CL"));
    EXPECT_FALSE(same_letters("@", "`"));
}

}  // namespace
}  // namespace coromd
