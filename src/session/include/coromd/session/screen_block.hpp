// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace coromd::session {

/// Lines at the end of a terminal's screen that are replaced in place. They are cut to the screen's
/// width: a line that is wrapped could not be taken away again.
class ScreenBlock {
public:
    explicit ScreenBlock(std::FILE* stream) : stream_(stream) {}

    /// How many lines fit above the one of the cursor.
    std::size_t room() const;
    /// What moves the cursor to the first line of the block and removes the block; to be written.
    std::string erasure();
    /// What replaces the block by `lines`, the last of which stand above the cursor; to be written.
    std::string replacement(const std::vector<std::string>& lines);

private:
    std::FILE* stream_;
    int lines_ = 0;
};

}  // namespace coromd::session
