// SPDX-License-Identifier: LGPL-3.0-or-later
#include "tail.hpp"

#include <gtest/gtest.h>

namespace coromd::runtime::detail {
namespace {

TEST(Tail, KeepsTheLastBytesOfAnyStream) {
    std::string all;
    Tail tail(10);
    Tail none(0);
    for (std::size_t i = 0; i < 200; ++i) {
        const std::string piece(i % 23, static_cast<char>('a' + i % 26));
        all += piece;
        tail.append(piece);
        none.append(piece);
        EXPECT_EQ(tail.text(), all.substr(all.size() - std::min<std::size_t>(all.size(), 10)));
        EXPECT_EQ(none.text(), "");
    }
    EXPECT_EQ(tail.total(), all.size());
    EXPECT_EQ(none.total(), all.size());
}

}  // namespace
}  // namespace coromd::runtime::detail
