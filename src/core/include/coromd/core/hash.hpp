// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace coromd {

/// A 128-bit content hash (XXH3-128).
struct Fingerprint {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
    friend auto operator<=>(const Fingerprint&, const Fingerprint&) = default;

    /// 32 hexadecimal digits.
    std::string hex() const;
};

/// The hash of bytes in memory: plain XXH3-128, not the block-wise one of a file.
Fingerprint fingerprint(std::string_view bytes) noexcept;

/// Size of the blocks that a file's fingerprint is built from, so that a writer can compute it
/// on the way and a reader in parallel: XXH3-128 over the concatenated (big-endian) XXH3-128 of
/// each block.
inline constexpr std::size_t kFingerprintBlock = 8u << 20;

/// The fingerprint of a file's whole content. Throws Error(system) where it cannot be read.
Fingerprint fingerprint_file(const std::filesystem::path& path);

/// A 64-bit hash, stable over versions and machines (XXH3-64 with a seed).
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0) noexcept;

}  // namespace coromd
