// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

namespace coromd::trajectory {

static_assert(std::endian::native == std::endian::little, "big_endian.hpp swaps all bytes it sees");

inline std::uint32_t swap_bytes(std::uint32_t value) noexcept {
    return __builtin_bswap32(value);
}
inline std::uint64_t swap_bytes(std::uint64_t value) noexcept {
    return __builtin_bswap64(value);
}

/// The unsigned integer with the bits of T.
template <typename T>
using BitsOf = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;

/// The 4- or 8-byte number that starts at `bytes`.
template <typename T>
T load_big_endian(const std::byte* bytes) noexcept {
    BitsOf<T> bits;
    std::memcpy(&bits, bytes, sizeof bits);
    return std::bit_cast<T>(swap_bytes(bits));
}

template <typename T>
void append_big_endian(std::vector<std::byte>& out, T value) {
    const BitsOf<T> bits = swap_bytes(std::bit_cast<BitsOf<T>>(value));
    const auto* bytes = reinterpret_cast<const std::byte*>(&bits);
    out.insert(out.end(), bytes, bytes + sizeof bits);
}

/// Turns the floats that were read from a file into the machine's own, in place.
inline void swap_floats(std::span<float> values) noexcept {
    for (float& value : values) value = std::bit_cast<float>(swap_bytes(std::bit_cast<std::uint32_t>(value)));
}

/// XTC and TRR hold the low 32 bits of a step.
inline std::int32_t low_bits_of_step(std::int64_t step) noexcept {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(step)));
}

}  // namespace coromd::trajectory
