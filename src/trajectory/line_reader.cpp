// SPDX-License-Identifier: LGPL-3.0-or-later
#include "line_reader.hpp"

#include <cstring>

#include "coromd/core/error.hpp"

namespace coromd::trajectory {

void LineReader::fill() {
    constexpr std::size_t kChunk = std::size_t{64} << 10;
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    offset_ += static_cast<std::int64_t>(begin_);
    begin_ = 0;
    const std::size_t kept = buffer_.size();
    buffer_.resize(kept + kChunk);
    const std::size_t got = file_->read_some(offset_ + static_cast<std::int64_t>(kept),
                                             std::as_writable_bytes(std::span(buffer_).subspan(kept)));
    buffer_.resize(kept + got);
    at_end_ = got < kChunk;
}

std::optional<LineReader::Line> LineReader::next() {
    for (;;) {
        const std::string_view rest(buffer_.data() + begin_, buffer_.size() - begin_);
        const std::size_t length = rest.find('\n');
        if (length == std::string_view::npos && !at_end_ && rest.size() <= kMaxLine) {
            fill();
            continue;
        }
        if (rest.empty()) return std::nullopt;
        if (std::min(length, rest.size()) > kMaxLine) {
            fail(ErrorKind::input, "'{}' has a line of more than {} characters at byte {}",
                 file_->path().string(), kMaxLine, offset());
        }
        Line line{rest.substr(0, length), length != std::string_view::npos, offset()};
        begin_ += line.text.size() + (line.terminated ? 1 : 0);
        if (line.text.ends_with('\r')) line.text.remove_suffix(1);
        return line;
    }
}

}  // namespace coromd::trajectory
