// SPDX-License-Identifier: LGPL-3.0-or-later
//
// DCD, the positions of CHARMM, NAMD, X-PLOR and LAMMPS: records of Fortran in the byte order of the
// machine that wrote them. A record is its size in bytes (int32), its content, its size again:
//
//     "CORD", then 20 int32, counted from 0:
//             0  number of frames (not trusted: a program that is still running, or died, left another)
//             1  ISTART, step of the first frame
//             2  NSAVC, steps between frames
//             8  NAMNF, number of fixed atoms
//             9  time step in units of AKMA: a float; a double that takes 9 and 10 in X-PLOR
//            10  is there a unit cell? (not in X-PLOR)
//            11  are there four dimensions? (not in X-PLOR)
//            19  version of CHARMM; 0: X-PLOR
//     titles of 80 characters, their number before them
//     number of atoms
//     only where atoms are fixed: the numbers of the others, from 1, ascending
// and then per frame
//     unit cell, if any: A, gamma, B, beta, alpha, C, 6 doubles; Angstrom; degrees or cosines
//     x, y, z, and the fourth dimension if any, Angstrom: a float per atom, each its own record
//
// Where atoms are fixed, frames after the first hold the others only. CHARMM itself writes the cell as
// a symmetric matrix in the same six numbers, which for a box that is not rectangular is not told apart
// from angles with certainty: numbers that can be no angles are an error.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "big_endian.hpp"
#include "formats/builtin.hpp"
#include "formats/corrupt.hpp"
#include "formats/unit_cell.hpp"
#include "text_fields.hpp"

namespace coromd::trajectory {

namespace {

constexpr double kPsPerAkma = 0.04888821;
constexpr double kMaxTimeStepPs = 1e30;
constexpr std::int64_t kMarkerSize = 4;
constexpr std::int64_t kFirstRecordSize = 84;
constexpr std::int64_t kTitleSize = 80;
constexpr std::int64_t kCellSize = 48;
constexpr std::string_view kPositionsTag = "CORD";
constexpr std::string_view kVelocitiesTag = "VELD";

/// The position of each number behind the tag.
enum ControlIndex : std::size_t {
    kFrames = 0,
    kStart = 1,
    kInterval = 2,
    kSteps = 3,
    kFixed = 8,
    kTimeStep = 9,
    kHasCell = 10,
    kHasFourDimensions = 11,
    kVersion = 19,
    kControls = 20,
};

template <typename T>
T load(const std::byte* bytes, bool big_endian) {
    if (big_endian) return load_big_endian<T>(bytes);
    T value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
}

template <typename T>
void append(std::vector<std::byte>& out, T value) {
    const std::size_t end = out.size();
    out.resize(end + sizeof value);
    std::memcpy(out.data() + end, &value, sizeof value);
}

struct Head {
    bool big_endian = false;
    std::int64_t start_step = 0;
    std::int64_t steps_per_frame = 1;
    double time_step_ps = 0.0;
    bool has_cell = false;
    bool has_four_dimensions = false;
    std::int64_t n_atoms = 0;
    std::int64_t n_fixed = 0;
    std::int64_t free_atoms_offset = 0;
    std::int64_t first_frame_offset = 0;

    std::int64_t atoms_in(bool first_frame) const { return first_frame ? n_atoms : n_atoms - n_fixed; }
    std::int64_t cell_record_size() const { return has_cell ? kCellSize + 2 * kMarkerSize : 0; }
    std::int64_t coordinate_record_size(bool first_frame) const {
        return 4 * atoms_in(first_frame) + 2 * kMarkerSize;
    }
    std::int64_t frame_size(bool first_frame) const {
        return cell_record_size() + (has_four_dimensions ? 4 : 3) * coordinate_record_size(first_frame);
    }
    /// Empty where no frame can start there.
    std::optional<std::int64_t> frame_at(std::int64_t offset) const {
        if (offset == first_frame_offset) return 0;
        const std::int64_t behind_first = offset - first_frame_offset - frame_size(true);
        if (behind_first < 0 || behind_first % frame_size(false) != 0) return std::nullopt;
        return 1 + behind_first / frame_size(false);
    }
};

/// The size that starts or ends a record; empty where it is not there yet.
std::optional<std::int64_t> read_marker(const InputFile& file, std::int64_t offset, bool big_endian) {
    std::array<std::byte, kMarkerSize> bytes{};
    if (file.read_some(offset, bytes) < bytes.size()) return std::nullopt;
    const auto marker = load<std::int32_t>(bytes.data(), big_endian);
    if (marker == 0) return std::nullopt;
    if (marker < 0) fail_corrupt(file, offset, "the size of a record is {}", marker);
    return marker;
}

/// The size of the record at `offset`; empty where it is not there as a whole yet.
std::optional<std::int64_t> read_record(const InputFile& file, std::int64_t offset, bool big_endian) {
    const std::optional<std::int64_t> size = read_marker(file, offset, big_endian);
    if (!size) return std::nullopt;
    const std::optional<std::int64_t> again = read_marker(file, offset + kMarkerSize + *size, big_endian);
    if (again && *again != *size) {
        fail_corrupt(file, offset, "the size of a record is {} and then {}", *size, *again);
    }
    return again;
}

/// The same for a record whose size is known.
bool has_record(const InputFile& file, std::int64_t offset, std::int64_t expected, bool big_endian,
                std::string_view what) {
    const std::optional<std::int64_t> size = read_marker(file, offset, big_endian);
    if (size && *size != expected) {
        fail_corrupt(file, offset, "the {} should take {} bytes, not {}", what, expected, *size);
    }
    return read_record(file, offset, big_endian).has_value();
}

/// Empty where the first bytes are not there yet.
std::optional<bool> is_big_endian(const InputFile& file) {
    std::array<std::byte, kMarkerSize + kPositionsTag.size()> bytes{};
    if (file.read_some(0, bytes) < bytes.size()) return std::nullopt;
    const auto marker = load<std::int32_t>(bytes.data(), false);
    const std::string_view tag(reinterpret_cast<const char*>(bytes.data() + kMarkerSize),
                               kPositionsTag.size());
    if (marker == 0 || tag.back() == '\0') return std::nullopt;
    const bool big_endian = load<std::int32_t>(bytes.data(), true) == kFirstRecordSize;
    if ((big_endian || marker == kFirstRecordSize) && tag == kVelocitiesTag) {
        fail_corrupt(file, 0, "the DCD holds velocities ('{}'), and positions are read only", tag);
    }
    if ((!big_endian && marker != kFirstRecordSize) || tag != kPositionsTag) {
        fail_corrupt(file, 0, "a DCD should begin with the number {} and '{}'", kFirstRecordSize,
                     kPositionsTag);
    }
    return big_endian;
}

/// Empty where it is not there as a whole yet.
std::optional<Head> read_head(const InputFile& file) {
    const std::optional<bool> big_endian = is_big_endian(file);
    if (!big_endian || !has_record(file, 0, kFirstRecordSize, *big_endian, "control numbers")) {
        return std::nullopt;
    }
    std::array<std::byte, 4 * kControls> bytes{};
    const std::int64_t controls_offset = kMarkerSize + std::ssize(kPositionsTag);
    file.read_exactly(controls_offset, bytes);
    const auto control = [&](ControlIndex index) {
        return load<std::int32_t>(bytes.data() + 4 * index, *big_endian);
    };
    Head head;
    head.big_endian = *big_endian;
    head.start_step = control(kStart);
    // Some programs leave it out.
    head.steps_per_frame = control(kInterval) == 0 ? 1 : control(kInterval);
    head.n_fixed = control(kFixed);
    const std::byte* time_step = bytes.data() + 4 * kTimeStep;
    const bool xplor = control(kVersion) == 0;
    head.time_step_ps =
        kPsPerAkma * (xplor ? load<double>(time_step, *big_endian) : load<float>(time_step, *big_endian));
    if (!(std::abs(head.time_step_ps) < kMaxTimeStepPs))
        fail_corrupt(file, 0, "the time step makes no sense");
    head.has_cell = !xplor && control(kHasCell) != 0;
    head.has_four_dimensions = !xplor && control(kHasFourDimensions) != 0;

    const std::int64_t titles_offset = kFirstRecordSize + 2 * kMarkerSize;
    const std::optional<std::int64_t> titles_marker = read_marker(file, titles_offset, *big_endian);
    if (titles_marker && (*titles_marker - 4) % kTitleSize != 0) {
        fail_corrupt(file, titles_offset, "titles of {} characters cannot take {} bytes", kTitleSize,
                     *titles_marker);
    }
    const std::optional<std::int64_t> titles_size = read_record(file, titles_offset, *big_endian);
    if (!titles_size) return std::nullopt;

    const std::int64_t n_atoms_offset = titles_offset + *titles_size + 2 * kMarkerSize;
    if (!has_record(file, n_atoms_offset, 4, *big_endian, "number of atoms")) return std::nullopt;
    file.read_exactly(n_atoms_offset + kMarkerSize, std::span(bytes).first(4));
    head.n_atoms = load<std::int32_t>(bytes.data(), *big_endian);
    if (head.n_atoms < 1 || head.n_atoms > std::numeric_limits<std::int32_t>::max() / 4) {
        fail_corrupt(file, n_atoms_offset, "the number of atoms is {}", head.n_atoms);
    }
    if (head.n_fixed < 0 || head.n_fixed >= head.n_atoms) {
        fail_corrupt(file, controls_offset, "{} of {} atoms are fixed", head.n_fixed, head.n_atoms);
    }
    head.first_frame_offset = n_atoms_offset + 4 + 2 * kMarkerSize;
    if (head.n_fixed > 0) {
        const std::int64_t size = 4 * head.atoms_in(false);
        const std::int64_t offset = head.first_frame_offset;
        if (!has_record(file, offset, size, *big_endian, "list of free atoms")) return std::nullopt;
        head.free_atoms_offset = offset + kMarkerSize;
        head.first_frame_offset = offset + size + 2 * kMarkerSize;
    }
    return head;
}

/// The time step that is written, as the difference of the first two frames gives it.
struct Schedule {
    std::int32_t start_step = 0;
    std::int32_t steps_per_frame = 1;
    float time_step_akma = 0.0F;
};

class DcdCodec final : public FrameCodec {
public:
    std::optional<FrameHeader> locate(const InputFile& file, std::int64_t offset) override {
        if (!head_) head_ = read_head(file);
        if (!head_) return std::nullopt;
        const std::int64_t start = std::max(offset, head_->first_frame_offset);
        const std::optional<std::int64_t> frame = head_->frame_at(start);
        if (!frame) fail_corrupt(file, start, "no frame starts here");
        const bool first = *frame == 0;
        std::int64_t record = start;
        if (head_->has_cell) {
            if (!has_record(file, record, kCellSize, head_->big_endian, "unit cell")) return std::nullopt;
            record += head_->cell_record_size();
        }
        const std::int64_t end = start + head_->frame_size(first);
        for (; record < end; record += head_->coordinate_record_size(first)) {
            if (!has_record(file, record, 4 * head_->atoms_in(first), head_->big_endian, "coordinates")) {
                return std::nullopt;
            }
        }
        const std::int64_t step = head_->start_step + *frame * head_->steps_per_frame;
        return FrameHeader{.offset = start,
                           .size = end - start,
                           .n_atoms = head_->n_atoms,
                           .step = step,
                           .time_ps = static_cast<double>(step) * head_->time_step_ps};
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
        frame.velocities.clear();
        frame.forces.clear();
        frame.box = head_->has_cell ? read_box(file, header.offset) : Box{};

        const std::int64_t n_wanted = std::clamp<std::int64_t>(needs.atoms, 0, head_->n_atoms);
        const bool first = header.offset == head_->first_frame_offset;
        if (first || head_->n_fixed == 0) {
            read_positions(file, header.offset, first, n_wanted, frame.positions);
            return;
        }
        remember_first_frame(file);
        const auto wanted_end =
            std::lower_bound(free_atoms_.begin(), free_atoms_.end(), static_cast<std::int32_t>(n_wanted));
        read_positions(file, header.offset, first, wanted_end - free_atoms_.begin(), free_positions_);
        frame.positions.assign(first_positions_.begin(), first_positions_.begin() + n_wanted);
        for (std::size_t i = 0; i < free_positions_.size(); ++i) {
            frame.positions[static_cast<std::size_t>(free_atoms_[i])] = free_positions_[i];
        }
    }

    void encode(const Frame& frame, const Topology*, std::vector<std::byte>& out) override {
        if (frame.positions.empty()) fail(ErrorKind::usage, "DCD stores positions, and the frame has none");
        const auto n_atoms = static_cast<std::int64_t>(frame.positions.size());
        if (n_atoms > std::numeric_limits<std::int32_t>::max() / 4) {
            fail(ErrorKind::usage, "{} atoms are too many for DCD", n_atoms);
        }
        const bool periodic = frame.box.periodic();
        if (n_written_ == 0) {
            first_time_ps_ = std::isnan(frame.time_ps) ? 0.0 : frame.time_ps;
            schedule_.start_step = to_int32(frame.step);
            if (frame.step != 0) {
                schedule_.time_step_akma =
                    static_cast<float>(first_time_ps_ / static_cast<double>(frame.step) / kPsPerAkma);
            }
            periodic_ = periodic;
            append_head(out, static_cast<std::int32_t>(n_atoms));
        } else if (periodic != periodic_) {
            fail(ErrorKind::usage,
                 "DCD has a unit cell in all frames or in none: the first has {}, and this {}",
                 periodic_ ? "one" : "none", periodic ? "one" : "none");
        }
        if (n_written_ == 1) {
            // Frames of one step, as structure files have them, are counted.
            const std::int64_t difference = frame.step - schedule_.start_step;
            schedule_.steps_per_frame = difference == 0 ? 1 : to_int32(difference);
            const double time_ps = std::isnan(frame.time_ps) ? 0.0 : frame.time_ps;
            schedule_.time_step_akma =
                static_cast<float>((time_ps - first_time_ps_) / schedule_.steps_per_frame / kPsPerAkma);
        }
        if (periodic) append_cell(out, frame.box);
        append_coordinates(out, frame.positions, &Vec3f::x);
        append_coordinates(out, frame.positions, &Vec3f::y);
        append_coordinates(out, frame.positions, &Vec3f::z);
        ++n_written_;
    }

    std::vector<Patch> finish(std::int64_t n_frames) override {
        if (n_frames == 0) return {};
        Patch patch;
        append_controls(patch.bytes, n_frames);
        return {std::move(patch)};
    }

private:
    static std::int32_t to_int32(std::int64_t step) {
        if (step < std::numeric_limits<std::int32_t>::min() ||
            step > std::numeric_limits<std::int32_t>::max()) {
            fail(ErrorKind::usage, "DCD holds steps of 32 bits, which {} does not fit", step);
        }
        return static_cast<std::int32_t>(step);
    }

    /// The first record, whole.
    void append_controls(std::vector<std::byte>& out, std::int64_t n_frames) const {
        constexpr std::int32_t kCharmmVersion = 24;  // what NAMD and VMD write too
        constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
        std::array<std::int32_t, kControls> controls{};
        controls[kFrames] = static_cast<std::int32_t>(std::min(n_frames, kMax));
        controls[kStart] = schedule_.start_step;
        controls[kInterval] = schedule_.steps_per_frame;
        controls[kSteps] = static_cast<std::int32_t>(
            std::clamp(controls[kFrames] * std::int64_t{controls[kInterval]}, -kMax, kMax));
        controls[kTimeStep] = std::bit_cast<std::int32_t>(schedule_.time_step_akma);
        controls[kHasCell] = periodic_ ? 1 : 0;
        controls[kVersion] = kCharmmVersion;
        append(out, static_cast<std::int32_t>(kFirstRecordSize));
        append_text(out, kPositionsTag);
        append(out, controls);
        append(out, static_cast<std::int32_t>(kFirstRecordSize));
    }

    void append_head(std::vector<std::byte>& out, std::int32_t n_atoms) const {
        append_controls(out, 0);
        std::string title = "REMARKS written by coromd";
        title.resize(static_cast<std::size_t>(kTitleSize), ' ');
        append(out, static_cast<std::int32_t>(4 + kTitleSize));
        append(out, std::int32_t{1});
        append_text(out, title);
        append(out, static_cast<std::int32_t>(4 + kTitleSize));
        for (const std::int32_t value : {4, n_atoms, 4}) append(out, value);
    }

    /// Cosines, which most programs write, and which keep more digits than angles do.
    static void append_cell(std::vector<std::byte>& out, const Box& box) {
        const UnitCell cell = unit_cell_of(box);
        const auto [a, b, c] = cell.lengths_nm;
        const auto [alpha, beta, gamma] = cell.cosines;
        append(out, static_cast<std::int32_t>(kCellSize));
        append(out,
               std::array{kAngstromPerNm * a, gamma, kAngstromPerNm * b, beta, alpha, kAngstromPerNm * c});
        append(out, static_cast<std::int32_t>(kCellSize));
    }

    static void append_coordinates(std::vector<std::byte>& out, const std::vector<Vec3f>& positions,
                                   float Vec3f::*coordinate) {
        const auto size = static_cast<std::int32_t>(4 * positions.size());
        append(out, size);
        for (const Vec3f& position : positions) {
            append(out, static_cast<float>(kAngstromPerNm * position.*coordinate));
        }
        append(out, size);
    }

    Box read_box(const InputFile& file, std::int64_t offset) const {
        std::array<std::byte, kCellSize> bytes{};
        file.read_exactly(offset + kMarkerSize, bytes);
        const auto number = [&](std::size_t i) {
            return load<double>(bytes.data() + 8 * i, head_->big_endian);
        };
        UnitCell cell;
        cell.lengths_nm = {number(0) / kAngstromPerNm, number(2) / kAngstromPerNm,
                           number(5) / kAngstromPerNm};
        cell.cosines = {number(4), number(3), number(1)};
        const bool cosines = std::ranges::all_of(cell.cosines, [](double c) { return std::abs(c) <= 1.0; });
        if (!cosines) std::ranges::transform(cell.cosines, cell.cosines.begin(), cosine_of_degrees);
        const std::optional<Box> box = box_of(cell);
        if (!box) fail_corrupt(file, offset, "there is no such unit cell");
        return *box;
    }

    /// The first `n` atoms that the frame holds.
    void read_positions(const InputFile& file, std::int64_t frame_offset, bool first_frame, std::int64_t n,
                        std::vector<Vec3f>& out) {
        out.resize(static_cast<std::size_t>(n));
        buffer_.resize(static_cast<std::size_t>(n));
        std::int64_t offset = frame_offset + head_->cell_record_size() + kMarkerSize;
        for (float Vec3f::*coordinate : {&Vec3f::x, &Vec3f::y, &Vec3f::z}) {
            file.read_exactly(offset, std::as_writable_bytes(std::span(buffer_)));
            if (head_->big_endian) swap_floats(buffer_);
            for (std::size_t i = 0; i < out.size(); ++i) {
                out[i].*coordinate = static_cast<float>(buffer_[i] / kAngstromPerNm);
            }
            offset += head_->coordinate_record_size(first_frame);
        }
    }

    /// Which atoms are free, and where the others stay.
    void remember_first_frame(const InputFile& file) {
        if (!first_positions_.empty()) return;
        std::vector<std::int32_t> free_atoms(static_cast<std::size_t>(head_->atoms_in(false)));
        const std::span bytes = std::as_writable_bytes(std::span(free_atoms));
        file.read_exactly(head_->free_atoms_offset, bytes);
        std::int32_t previous = -1;
        for (std::int32_t& atom : free_atoms) {
            atom = load<std::int32_t>(reinterpret_cast<const std::byte*>(&atom), head_->big_endian);
            if (atom < 1 || atom > head_->n_atoms || atom - 1 <= previous) {
                fail_corrupt(file, head_->free_atoms_offset,
                             "atom {} makes no sense in the list of free atoms", atom);
            }
            previous = --atom;
        }
        free_atoms_ = std::move(free_atoms);
        read_positions(file, head_->first_frame_offset, true, head_->n_atoms, first_positions_);
    }

    // Reading.
    std::optional<Head> head_;
    std::vector<std::int32_t> free_atoms_;  ///< from 0
    std::vector<Vec3f> first_positions_;
    std::vector<Vec3f> free_positions_;
    std::vector<float> buffer_;
    // Writing.
    std::int64_t n_written_ = 0;
    bool periodic_ = false;
    double first_time_ps_ = 0.0;
    Schedule schedule_;
};

}  // namespace

Format dcd_format() {
    Format format;
    format.name = "DCD";
    format.extensions = {".dcd"};
    format.description = "CHARMM, NAMD and X-PLOR trajectory: positions, at equal intervals of time";
    format.reads_frames = true;
    format.writes_frames = true;
    format.plain_frames = false;
    format.make_codec = [] { return std::make_unique<DcdCodec>(); };
    return format;
}

}  // namespace coromd::trajectory
