// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The compression of XTC files (xdr3dfcoord, by Frans van Hoesel, Groningen). It lives off the
// order of the atoms: neighbours in the file are neighbours in space.
//
// Coordinates are rounded to integers. The stream is a sequence of groups:
//
//   a "big" atom    its three integers, counted from the minimum of the frame
//   1 bit           set: 5 bits follow that change what comes next: 3 * n_small + change + 1;
//                   unset: n_small is that of the group before, change is 0
//   n_small atoms   each as the difference to the atom before it, counted from -limit,
//                   where -limit <= difference < limit and limit is half a size from a table
//
// After the group, the index into the table of sizes goes up or down by `change`. The first small
// atom and the big one have changed places: in water, oxygen is then the one in the middle, and
// both hydrogens are near to it.
//
// Three integers x, y, z with sizes a, b, c are one number (x * b + y) * c + z, of as many bits as
// the product a * b * c has, least significant byte first, each byte from its highest bit on, the
// last, incomplete one as well. Where a size exceeds 24 bits, the three are written one by one,
// highest bit first.
#include "xtc_bits.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "coromd/core/error.hpp"

namespace coromd::trajectory {

namespace {

__extension__ using Wide = unsigned __int128;
using Int3 = std::array<std::int32_t, 3>;
using Unsigned3 = std::array<std::uint32_t, 3>;

/// Sizes of small differences: the whole part of 2^(i/3), so that three of them fill i bits; a
/// few are smaller than that, and have to stay so. Sizes below the first are not used.
constexpr std::array<std::uint32_t, 73> kSmallSizes = {
    0,       0,       0,       0,       0,        0,        0,       0,       0,       8,       10,
    12,      16,      20,      25,      32,       40,       50,      64,      80,      101,     128,
    161,     203,     256,     322,     406,      512,      645,     812,     1024,    1290,    1625,
    2048,    2580,    3250,    4096,    5060,     6501,     8192,    10321,   13003,   16384,   20642,
    26007,   32768,   41285,   52015,   65536,    82570,    104031,  131072,  165140,  208063,  262144,
    330280,  416127,  524287,  660561,  832255,   1048576,  1321122, 1664510, 2097152, 2642245, 3329021,
    4194304, 5284491, 6658042, 8388607, 10568983, 13316085, 16777216};
constexpr int kFirstSmall = 9;
constexpr int kLastSmall = static_cast<int>(kSmallSizes.size()) - 1;
constexpr int kMaxSmallAtoms = 8;

/// Sizes above this are written one by one.
constexpr std::uint32_t kMaxPackedSize = 0xffffff;

/// Division by a number that is the same many times: one multiplication and a correction.
class Divisor {
public:
    constexpr explicit Divisor(std::uint32_t value = 1)
        : value_(value), inverse_(value == 0 ? 0 : std::numeric_limits<std::uint64_t>::max() / value) {}

    /// Replaces `number` by the quotient and returns the remainder.
    std::uint32_t split(std::uint64_t& number) const noexcept {
        // The estimate is the quotient or one less.
        std::uint64_t quotient = static_cast<std::uint64_t>((static_cast<Wide>(number) * inverse_) >> 64);
        std::uint64_t rest = number - quotient * value_;
        if (rest >= value_) {
            ++quotient;
            rest -= value_;
        }
        number = quotient;
        return static_cast<std::uint32_t>(rest);
    }
    std::uint32_t split(Wide& number) const noexcept {
        const auto rest = static_cast<std::uint32_t>(number % value_);
        number /= value_;
        return rest;
    }
    std::uint32_t value() const noexcept { return value_; }

private:
    std::uint32_t value_;
    std::uint64_t inverse_;
};

constexpr std::array<Divisor, kSmallSizes.size()> kSmallDivisors = [] {
    std::array<Divisor, kSmallSizes.size()> divisors;
    for (std::size_t i = 0; i < divisors.size(); ++i) divisors[i] = Divisor(kSmallSizes[i]);
    return divisors;
}();

/// How the three integers of a big atom are written.
struct BigLayout {
    Unsigned3 sizes{};
    bool packed = true;
    int n_bits = 0;                          ///< of the number that holds all three, if packed
    std::array<int, 3> n_bits_separately{};  ///< if not
};

BigLayout layout_of(const XtcPacking& packing) {
    BigLayout layout;
    Wide product = 1;
    for (std::size_t d = 0; d < 3; ++d) {
        const std::int64_t size = std::int64_t{packing.maximum[d]} - packing.minimum[d] + 1;
        layout.sizes[d] = static_cast<std::uint32_t>(size);
        layout.n_bits_separately[d] = std::bit_width(layout.sizes[d]);
        layout.packed = layout.packed && layout.sizes[d] <= kMaxPackedSize;
        product *= layout.sizes[d];
    }
    if (layout.packed) {
        const auto high = static_cast<std::uint64_t>(product >> 64);
        layout.n_bits =
            high != 0 ? 64 + std::bit_width(high) : std::bit_width(static_cast<std::uint64_t>(product));
    }
    return layout;
}

/// Reads bits, highest first. Does not look for the end: its user asks for past_end() often
/// enough to stay within kXtcReadAhead.
class BitReader {
public:
    BitReader(const std::byte* bytes, std::size_t n_bytes) : bytes_(bytes), end_(n_bytes * 8) {}

    bool past_end() const noexcept { return position_ > end_; }

    /// Up to 32 bits as a number.
    std::uint32_t bits(int count) noexcept {
        if (count == 0) return 0;
        const std::uint64_t value = window() >> (64 - count);
        position_ += static_cast<std::size_t>(count);
        return static_cast<std::uint32_t>(value);
    }

    /// A number of up to 56 bits in the byte order of packed integers.
    std::uint64_t packed(int count) noexcept {
        const std::uint64_t stream = window();
        const std::uint64_t bytes = __builtin_bswap64(stream);
        const int whole = count & ~7;
        const int rest = count & 7;
        const std::uint64_t top = ((bytes >> whole) & 0xff) >> (8 - rest);
        position_ += static_cast<std::size_t>(count);
        return (bytes & ((std::uint64_t{1} << whole) - 1)) | (top << whole);
    }
    /// The same for up to 72 bits.
    Wide packed_wide(int count) noexcept {
        if (count <= kMaxFastBits) return packed(count);
        const Wide low = packed(48);
        return low | (static_cast<Wide>(packed(count - 48)) << 48);
    }

    static constexpr int kMaxFastBits = 56;

private:
    /// The next bits, the first one highest: at least 57 of the 64 are valid.
    std::uint64_t window() const noexcept {
        std::uint64_t word;
        std::memcpy(&word, bytes_ + (position_ >> 3), sizeof word);
        return __builtin_bswap64(word) << (position_ & 7);
    }

    const std::byte* bytes_;
    std::size_t position_ = 0;
    std::size_t end_;
};

class BigReader {
public:
    explicit BigReader(const XtcPacking& packing) : layout_(layout_of(packing)) {
        for (std::size_t d = 0; d < 3; ++d) {
            minimum_[d] = static_cast<std::uint32_t>(packing.minimum[d]);
            divisors_[d] = Divisor(layout_.sizes[d]);
        }
    }

    /// Arithmetic is modulo 2^32, so that corrupt input is no overflow.
    Unsigned3 read(BitReader& in) const noexcept {
        if (layout_.packed && layout_.n_bits <= BitReader::kMaxFastBits)
            return split(in.packed(layout_.n_bits));
        if (layout_.packed) return split(in.packed_wide(layout_.n_bits));
        Unsigned3 atom;
        for (std::size_t d = 0; d < 3; ++d) atom[d] = in.bits(layout_.n_bits_separately[d]) + minimum_[d];
        return atom;
    }

private:
    template <typename Number>
    Unsigned3 split(Number number) const noexcept {
        const std::uint32_t z = divisors_[2].split(number);
        const std::uint32_t y = divisors_[1].split(number);
        return {static_cast<std::uint32_t>(number) + minimum_[0], y + minimum_[1], z + minimum_[2]};
    }

    BigLayout layout_;
    Unsigned3 minimum_{};
    std::array<Divisor, 3> divisors_;
};

/// The difference to the atom before, counted from -limit.
Unsigned3 read_small(BitReader& in, int small_index) noexcept {
    const Divisor& size = kSmallDivisors[static_cast<std::size_t>(small_index)];
    const auto split = [&](auto number) -> Unsigned3 {
        const std::uint32_t z = size.split(number);
        const std::uint32_t y = size.split(number);
        return {static_cast<std::uint32_t>(number), y, z};
    };
    if (small_index <= BitReader::kMaxFastBits) return split(in.packed(small_index));
    return split(in.packed_wide(small_index));
}

Vec3f scaled(const Unsigned3& atom, float inverse_precision) noexcept {
    return {static_cast<float>(static_cast<std::int32_t>(atom[0])) * inverse_precision,
            static_cast<float>(static_cast<std::int32_t>(atom[1])) * inverse_precision,
            static_cast<float>(static_cast<std::int32_t>(atom[2])) * inverse_precision};
}

/// Writes bits, highest first.
class BitWriter {
public:
    explicit BitWriter(std::vector<std::byte>& out) : out_(out) {}

    /// Up to 32 bits.
    void bits(std::uint32_t value, int count) {
        pending_ = (pending_ << count) | value;
        n_pending_ += count;
        while (n_pending_ >= 8) {
            n_pending_ -= 8;
            out_.push_back(static_cast<std::byte>(pending_ >> n_pending_));
        }
    }

    /// Three integers, each below its size, as one number.
    void packed(const Unsigned3& values, const Unsigned3& sizes, int count) {
        Wide number = (static_cast<Wide>(values[0]) * sizes[1] + values[1]) * sizes[2] + values[2];
        for (; count >= 8; count -= 8) {
            bits(static_cast<std::uint32_t>(number & 0xff), 8);
            number >>= 8;
        }
        if (count > 0) bits(static_cast<std::uint32_t>(number), count);
    }

    /// Fills up the last byte.
    void finish() {
        if (n_pending_ > 0) bits(0, 8 - n_pending_);
    }

private:
    std::vector<std::byte>& out_;
    std::uint64_t pending_ = 0;
    int n_pending_ = 0;
};

std::int32_t rounded(float coordinate, float precision, std::size_t atom) {
    const float value = coordinate >= 0.0F ? coordinate * precision + 0.5F : coordinate * precision - 0.5F;
    constexpr float kLimit = static_cast<float>(std::numeric_limits<std::int32_t>::max() - 127);
    if (!(std::abs(value) <= kLimit)) {
        fail(ErrorKind::usage, "the coordinate {} nm of atom {} cannot be stored with a precision of {}",
             coordinate, atom + 1, precision);
    }
    return static_cast<std::int32_t>(value);
}

std::int64_t distance(std::int32_t a, std::int32_t b) noexcept {
    return std::abs(std::int64_t{a} - b);
}

bool within(const Int3& a, const Int3& b, std::int64_t limit) noexcept {
    return distance(a[0], b[0]) < limit && distance(a[1], b[1]) < limit && distance(a[2], b[2]) < limit;
}

/// The sum of squares can exceed neither 64 bits nor, for the differences it is used for, 2^50.
std::int64_t distance_squared(const Int3& a, const Int3& b) noexcept {
    std::int64_t sum = 0;
    for (std::size_t d = 0; d < 3; ++d) sum += distance(a[d], b[d]) * distance(a[d], b[d]);
    return sum;
}

std::int64_t half_size(int small_index) noexcept {
    return kSmallSizes[static_cast<std::size_t>(small_index)] / 2;
}

/// The first size that can hold the smallest difference between neighbours.
int first_small_index(std::span<const Int3> atoms) {
    std::int64_t smallest = std::numeric_limits<std::int32_t>::max();
    for (std::size_t i = 1; i < atoms.size(); ++i) {
        std::int64_t sum = 0;
        for (std::size_t d = 0; d < 3; ++d) sum += distance(atoms[i][d], atoms[i - 1][d]);
        smallest = std::min(smallest, sum);
    }
    int index = kFirstSmall;
    while (index < kLastSmall && kSmallSizes[static_cast<std::size_t>(index)] < smallest) ++index;
    return index;
}

void write_groups(std::span<Int3> atoms, const XtcPacking& packing, BitWriter& out) {
    const BigLayout layout = layout_of(packing);
    int small_index = packing.small_index;
    // The size moves within this range only.
    const int max_index = std::min(kLastSmall, small_index + kMaxSmallAtoms);
    const int min_index = max_index - kMaxSmallAtoms;
    const std::int64_t largest_half = half_size(max_index);

    Int3 previous{};
    int previous_run = -1;
    for (std::size_t i = 0; i < atoms.size();) {
        const std::int64_t limit = half_size(small_index);
        // Would a larger size do for more atoms, or a smaller one for all of these?
        int change = 0;
        if (small_index < max_index && i > 0 && within(atoms[i], previous, largest_half)) {
            change = 1;
        } else if (small_index > min_index) {
            change = -1;
        }
        bool next_is_small = i + 1 < atoms.size() && within(atoms[i], atoms[i + 1], limit);
        if (next_is_small) {
            std::swap(atoms[i], atoms[i + 1]);
        } else if (change < 0) {
            change = 0;
        }

        Unsigned3 big;
        for (std::size_t d = 0; d < 3; ++d) {
            big[d] = static_cast<std::uint32_t>(atoms[i][d]) - static_cast<std::uint32_t>(packing.minimum[d]);
        }
        if (layout.packed) {
            out.packed(big, layout.sizes, layout.n_bits);
        } else {
            for (std::size_t d = 0; d < 3; ++d) out.bits(big[d], layout.n_bits_separately[d]);
        }
        previous = atoms[i++];

        const std::int64_t smaller = half_size(std::max(kFirstSmall, small_index - 1));
        std::array<Unsigned3, kMaxSmallAtoms> small;
        int run = 0;
        while (next_is_small && run < kMaxSmallAtoms) {
            if (change < 0 && distance_squared(atoms[i], previous) >= smaller * smaller) change = 0;
            for (std::size_t d = 0; d < 3; ++d) {
                small[static_cast<std::size_t>(run)][d] =
                    static_cast<std::uint32_t>(atoms[i][d] - previous[d] + limit);
            }
            ++run;
            previous = atoms[i++];
            next_is_small = i < atoms.size() && within(atoms[i], previous, limit);
        }

        const bool changed = run != previous_run || change != 0;
        out.bits(changed ? 1 : 0, 1);
        if (changed) out.bits(static_cast<std::uint32_t>(3 * run + change + 1), 5);
        previous_run = run;
        const std::uint32_t size = kSmallSizes[static_cast<std::size_t>(small_index)];
        for (int k = 0; k < run; ++k) {
            out.packed(small[static_cast<std::size_t>(k)], {size, size, size}, small_index);
        }
        small_index += change;
    }
    out.finish();
}

}  // namespace

bool XtcPacking::plausible() const noexcept {
    for (std::size_t d = 0; d < 3; ++d) {
        if (minimum[d] > maximum[d]) return false;
        if (std::int64_t{maximum[d]} - minimum[d] >= std::numeric_limits<std::int32_t>::max()) return false;
    }
    return small_index >= kFirstSmall && small_index <= kLastSmall;
}

XtcUnpacked unpack_xtc(const XtcPacking& packing, const std::byte* bits, std::size_t n_bytes,
                       std::int64_t n_atoms, std::int64_t n_wanted, float precision, Vec3f* out) {
    const BigReader big_reader(packing);
    const float inverse_precision = 1.0F / precision;
    BitReader in(bits, n_bytes);
    int small_index = packing.small_index;
    std::int64_t n_small = 0;

    for (std::int64_t i = 0; i < n_wanted;) {
        // A group has at most 96 + 6 + 10 * 72 bits, which is less than kXtcReadAhead.
        if (in.past_end()) return XtcUnpacked::ran_out;
        const Unsigned3 big = big_reader.read(in);
        int change = 0;
        if (in.bits(1) != 0) {
            const std::uint32_t code = in.bits(5);
            n_small = code / 3;
            change = static_cast<int>(code % 3) - 1;
        }
        if (n_small >= n_atoms - i) return in.past_end() ? XtcUnpacked::ran_out : XtcUnpacked::corrupt;

        const std::uint32_t limit = kSmallSizes[static_cast<std::size_t>(small_index)] / 2;
        Unsigned3 previous = big;
        for (std::int64_t k = 0; k < n_small; ++k) {
            const Unsigned3 difference = read_small(in, small_index);
            for (std::size_t d = 0; d < 3; ++d) previous[d] += difference[d] - limit;
            // The first small atom comes before the big one.
            out[k == 0 ? i : i + k + 1] = scaled(previous, inverse_precision);
        }
        out[n_small == 0 ? i : i + 1] = scaled(big, inverse_precision);
        i += n_small + 1;

        small_index += change;
        if (small_index < kFirstSmall || small_index > kLastSmall) {
            return in.past_end() ? XtcUnpacked::ran_out : XtcUnpacked::corrupt;
        }
    }
    return in.past_end() ? XtcUnpacked::ran_out : XtcUnpacked::done;
}

XtcPacking pack_xtc(std::span<const Vec3f> positions, float precision, std::vector<std::byte>& out) {
    std::vector<Int3> atoms(positions.size());
    XtcPacking packing;
    packing.minimum.fill(std::numeric_limits<std::int32_t>::max());
    packing.maximum.fill(std::numeric_limits<std::int32_t>::min());
    for (std::size_t i = 0; i < atoms.size(); ++i) {
        const Vec3f& p = positions[i];
        atoms[i] = {rounded(p.x, precision, i), rounded(p.y, precision, i), rounded(p.z, precision, i)};
        for (std::size_t d = 0; d < 3; ++d) {
            packing.minimum[d] = std::min(packing.minimum[d], atoms[i][d]);
            packing.maximum[d] = std::max(packing.maximum[d], atoms[i][d]);
        }
    }
    packing.small_index = first_small_index(atoms);
    if (!packing.plausible()) {
        fail(ErrorKind::usage, "the coordinates are too far apart to be stored with a precision of {}",
             precision);
    }
    BitWriter writer(out);
    write_groups(atoms, packing, writer);
    return packing;
}

}  // namespace coromd::trajectory
