// SPDX-License-Identifier: LGPL-3.0-or-later
//
// XTC, the compressed positions of GROMACS: big-endian XDR, one frame after the other.
//
//     byte  0  magic: 1995, or 2023 where there are more atoms than 32-bit lengths allow
//           4  number of atoms          int32
//           8  step, low 32 bits        int32
//          12  time, ps                 float
//          16  box vectors, nm          9 floats
//          52  number of atoms, again   int32
//     up to 9 atoms:
//          56  positions, nm            3 floats per atom
//     else:
//          56  precision, 1/nm          float
//          60  minimum and maximum of the rounded coordinates, 2 * 3 int32
//          84  index of the first small size, int32
//          88  length of the bits       int32 (magic 2023: int64)
//          92  bits (see xtc_bits.cpp), padded with zeros to a multiple of 4
#include <algorithm>
#include <cmath>
#include <limits>

#include "big_endian.hpp"
#include "formats/builtin.hpp"
#include "formats/corrupt.hpp"
#include "formats/xtc_bits.hpp"

namespace coromd::trajectory {

namespace {

constexpr std::int32_t kMagic = 1995;
constexpr std::int32_t kMagicLong = 2023;
constexpr std::int64_t kMaxAtomsOfMagic = 298261617;
constexpr std::int64_t kMaxAtomsPlain = 9;
constexpr std::int64_t kPlainHeaderSize = 56;
constexpr std::int64_t kLengthOffset = 88;
constexpr std::size_t kMaxHeaderSize = 96;
constexpr float kDefaultPrecision = 1000.0F;

struct Head {
    std::int64_t n_atoms = 0;
    std::int32_t step = 0;
    float time_ps = 0.0F;
    Box box;
    // Of compressed positions:
    float precision = 0.0F;
    XtcPacking packing;
    std::int64_t bits_offset = 0;  ///< from the start of the frame
    std::int64_t n_bits_bytes = 0;
    std::int64_t frame_size = 0;
};

template <typename T>
T at(const std::array<std::byte, kMaxHeaderSize>& bytes, std::size_t offset) {
    return load_big_endian<T>(bytes.data() + offset);
}

Vec3f vector_at(const std::array<std::byte, kMaxHeaderSize>& bytes, std::size_t offset) {
    return {at<float>(bytes, offset), at<float>(bytes, offset + 4), at<float>(bytes, offset + 8)};
}

/// The longest that n atoms can become: 96 bits, a flag and a length.
std::int64_t max_bits_bytes(std::int64_t n_atoms) {
    return n_atoms * 13 + 16;
}

/// Empty where the header is not there yet.
std::optional<Head> read_head(const InputFile& file, std::int64_t offset) {
    std::array<std::byte, kMaxHeaderSize> bytes{};
    const auto available = static_cast<std::int64_t>(file.read_some(offset, bytes));
    if (available < kPlainHeaderSize) return std::nullopt;

    // Zeros from some field on are what has not arrived yet.
    const std::int64_t n_atoms_again = at<std::int32_t>(bytes, 52);
    if (n_atoms_again == 0) return std::nullopt;
    const auto magic = at<std::int32_t>(bytes, 0);
    if (magic != kMagic && magic != kMagicLong) {
        fail_corrupt(file, offset, "a frame should begin with {}, not {}", kMagic, magic);
    }
    Head head;
    head.n_atoms = at<std::int32_t>(bytes, 4);
    head.step = at<std::int32_t>(bytes, 8);
    head.time_ps = at<float>(bytes, 12);
    head.box = {vector_at(bytes, 16), vector_at(bytes, 28), vector_at(bytes, 40)};
    if (head.n_atoms < 1 || head.n_atoms != n_atoms_again) {
        fail_corrupt(file, offset, "the number of atoms is {} and then {}", head.n_atoms, n_atoms_again);
    }
    if (!std::isfinite(head.time_ps)) fail_corrupt(file, offset, "the time is not a number");
    if (head.n_atoms <= kMaxAtomsPlain) {
        head.frame_size = kPlainHeaderSize + 12 * head.n_atoms;
        return head;
    }

    const bool long_length = magic == kMagicLong;
    head.bits_offset = kLengthOffset + (long_length ? 8 : 4);
    if (available < head.bits_offset) return std::nullopt;
    head.precision = at<float>(bytes, 56);
    for (std::size_t d = 0; d < 3; ++d) {
        head.packing.minimum[d] = at<std::int32_t>(bytes, 60 + 4 * d);
        head.packing.maximum[d] = at<std::int32_t>(bytes, 72 + 4 * d);
    }
    head.packing.small_index = at<std::int32_t>(bytes, 84);
    head.n_bits_bytes =
        long_length ? at<std::int64_t>(bytes, kLengthOffset) : at<std::int32_t>(bytes, kLengthOffset);
    if (head.precision == 0.0F || head.packing.small_index == 0 || head.n_bits_bytes == 0)
        return std::nullopt;
    if (!(head.precision > 0.0F) || !std::isfinite(head.precision)) {
        fail_corrupt(file, offset, "the precision is {}", head.precision);
    }
    if (!head.packing.plausible()) fail_corrupt(file, offset, "the range of the coordinates makes no sense");
    // An atom takes two bits at the least.
    if (head.n_bits_bytes < head.n_atoms / 4 || head.n_bits_bytes > max_bits_bytes(head.n_atoms)) {
        fail_corrupt(file, offset, "{} atoms cannot be in {} bytes", head.n_atoms, head.n_bits_bytes);
    }
    head.frame_size = head.bits_offset + (head.n_bits_bytes + 3) / 4 * 4;
    return head;
}

class XtcCodec final : public FrameCodec {
public:
    std::optional<FrameHeader> locate(const InputFile& file, std::int64_t offset) override {
        const std::optional<Head> head = read_head(file, offset);
        if (!head || head->frame_size > file.size() - offset) return std::nullopt;
        return FrameHeader{.offset = offset,
                           .size = head->frame_size,
                           .n_atoms = head->n_atoms,
                           .step = head->step,
                           .time_ps = head->time_ps};
    }

    void decode(const InputFile& file, const FrameHeader& header, const FrameNeeds& needs,
                Frame& frame) override {
        const std::optional<Head> head = read_head(file, header.offset);
        if (!head || head->frame_size != header.size) {
            fail_corrupt(file, header.offset, "the frame has changed since it was found");
        }
        frame.step = head->step;
        frame.time_ps = head->time_ps;
        frame.box = head->box;
        frame.precision = head->precision;
        frame.velocities.clear();
        frame.forces.clear();
        const std::int64_t n_wanted = std::clamp<std::int64_t>(needs.atoms, 0, head->n_atoms);
        if (head->n_atoms <= kMaxAtomsPlain) {
            read_plain(file, header.offset, n_wanted, frame);
        } else {
            read_compressed(file, header.offset, *head, n_wanted, frame);
        }
    }

    void verify(const InputFile& file, const FrameHeader& header, const Frame& frame) override {
        const std::optional<Head> head = read_head(file, header.offset);
        if (!head || head->n_atoms <= kMaxAtomsPlain) return;
        // The range in the header is that of the atoms, to the last unit.
        constexpr float Vec3f::*kComponents[] = {&Vec3f::x, &Vec3f::y, &Vec3f::z};
        for (std::size_t d = 0; d < 3; ++d) {
            const auto [low, high] = std::ranges::minmax(frame.positions, {}, kComponents[d]);
            expect_near(file, header, low.*kComponents[d] * head->precision, head->packing.minimum[d]);
            expect_near(file, header, high.*kComponents[d] * head->precision, head->packing.maximum[d]);
        }
    }

    void encode(const Frame& frame, const Topology*, std::vector<std::byte>& out) override {
        if (frame.positions.empty()) fail(ErrorKind::usage, "XTC stores positions, and the frame has none");
        const auto n_atoms = static_cast<std::int64_t>(frame.positions.size());
        if (n_atoms > std::numeric_limits<std::int32_t>::max()) {
            fail(ErrorKind::usage, "{} atoms are too many for XTC", n_atoms);
        }
        const bool long_length = n_atoms > kMaxAtomsOfMagic;
        append_big_endian(out, long_length ? kMagicLong : kMagic);
        append_big_endian(out, static_cast<std::int32_t>(n_atoms));
        append_big_endian(out, low_bits_of_step(frame.step));
        append_big_endian(out, std::isnan(frame.time_ps) ? 0.0F : static_cast<float>(frame.time_ps));
        for (const Vec3f& vector : {frame.box.a, frame.box.b, frame.box.c}) append_vector(out, vector);
        append_big_endian(out, static_cast<std::int32_t>(n_atoms));
        if (n_atoms <= kMaxAtomsPlain) {
            for (const Vec3f& position : frame.positions) append_vector(out, position);
            return;
        }

        const float precision = frame.precision > 0.0F ? frame.precision : kDefaultPrecision;
        buffer_.clear();
        const XtcPacking packing = pack_xtc(frame.positions, precision, buffer_);
        append_big_endian(out, precision);
        for (const std::int32_t value : packing.minimum) append_big_endian(out, value);
        for (const std::int32_t value : packing.maximum) append_big_endian(out, value);
        append_big_endian(out, packing.small_index);
        const auto length = static_cast<std::int64_t>(buffer_.size());
        if (long_length) {
            append_big_endian(out, length);
        } else {
            append_big_endian(out, static_cast<std::int32_t>(length));
        }
        buffer_.resize((buffer_.size() + 3) / 4 * 4);
        out.insert(out.end(), buffer_.begin(), buffer_.end());
    }

private:
    static void expect_near(const InputFile& file, const FrameHeader& header, float found,
                            std::int32_t said) {
        const double rounding = 0.5 + 4e-7 * std::abs(static_cast<double>(said));
        if (std::abs(static_cast<double>(found) - said) > rounding)
            fail_corrupt(file, header.offset, "the positions are not within the range that the header says");
    }

    static void append_vector(std::vector<std::byte>& out, const Vec3f& vector) {
        append_big_endian(out, vector.x);
        append_big_endian(out, vector.y);
        append_big_endian(out, vector.z);
    }

    static void read_plain(const InputFile& file, std::int64_t offset, std::int64_t n_wanted, Frame& frame) {
        frame.positions.resize(static_cast<std::size_t>(n_wanted));
        file.read_exactly(offset + kPlainHeaderSize, std::as_writable_bytes(std::span(frame.positions)));
        swap_floats({reinterpret_cast<float*>(frame.positions.data()), frame.positions.size() * 3});
    }

    void read_compressed(const InputFile& file, std::int64_t offset, const Head& head, std::int64_t n_wanted,
                         Frame& frame) {
        const auto room = std::min(head.n_atoms, n_wanted + kXtcOvershoot);
        frame.positions.resize(static_cast<std::size_t>(room));
        // A few atoms at the start are mostly within their share of the bytes, doubled.
        constexpr std::int64_t kExtraBytes = 128;
        std::int64_t n_bytes = head.n_bits_bytes;
        if (n_wanted < head.n_atoms) {
            const double share = static_cast<double>(n_wanted) / static_cast<double>(head.n_atoms);
            n_bytes = std::min(
                n_bytes, static_cast<std::int64_t>(2.0 * share * static_cast<double>(n_bytes)) + kExtraBytes);
        }
        for (;; n_bytes = std::min(head.n_bits_bytes, 2 * n_bytes)) {
            buffer_.resize(static_cast<std::size_t>(n_bytes) + kXtcReadAhead);
            const auto n = static_cast<std::size_t>(n_bytes);
            file.read_exactly(offset + head.bits_offset, std::span(buffer_).first(n));
            const XtcUnpacked result = unpack_xtc(head.packing, buffer_.data(), n, head.n_atoms, n_wanted,
                                                  head.precision, frame.positions.data());
            if (result == XtcUnpacked::done) break;
            if (result == XtcUnpacked::ran_out && n_bytes < head.n_bits_bytes) continue;
            fail_corrupt(file, offset, "the compressed positions {}",
                         result == XtcUnpacked::ran_out ? "end too early" : "make no sense");
        }
        frame.positions.resize(static_cast<std::size_t>(n_wanted));
    }

    std::vector<std::byte> buffer_;
};

}  // namespace

Format xtc_format() {
    Format format;
    format.name = "XTC";
    format.extensions = {".xtc"};
    format.description = "GROMACS compressed trajectory: positions, rounded to 1/precision nm";
    format.reads_frames = true;
    format.writes_frames = true;
    format.make_codec = [] { return std::make_unique<XtcCodec>(); };
    return format;
}

}  // namespace coromd::trajectory
