// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/functions/values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/core/error.hpp"

namespace coromd::functions {
namespace {

TEST(Values, are_rows_of_frames) {
    const Values values(3, 2, {1, 2, 3, 4, 5, 6});
    EXPECT_EQ(values.n_frames(), 3);
    EXPECT_EQ(values.n_columns(), 2);
    EXPECT_EQ(values.at(1, 0), 3.0);
    EXPECT_EQ(values.at(2, 1), 6.0);
    EXPECT_THAT(values.row(1), testing::ElementsAre(3.0, 4.0));
}

TEST(Values, refuse_data_of_another_shape) {
    EXPECT_THROW(Values(3, 2, {1, 2, 3}), Error);
    EXPECT_THROW(Values(0, 0, {}), Error);
    EXPECT_THROW(Values(-1, -1, {1}), Error);
    EXPECT_THROW(Values(std::int64_t{1} << 62, 4, {}), Error);  // the product wraps to 0
}

TEST(Values, refuse_indices_out_of_range) {
    const Values values(2, 1, {1, 0});
    EXPECT_THROW(values.at(2), Error);
    EXPECT_THROW(values.at(-1), Error);
    EXPECT_THROW(values.at(0, 1), Error);
    EXPECT_THROW(values.truth(2), Error);
}

TEST(Values, find_the_first_frame_in_which_a_condition_holds) {
    EXPECT_EQ(Values(4, 1, {0, 0, 1, 1}).first_true(), 2);
    EXPECT_EQ(Values(2, 1, {0, 0}).first_true(), std::nullopt);
    EXPECT_EQ(Values(0, 1, {}).first_true(), std::nullopt);
    EXPECT_TRUE(Values(1, 1, {1}).truth(0));
    EXPECT_FALSE(Values(1, 1, {0}).truth(0));
}

TEST(Values, with_several_columns_are_no_condition) {
    const Values values(1, 2, {1, 1});
    EXPECT_THROW(values.truth(0), Error);
    EXPECT_THROW(values.first_true(), Error);
}

}  // namespace
}  // namespace coromd::functions
