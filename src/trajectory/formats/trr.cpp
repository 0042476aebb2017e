// SPDX-License-Identifier: LGPL-3.0-or-later
//
// TRR, the full-precision trajectory of GROMACS: big-endian XDR, one frame after the other.
//
//     byte  0  1993, 13, 12, "GMX_trn_file"
//          24  sizes in bytes of what follows the header: input record, energies, box, virial,
//              pressure, topology, symbols, positions, velocities, forces, 10 int32; 0: not there
//          64  number of atoms, step (low 32 bits), an unused int32
//          76  time, lambda: two floats, or two doubles where the rest is in double precision
//          84  (92) box, virial, pressure (9 numbers each), positions, velocities, forces
//
// Whether numbers are floats or doubles follows from the sizes.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "big_endian.hpp"
#include "formats/builtin.hpp"
#include "formats/corrupt.hpp"

namespace coromd::trajectory {

namespace {

constexpr std::int32_t kMagic = 1993;
constexpr std::string_view kTag = "GMX_trn_file";
constexpr std::size_t kCommonHeaderSize = 76;
constexpr std::size_t kMaxHeaderSize = 92;
constexpr std::size_t kSizesOffset = 24;
constexpr std::size_t kSizes = 10;

/// The position of each size in the header.
enum SizeIndex : std::size_t { kInput, kEnergy, kBox, kVirial, kPressure, kTopology, kSymbols, kX, kV, kF };

struct Head {
    std::array<std::int64_t, kSizes> sizes{};
    std::int64_t n_atoms = 0;
    std::int32_t step = 0;
    double time_ps = 0.0;
    bool doubles = false;

    std::int64_t header_size() const { return kCommonHeaderSize + (doubles ? 16 : 8); }
    std::int64_t number_size() const { return doubles ? 8 : 4; }
    /// Where a block starts, from the start of the frame.
    std::int64_t offset_of(SizeIndex block) const {
        std::int64_t offset = header_size();
        for (std::size_t i = 0; i < block; ++i) offset += sizes[i];
        return offset;
    }
    std::int64_t frame_size() const { return offset_of(kF) + sizes[kF]; }
};

bool has_tag(const std::byte* bytes) {
    return load_big_endian<std::int32_t>(bytes) == kMagic &&
           load_big_endian<std::int32_t>(bytes + 4) == static_cast<std::int32_t>(kTag.size()) + 1 &&
           load_big_endian<std::int32_t>(bytes + 8) == static_cast<std::int32_t>(kTag.size()) &&
           std::memcmp(bytes + 12, kTag.data(), kTag.size()) == 0;
}

/// Floats or doubles? Empty where the sizes contradict each other.
std::optional<bool> has_doubles(const Head& head) {
    for (const bool doubles : {false, true}) {
        const std::int64_t number = doubles ? 8 : 4;
        const auto fits = [&](SizeIndex block, std::int64_t count) {
            return head.sizes[block] == 0 || head.sizes[block] == count * number;
        };
        const std::int64_t n = 3 * head.n_atoms;
        if (fits(kBox, 9) && fits(kVirial, 9) && fits(kPressure, 9) && fits(kX, n) && fits(kV, n) &&
            fits(kF, n)) {
            return doubles;
        }
    }
    return std::nullopt;
}

/// The head of the frame whose first bytes are given; empty where it is not there yet.
std::optional<Head> parse_head(const InputFile& file, std::int64_t offset, std::span<const std::byte> bytes) {
    if (bytes.size() < kCommonHeaderSize) return std::nullopt;
    // Zeros from some field on are what has not arrived yet.
    const auto n_atoms = load_big_endian<std::int32_t>(bytes.data() + 64);
    if (n_atoms == 0) return std::nullopt;
    if (!has_tag(bytes.data())) fail_corrupt(file, offset, "a frame should begin with '{}'", kTag);
    if (n_atoms < 0) fail_corrupt(file, offset, "the number of atoms is {}", n_atoms);

    Head head;
    for (std::size_t i = 0; i < kSizes; ++i) {
        head.sizes[i] = load_big_endian<std::int32_t>(bytes.data() + kSizesOffset + 4 * i);
        if (head.sizes[i] < 0) fail_corrupt(file, offset, "a size is {}", head.sizes[i]);
    }
    head.n_atoms = n_atoms;
    head.step = load_big_endian<std::int32_t>(bytes.data() + 68);
    for (const SizeIndex block : {kInput, kEnergy, kTopology, kSymbols}) {
        if (head.sizes[block] != 0) fail_corrupt(file, offset, "it holds blocks that no version writes");
    }
    const std::optional<bool> doubles = has_doubles(head);
    if (!doubles) fail_corrupt(file, offset, "the sizes do not fit {} atoms", head.n_atoms);
    head.doubles = *doubles;
    if (static_cast<std::int64_t>(bytes.size()) < head.header_size()) return std::nullopt;
    const std::byte* time = bytes.data() + kCommonHeaderSize;
    head.time_ps = head.doubles ? load_big_endian<double>(time) : load_big_endian<float>(time);
    if (!std::isfinite(head.time_ps)) fail_corrupt(file, offset, "the time is not a number");
    return head;
}

std::optional<Head> read_head(const InputFile& file, std::int64_t offset) {
    std::array<std::byte, kMaxHeaderSize> bytes{};
    const std::size_t available = file.read_some(offset, bytes);
    return parse_head(file, offset, std::span(bytes).first(available));
}

/// That of a frame that was located, which has to be the same still.
Head expect_head(const std::optional<Head>& head, const InputFile& file, const FrameHeader& header) {
    if (!head || head->frame_size() != header.size) {
        fail_corrupt(file, header.offset, "the frame has changed since it was found");
    }
    return *head;
}

class TrrCodec final : public FrameCodec {
public:
    std::optional<FrameHeader> locate(const InputFile& file, std::int64_t offset) override {
        const std::optional<Head> head = read_head(file, offset);
        if (!head || head->frame_size() > file.size() - offset) return std::nullopt;
        return FrameHeader{.offset = offset,
                           .size = head->frame_size(),
                           .n_atoms = head->n_atoms,
                           .step = head->step,
                           .time_ps = head->time_ps};
    }

    void decode(const InputFile& file, const FrameHeader& header, const FrameNeeds& needs,
                Frame& frame) override {
        const Head head = expect_head(read_head(file, header.offset), file, header);
        frame.step = head.step;
        frame.time_ps = head.time_ps;
        frame.precision = 0.0F;
        frame.box = {};
        if (head.sizes[kBox] != 0) {
            read_block(file, header.offset, head, kBox, 3, box_);
            frame.box = {box_[0], box_[1], box_[2]};
        }
        const std::int64_t n_wanted = std::clamp<std::int64_t>(needs.atoms, 0, head.n_atoms);
        read_block(file, header.offset, head, kX, n_wanted, frame.positions);
        read_block(file, header.offset, head, kV, needs.velocities ? n_wanted : 0, frame.velocities);
        read_block(file, header.offset, head, kF, needs.forces ? n_wanted : 0, frame.forces);
    }

    void encode(const Frame& frame, const Topology*, std::vector<std::byte>& out) override {
        const std::int64_t n_atoms = frame.n_atoms();
        constexpr std::int64_t kVectorSize = sizeof(Vec3f);
        if (n_atoms == 0) fail(ErrorKind::usage, "the frame is empty");
        if (n_atoms > std::numeric_limits<std::int32_t>::max() / kVectorSize) {
            fail(ErrorKind::usage, "{} atoms are too many for TRR", n_atoms);
        }
        std::array<std::int32_t, kSizes> sizes{};
        sizes[kBox] = 3 * kVectorSize;
        const auto size_of = [&](const std::vector<Vec3f>& block, std::string_view what) {
            const auto count = static_cast<std::int64_t>(block.size());
            if (count != 0 && count != n_atoms) {
                fail(ErrorKind::usage, "the frame has {} {}, but {} atoms", count, what, n_atoms);
            }
            return static_cast<std::int32_t>(count * kVectorSize);
        };
        sizes[kX] = size_of(frame.positions, "positions");
        sizes[kV] = size_of(frame.velocities, "velocities");
        sizes[kF] = size_of(frame.forces, "forces");

        append_big_endian(out, kMagic);
        append_big_endian(out, static_cast<std::int32_t>(kTag.size()) + 1);
        append_big_endian(out, static_cast<std::int32_t>(kTag.size()));
        const auto tag = std::as_bytes(std::span(kTag));
        out.insert(out.end(), tag.begin(), tag.end());
        for (const std::int32_t size : sizes) append_big_endian(out, size);
        append_big_endian(out, static_cast<std::int32_t>(n_atoms));
        append_big_endian(out, low_bits_of_step(frame.step));
        append_big_endian(out, std::int32_t{0});
        append_big_endian(out, std::isnan(frame.time_ps) ? 0.0F : static_cast<float>(frame.time_ps));
        append_big_endian(out, 0.0F);
        const std::array box{frame.box.a, frame.box.b, frame.box.c};
        append_vectors(out, box);
        append_vectors(out, frame.positions);
        append_vectors(out, frame.velocities);
        append_vectors(out, frame.forces);
    }

    bool invert_velocities(const InputFile& file, const FrameHeader& header,
                           std::span<std::byte> encoded) const override {
        const Head head = expect_head(parse_head(file, header.offset, encoded), file, header);
        const std::span velocities = encoded.subspan(static_cast<std::size_t>(head.offset_of(kV)),
                                                     static_cast<std::size_t>(head.sizes[kV]));
        constexpr std::byte kSign{0x80};
        for (std::size_t i = 0; i < velocities.size(); i += static_cast<std::size_t>(head.number_size()))
            velocities[i] ^= kSign;
        return true;
    }

private:
    static void append_vectors(std::vector<std::byte>& out, std::span<const Vec3f> vectors) {
        const std::size_t start = out.size();
        out.resize(start + vectors.size_bytes());
        for (std::size_t i = 0; i < vectors.size(); ++i) {
            std::array floats{vectors[i].x, vectors[i].y, vectors[i].z};
            swap_floats(floats);
            std::memcpy(&out[start + i * sizeof floats], floats.data(), sizeof floats);
        }
    }

    /// The first `n_wanted` vectors of a block; none where the frame does not have it.
    void read_block(const InputFile& file, std::int64_t frame_offset, const Head& head, SizeIndex block,
                    std::int64_t n_wanted, std::vector<Vec3f>& out) {
        const std::size_t n = head.sizes[block] == 0 ? 0 : static_cast<std::size_t>(n_wanted);
        const std::int64_t offset = frame_offset + head.offset_of(block);
        out.resize(n);
        const std::span floats(reinterpret_cast<float*>(out.data()), 3 * n);
        if (!head.doubles) {
            file.read_exactly(offset, std::as_writable_bytes(floats));
            swap_floats(floats);
            return;
        }
        buffer_.resize(8 * floats.size());
        file.read_exactly(offset, buffer_);
        for (std::size_t i = 0; i < floats.size(); ++i) {
            floats[i] = static_cast<float>(load_big_endian<double>(buffer_.data() + 8 * i));
        }
    }

    std::vector<std::byte> buffer_;
    std::vector<Vec3f> box_;
};

}  // namespace

Format trr_format() {
    Format format;
    format.name = "TRR";
    format.extensions = {".trr"};
    format.description = "GROMACS full-precision trajectory: positions, velocities, forces, each optional";
    format.reads_frames = true;
    format.writes_frames = true;
    format.stores_velocities = true;
    format.stores_forces = true;
    format.exact = true;
    format.make_codec = [] { return std::make_unique<TrrCodec>(); };
    return format;
}

}  // namespace coromd::trajectory
