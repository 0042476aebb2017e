// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coromd::runtime::detail {

/// Keeps the last bytes of a stream of any length.
class Tail {
public:
    explicit Tail(std::size_t limit) : limit_(limit) {}

    void append(std::string_view bytes);
    /// At most `limit` bytes.
    std::string text() const;
    /// How many bytes there were in all.
    std::uint64_t total() const noexcept { return total_; }

private:
    std::size_t limit_;
    std::uint64_t total_ = 0;
    std::string kept_;  // up to twice the limit, so that it is rarely moved
};

}  // namespace coromd::runtime::detail
