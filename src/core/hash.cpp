// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/hash.hpp"

#include <fcntl.h>

#include <memory>
#include <span>

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "coromd/core/file.hpp"

namespace coromd {

std::string Fingerprint::hex() const {
    return fmt::format("{:016x}{:016x}", high, low);
}

Fingerprint fingerprint(std::string_view bytes) noexcept {
    const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
    return {hash.high64, hash.low64};
}

Fingerprint fingerprint_file(const std::filesystem::path& path) {
    const FileDescriptor file = open_file(path, O_RDONLY);
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);

    const auto block = std::make_unique_for_overwrite<char[]>(kFingerprintBlock);
    std::string digests;  // 16 bytes for each 8 MiB: 2 MiB for a file of 1 TiB
    for (std::size_t got = kFingerprintBlock; got == kFingerprintBlock;) {
        got = read_fully(file, std::span(block.get(), kFingerprintBlock), path);
        if (got == 0) break;
        XXH128_canonical_t digest;
        XXH128_canonicalFromHash(&digest, XXH3_128bits(block.get(), got));
        digests.append(reinterpret_cast<const char*>(digest.digest), sizeof digest.digest);
    }
    return fingerprint(digests);
}

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) noexcept {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace coromd
