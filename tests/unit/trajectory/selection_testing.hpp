// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include "testing.hpp"

namespace coromd::trajectory {

/// A selection with an error, which is to be reported at `column`, from 1, with `message` in it.
struct BadSelection {
    std::string text;
    std::size_t column;
    std::string message;
};

/// Hands the text of each case to `use`, and looks at what it throws.
template <typename Use>
void expect_errors(const std::vector<BadSelection>& cases, const Use& use) {
    for (const BadSelection& c : cases) {
        const Error error = error_of([&] { use(c.text); });
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.what(), testing::HasSubstr(c.message)) << c.text;
        EXPECT_THAT(error.what(), testing::HasSubstr(fmt::format("column {}:", c.column))) << c.text;
        const std::string caret = fmt::format("\n    {}\n    {}^", c.text, std::string(c.column - 1, ' '));
        EXPECT_THAT(error.what(), testing::HasSubstr(caret)) << c.text;
    }
}

}  // namespace coromd::trajectory
