// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A stream is named by 128 bits of hash over its key and the seed: one half is Philox's key, the
// other the upper half of its counter. The lower half counts blocks of four numbers. So two keys
// of one campaign practically never share a stream, however many walkers there are.
#include "coromd/core/random.hpp"

#include <cmath>
#include <numbers>

#include "coromd/core/hash.hpp"
#include "coromd/core/philox.hpp"

namespace coromd {

namespace {

constexpr std::uint32_t low_word(std::uint64_t value) {
    return static_cast<std::uint32_t>(value);
}
constexpr std::uint32_t high_word(std::uint64_t value) {
    return static_cast<std::uint32_t>(value >> 32);
}

}  // namespace

RandomStream::RandomStream(std::uint64_t seed, std::string_view key) noexcept {
    const std::uint64_t first = hash64(key, seed);
    const std::uint64_t second = hash64(key, ~seed);
    key_ = {low_word(first), high_word(first)};
    counter_ = {0, 0, low_word(second), high_word(second)};
}

RandomStream::result_type RandomStream::operator()() noexcept {
    if (used_ == block_.size()) refill();
    return block_[used_++];
}

std::uint64_t RandomStream::next64() noexcept {
    const std::uint64_t low = (*this)();
    const std::uint64_t high = (*this)();
    return high << 32 | low;
}

double RandomStream::uniform() noexcept {
    return static_cast<double>(next64() >> 11) * 0x1.0p-53;
}

double RandomStream::normal() noexcept {
    if (has_spare_) {
        has_spare_ = false;
        return spare_normal_;
    }
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));  // 1 - [0, 1) is never 0
    const double angle = 2.0 * std::numbers::pi * uniform();
    spare_normal_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
}

void RandomStream::refill() noexcept {
    block_ = philox4x32(counter_, key_);
    used_ = 0;
    if (++counter_[0] == 0) ++counter_[1];
}

}  // namespace coromd
