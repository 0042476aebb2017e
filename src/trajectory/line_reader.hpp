// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "coromd/trajectory/input_file.hpp"

namespace coromd::trajectory {

/// Reads a text file line by line from any offset on.
class LineReader {
public:
    static constexpr std::size_t kMaxLine = 4096;

    LineReader(const InputFile& file, std::int64_t offset) : file_(&file), offset_(offset) {}

    struct Line {
        std::string_view text;    ///< without the end of the line; valid until the next call
        bool terminated = false;  ///< false at the end of a file that lacks the last newline
        std::int64_t offset = 0;  ///< of its first byte
    };

    /// Empty at the end of the file. Throws Error(input) where a line exceeds kMaxLine.
    std::optional<Line> next();

    /// Where the next line starts.
    std::int64_t offset() const noexcept { return offset_ + static_cast<std::int64_t>(begin_); }

private:
    void fill();

    const InputFile* file_;
    std::int64_t offset_;  ///< of the buffer's first byte
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    bool at_end_ = false;
};

}  // namespace coromd::trajectory
