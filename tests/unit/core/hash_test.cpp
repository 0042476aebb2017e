// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/core/hash.hpp"

#include <gtest/gtest.h>

#include "coromd/core/file.hpp"
#include "fixtures.hpp"

namespace coromd {
namespace {

std::string big_endian(const Fingerprint& digest) {
    std::string out;
    for (const std::uint64_t half : {digest.high, digest.low}) {
        for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(half >> shift & 0xff);
    }
    return out;
}

/// The definition in hash.hpp, on bytes in memory.
Fingerprint fingerprint_by_blocks(std::string_view content) {
    std::string digests;
    for (std::size_t at = 0; at < content.size(); at += kFingerprintBlock) {
        digests += big_endian(fingerprint(content.substr(at, kFingerprintBlock)));
    }
    return fingerprint(digests);
}

std::string some_content(std::size_t size) {
    std::string out(size, '\0');
    std::uint32_t state = 1;
    for (char& c : out) c = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
    return out;
}

class HashTest : public TemporaryFolder {};

TEST_F(HashTest, IsXxh3) {
    // What xxhsum -H2 and -H3 print for the same bytes.
    EXPECT_EQ(fingerprint("").hex(), "99aa06d3014798d86001c324468d497f");
    EXPECT_EQ(hash64(""), 0x2d06800538d394c2u);
    EXPECT_EQ(fingerprint("abc").hex(), "06b05ab6733a618578af5f94892f3950");
    EXPECT_EQ(hash64("abc"), 0x78af5f94892f3950u);
}

TEST_F(HashTest, HexHas32DigitsWithLeadingZeros) {
    EXPECT_EQ((Fingerprint{0x1, 0xab}).hex(), "000000000000000100000000000000ab");
}

TEST_F(HashTest, SeedChangesTheHash) {
    EXPECT_NE(hash64("key", 0), hash64("key", 1));
    EXPECT_NE(hash64("", 0), hash64("", 1));
}

TEST_F(HashTest, FilesAreHashedBlockByBlock) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kFingerprintBlock - 1, kFingerprintBlock,
                                   kFingerprintBlock + 1, 2 * kFingerprintBlock}) {
        const std::string content = some_content(size);
        write_file_durably(at("file"), content);
        EXPECT_EQ(fingerprint_file(at("file")), fingerprint_by_blocks(content)) << size;
    }
}

TEST_F(HashTest, GoldenFileFingerprint) {
    write_file_durably(at("file"), some_content(kFingerprintBlock + 1000));
    EXPECT_EQ(fingerprint_file(at("file")).hex(), "f0d5cb95665d304990621efb98d41507");
}

TEST_F(HashTest, EveryByteCounts) {
    std::string content = some_content(kFingerprintBlock + 10);
    write_file_durably(at("file"), content);
    const Fingerprint before = fingerprint_file(at("file"));
    content.back() ^= 1;
    write_file_durably(at("file"), content);
    EXPECT_NE(fingerprint_file(at("file")), before);
}

TEST_F(HashTest, RefusesFoldersAndMissingFiles) {
    EXPECT_EQ(error_of([&] { fingerprint_file(folder_); }).kind(), ErrorKind::system);
    EXPECT_EQ(error_of([&] { fingerprint_file(at("none")); }).message(),
              "cannot open '" + at("none").string() + "': No such file or directory");
}

}  // namespace
}  // namespace coromd
