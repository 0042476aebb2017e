// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The trajectories of AMBER: classic NetCDF with the names of the AMBER Trajectory Convention 1.0. A
// record is a frame. How many there are follows from the size of the file.
//
// The convention has no steps: ours are in a variable of their own, and files of others are counted.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "big_endian.hpp"
#include "formats/amber_netcdf_head.hpp"
#include "formats/builtin.hpp"
#include "formats/corrupt.hpp"
#include "formats/unit_cell.hpp"

namespace coromd::trajectory {

namespace {

using namespace amber;

class AmberNetcdfCodec final : public FrameCodec {
public:
    std::optional<FrameHeader> locate(const InputFile& file, std::int64_t offset) override {
        if (!head_) head_ = read_head(file);
        if (!head_) return std::nullopt;
        const std::int64_t start = std::max(offset, head_->records_offset);
        const std::int64_t behind = start - head_->records_offset;
        if (behind % head_->record_size != 0) fail_corrupt(file, start, "no frame starts here");
        if (start > file.size() || head_->record_size > file.size() - start) return std::nullopt;
        FrameHeader header;
        header.offset = start;
        header.size = head_->record_size;
        header.n_atoms = head_->n_atoms;
        header.step = behind / head_->record_size;
        header.time_ps = std::numeric_limits<double>::quiet_NaN();
        if (head_->time) {
            header.time_ps = read_numbers<1>(file, start, head_->time)[0];
            if (!std::isfinite(header.time_ps)) fail_corrupt(file, start, "the time is not a number");
        }
        if (head_->step) {
            const double step = read_numbers<1>(file, start, head_->step)[0];
            if (!(std::abs(step) <= 0x1p53)) fail_corrupt(file, start, "the step is {}", step);
            header.step = static_cast<std::int64_t>(step);
        }
        return header;
    }

    void decode(const InputFile& file, const FrameHeader& header, const FrameNeeds& needs,
                Frame& frame) override {
        const std::optional<FrameHeader> found = locate(file, header.offset);
        if (!found || found->size != header.size) {
            fail_corrupt(file, header.offset, "the frame has changed since it was found");
        }
        frame.step = found->step;
        frame.time_ps = found->time_ps;
        frame.precision = 0.0F;
        frame.box = {};
        if (head_->cell_lengths) {
            UnitCell cell;
            cell.lengths_nm = read_numbers<3>(file, header.offset, head_->cell_lengths);
            cell.cosines = read_numbers<3>(file, header.offset, head_->cell_angles);
            std::ranges::transform(cell.cosines, cell.cosines.begin(), cosine_of_degrees);
            const std::optional<Box> box = box_of(cell);
            if (!box) fail_corrupt(file, header.offset, "there is no such unit cell");
            frame.box = *box;
        }
        const std::int64_t n_wanted = std::clamp<std::int64_t>(needs.atoms, 0, head_->n_atoms);
        read_vectors(file, header.offset, head_->positions, n_wanted, frame.positions);
        read_vectors(file, header.offset, head_->velocities, needs.velocities ? n_wanted : 0,
                     frame.velocities);
        read_vectors(file, header.offset, head_->forces, needs.forces ? n_wanted : 0, frame.forces);
    }

    void encode(const Frame& frame, const Topology*, std::vector<std::byte>& out) override {
        const std::int64_t n_atoms = frame.n_atoms();
        if (n_atoms == 0) fail(ErrorKind::usage, "the frame is empty");
        if (n_atoms > std::numeric_limits<std::int32_t>::max() / 12) {
            fail(ErrorKind::usage, "{} atoms are too many for AMBER NetCDF", n_atoms);
        }
        const Content content{.positions = frame.positions.size(),
                              .velocities = frame.velocities.size(),
                              .forces = frame.forces.size(),
                              .cell = frame.box.periodic()};
        for (const std::size_t count : {content.positions, content.velocities, content.forces}) {
            if (count != 0 && count != static_cast<std::size_t>(n_atoms)) {
                fail(ErrorKind::usage,
                     "the frame has positions, velocities or forces of {} atoms, others of {}", count,
                     n_atoms);
            }
        }
        if (written_ && content != *written_) {
            fail(ErrorKind::usage,
                 "AMBER NetCDF holds positions, velocities, forces and a unit cell in all frames or in none");
        }
        if (!written_) {
            append_head(out, content, n_atoms);
            written_ = content;
        }
        append_big_endian(out, static_cast<double>(frame.step));
        append_big_endian(out, std::isnan(frame.time_ps) ? 0.0F : static_cast<float>(frame.time_ps));
        if (content.cell) {
            const UnitCell cell = unit_cell_of(frame.box);
            for (const double length : cell.lengths_nm) append_big_endian(out, kAngstromPerNm * length);
            for (const double cosine : cell.cosines) append_big_endian(out, degrees_of_cosine(cosine));
        }
        append_vectors(out, frame.positions, kAngstromPerNm);
        append_vectors(out, frame.velocities, kAngstromPerNm / kAmberVelocity);
        append_vectors(out, frame.forces, 1.0 / kKjPerNmOfKcalPerAngstrom);
    }

    std::vector<Patch> finish(std::int64_t n_frames) override {
        if (n_frames == 0 || n_frames > std::numeric_limits<std::int32_t>::max()) return {};
        Patch patch;
        patch.offset = kRecordCountOffset;
        append_big_endian(patch.bytes, static_cast<std::int32_t>(n_frames));
        return {std::move(patch)};
    }

private:
    /// Where the frame at `frame_offset` has its piece of the variable.
    std::int64_t piece(std::int64_t frame_offset, const Variable& variable) const {
        return frame_offset + variable.offset - head_->records_offset;
    }

    template <std::size_t N>
    std::array<double, N> read_numbers(const InputFile& file, std::int64_t frame_offset,
                                       const Variable& variable) const {
        const auto size = size_of_type(variable.type);
        std::array<std::byte, 8 * N> bytes{};
        file.read_exactly(piece(frame_offset, variable), std::span(bytes).first(N * size));
        std::array<double, N> numbers{};
        for (std::size_t i = 0; i < N; ++i) {
            numbers[i] = load_number(bytes.data() + size * i, variable.type) * variable.factor;
        }
        return numbers;
    }

    /// The first `n_wanted` vectors; none where the file does not have them.
    void read_vectors(const InputFile& file, std::int64_t frame_offset, const Variable& variable,
                      std::int64_t n_wanted, std::vector<Vec3f>& out) {
        out.resize(variable ? static_cast<std::size_t>(n_wanted) : 0);
        if (out.empty()) return;
        const auto size = size_of_type(variable.type);
        buffer_.resize(3 * size * out.size());
        file.read_exactly(piece(frame_offset, variable), buffer_);
        const std::span floats(reinterpret_cast<float*>(out.data()), 3 * out.size());
        for (std::size_t i = 0; i < floats.size(); ++i) {
            floats[i] =
                static_cast<float>(load_number(buffer_.data() + size * i, variable.type) * variable.factor);
        }
    }

    static void append_vectors(std::vector<std::byte>& out, std::span<const Vec3f> vectors, double factor) {
        for (const Vec3f& v : vectors) {
            for (const float value : {v.x, v.y, v.z}) {
                append_big_endian(out, static_cast<float>(factor * value));
            }
        }
    }

    std::optional<Head> head_;        ///< of the file that is read
    std::optional<Content> written_;  ///< empty before the first frame
    std::vector<std::byte> buffer_;
};

}  // namespace

Format amber_netcdf_format() {
    Format format;
    format.name = "AMBER NetCDF";
    format.extensions = {".nc", ".ncdf"};
    format.description = "AMBER trajectory: positions, velocities, forces, each optional; NetCDF classic";
    format.reads_frames = true;
    format.writes_frames = true;
    format.stores_velocities = true;
    format.stores_forces = true;
    format.plain_frames = false;
    format.make_codec = [] { return std::make_unique<AmberNetcdfCodec>(); };
    return format;
}

}  // namespace coromd::trajectory
