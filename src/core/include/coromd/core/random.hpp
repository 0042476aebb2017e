// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

namespace coromd {

/// A stream of random numbers that depends on (seed, key) and nothing else: not on the order in
/// which coroutines ran, not on the machine. One stream per key, such as "walkers/003/velocities".
///
/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3",
/// SC'11), counter-based. Satisfies std::uniform_random_bit_generator.
class RandomStream {
public:
    using result_type = std::uint32_t;

    /// The stream `key` of the campaign seed `seed`, at its start.
    RandomStream(std::uint64_t seed, std::string_view key) noexcept;

    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

    /// 32 random bits.
    result_type operator()() noexcept;
    /// 64 random bits.
    std::uint64_t next64() noexcept;
    /// Uniform in [0, 1) with 53 bits.
    double uniform() noexcept;
    /// Standard normal deviate (Box and Muller); unlike std::normal_distribution the same with every
    /// standard library, but for the last bits of log, sin and cos.
    double normal() noexcept;

private:
    void refill() noexcept;

    std::array<std::uint32_t, 2> key_;
    std::array<std::uint32_t, 4> counter_{};
    std::array<std::uint32_t, 4> block_{};
    unsigned used_ = 4;
    double spare_normal_ = 0.0;
    bool has_spare_ = false;
};

}  // namespace coromd
