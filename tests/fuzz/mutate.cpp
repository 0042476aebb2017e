// SPDX-License-Identifier: LGPL-3.0-or-later
#include "mutate.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>

namespace coromd::fuzz {

namespace {

constexpr std::size_t kMaxSize = std::size_t{1} << 16;

constexpr auto kWords = std::to_array<std::uint64_t>({0,
                                                      1,
                                                      2,
                                                      0x7f,
                                                      0xff,
                                                      0x7fff,
                                                      0xffff,
                                                      0x10000,
                                                      0x1000000,
                                                      0x1fffffff,
                                                      0x20000000,
                                                      0x2aaaaaab,
                                                      0x3fffffff,
                                                      0x40000000,
                                                      0x55555556,
                                                      0x7fc00000,
                                                      0x7f800000,
                                                      0x7f7fffff,
                                                      0x7ffffffe,
                                                      0x7fffffff,
                                                      0x80000000,
                                                      0x80000001,
                                                      0xfffffffe,
                                                      0xffffffff,
                                                      0x100000000,
                                                      0x7fefffffffffffff,
                                                      0x7ff0000000000000,
                                                      0x7ff8000000000000,
                                                      0x7fffffffffffffff,
                                                      0x8000000000000000,
                                                      0xffffffffffffffff});

constexpr auto kTexts = std::to_array<std::string_view>({"",
                                                         "0",
                                                         "-1",
                                                         "1",
                                                         "2147483647",
                                                         "2147483648",
                                                         "-2147483648",
                                                         "99999999999",
                                                         "9223372036854775807",
                                                         "1e38",
                                                         "1e39",
                                                         "-1e308",
                                                         "nan",
                                                         "inf",
                                                         "1e-45",
                                                         "+-1",
                                                         ".",
                                                         "\n",
                                                         "\r\n",
                                                         std::string_view("\0", 1),
                                                         "\xff"});

bool in_number(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.';
}

class Mutation {
public:
    Mutation(std::string bytes, const std::vector<Seed>& seeds, RandomStream& random)
        : bytes_(std::move(bytes)), seeds_(seeds), random_(random) {}

    std::string make() {
        for (std::size_t n = 1 + below(4); n > 0; --n) once();
        if (bytes_.size() > kMaxSize) bytes_.resize(kMaxSize);
        return std::move(bytes_);
    }

private:
    std::size_t below(std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random_.next64() % n); }
    std::size_t length() { return 1 + below(below(2) == 0 ? 8 : bytes_.size()); }

    void once() {
        const std::size_t at = below(bytes_.size());
        switch (below(9)) {
            case 0:
                if (!bytes_.empty()) bytes_[at] = static_cast<char>(bytes_[at] ^ (1 << below(8)));
                break;
            case 1:
                if (!bytes_.empty()) bytes_[at] = static_cast<char>(below(256));
                break;
            case 2:
                bytes_.resize(at);
                break;
            case 3:
            case 4:
                overwrite_word(at);
                break;
            case 5:
                bytes_.erase(at, length());
                break;
            case 6:
                bytes_.insert(at, bytes_.substr(below(bytes_.size()), length()));
                break;
            case 7:
                splice(at);
                break;
            default:
                replace_number(at);
        }
    }

    void overwrite_word(std::size_t at) {
        const std::size_t width = below(4) == 0 ? 8 : 4;
        at -= at % (below(4) == 0 ? 1 : 4);
        if (at + width > bytes_.size()) return;
        const std::uint64_t word = kWords[below(kWords.size())];
        const bool big_endian = below(2) == 0;
        for (std::size_t i = 0; i < width; ++i) {
            const std::size_t byte = big_endian ? width - 1 - i : i;
            bytes_[at + i] = static_cast<char>(word >> (8 * byte) & 0xff);
        }
    }

    void splice(std::size_t at) {
        const std::string& other = seeds_[below(seeds_.size())].bytes;
        const std::string piece = other.substr(below(other.size()), length());
        bytes_.replace(at, below(2) == 0 ? piece.size() : 0, piece);
    }

    void replace_number(std::size_t at) {
        while (at < bytes_.size() && !in_number(bytes_[at])) ++at;
        std::size_t end = at;
        while (end < bytes_.size() && in_number(bytes_[end])) ++end;
        std::string text(kTexts[below(kTexts.size())]);
        // Columns stay where they are, mostly.
        if (below(4) != 0 && text.size() < end - at) text.insert(0, end - at - text.size(), ' ');
        bytes_.replace(at, end - at, text);
    }

    std::string bytes_;
    const std::vector<Seed>& seeds_;
    RandomStream& random_;
};

}  // namespace

std::string mutated(const std::vector<Seed>& seeds, RandomStream& random) {
    const std::size_t n = static_cast<std::size_t>(random.next64() % seeds.size());
    return Mutation(seeds[n].bytes, seeds, random).make();
}

}  // namespace coromd::fuzz
