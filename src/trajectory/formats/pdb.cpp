// SPDX-License-Identifier: LGPL-3.0-or-later
//
// PDB, the Protein Data Bank's text format for structures; several models are a trajectory.
//
//     TITLE     water t=   1.50000 step= 750      time and step, as GROMACS writes them (REMARK, too)
//     CRYST1    the box, of this model, or at the top of the file of all that have none of their own
//     MODEL        1
//     ATOM ...  one per atom, in fixed columns
//     ENDMDL
//
// A model is there when its ENDMDL is. Without MODEL records the file is one frame, up to END or the end
// of the file; what follows an END is a frame of its own when there is another END.
//
// Of the alternate locations of an atom the first counts, and where a residue has alternate names, its
// first name. Serial numbers are not read: above 99999 every program has its own way to write them.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <string_view>

#include "coromd/core/letters.hpp"
#include "formats/builtin.hpp"
#include "formats/corrupt.hpp"
#include "formats/unit_cell.hpp"
#include "line_reader.hpp"
#include "text_fields.hpp"

namespace coromd::trajectory {

namespace {

using Line = LineReader::Line;

constexpr double kNmPerAngstrom = 1.0 / kAngstromPerNm;
constexpr float kPrecision = 1e4F;  ///< three decimals in Angstrom
constexpr double kMaxFloat = std::numeric_limits<float>::max();

/// The columns `first` to `last`, counted from 1 as in the description of the format; shorter where the
/// line is.
std::string_view columns(std::string_view line, std::size_t first, std::size_t last) {
    return line.size() < first ? std::string_view() : line.substr(first - 1, last - first + 1);
}

enum class Record { atom, cryst1, title, model, endmdl, end, other };

Record record_of(std::string_view line) {
    const std::string_view name = trimmed(columns(line, 1, 6));
    if (name == "ATOM" || name == "HETATM") return Record::atom;
    if (name == "CRYST1") return Record::cryst1;
    if (name == "TITLE" || name == "REMARK") return Record::title;
    if (name == "MODEL") return Record::model;
    if (name == "ENDMDL") return Record::endmdl;
    if (name == "END") return Record::end;
    return Record::other;
}

double parse_number(const InputFile& file, const Line& line, std::size_t first, std::size_t last) {
    const std::optional<double> number = parse<double>(columns(line.text, first, last));
    if (!number || !(std::abs(*number) <= kMaxFloat)) {
        fail_corrupt(file, line.offset, "a number is expected in columns {} to {} of '{}'", first, last,
                     line.text);
    }
    return *number;
}

Vec3f parse_position(const InputFile& file, const Line& line) {
    const auto nm = [&](std::size_t first) {
        return static_cast<float>(parse_number(file, line, first, first + 7) * kNmPerAngstrom);
    };
    return {nm(31), nm(39), nm(47)};
}

Box parse_cryst1(const InputFile& file, const Line& line) {
    UnitCell cell;
    cell.lengths_nm = {parse_number(file, line, 7, 15) * kNmPerAngstrom,
                       parse_number(file, line, 16, 24) * kNmPerAngstrom,
                       parse_number(file, line, 25, 33) * kNmPerAngstrom};
    // The unit cube, or nothing, stands where a structure is in no crystal.
    const auto [a, b, c] = cell.lengths_nm;
    if (a == b && b == c && (a == 0.0 || a == kNmPerAngstrom)) return {};

    const auto cosine = [&](std::size_t first) {
        return cosine_of_degrees(parse_number(file, line, first, first + 6));
    };
    cell.cosines = {cosine(34), cosine(41), cosine(48)};
    const std::optional<Box> box = box_of(cell);
    if (!box || !(a > 0.0 && b > 0.0 && c > 0.0)) {
        fail_corrupt(file, line.offset, "there is no box with the lengths and angles of '{}'", line.text);
    }
    return *box;
}

/// Tells which atoms are alternate locations of one that came before.
class AlternateLocations {
public:
    bool repeats(std::string_view line) {
        const std::string_view residue = columns(line, 22, 27);
        if (residue != residue_) {
            residue_ = residue;
            resname_ = columns(line, 18, 21);
            names_.clear();
        }
        if (columns(line, 17, 17) == " ") return false;
        return columns(line, 18, 21) != resname_ || !names_.emplace(columns(line, 13, 16)).second;
    }

private:
    std::string residue_;  ///< chain, number and insertion code
    std::string resname_;
    std::set<std::string> names_;  ///< of its atoms that have alternate locations
};

/// The lines of one frame: what precedes its atoms is kept, its atoms are handed out.
class FrameLines {
public:
    FrameLines(const InputFile& file, std::int64_t offset) : file_(file), lines_(file, offset) {
        first_of_file_ = offset == 0;
    }

    /// Empty behind the last one, and where the file ends.
    std::optional<Line> next_atom() {
        while (std::optional<Line> line = lines_.next()) {
            const Record record = record_of(line->text);
            if (!line->terminated) {
                // END may be the beginning of the ENDMDL that a model needs.
                whole_ = n_atoms_ > 0 && (record == Record::endmdl || (record == Record::end && !in_model_));
                return std::nullopt;
            }
            if (record == Record::atom) {
                if (line->text.size() < kShortestAtom) {
                    fail_corrupt(file_, line->offset, "'{}' ends before the coordinates do", line->text);
                }
                if (alternate_locations_.repeats(line->text)) continue;
                ++n_atoms_;
                return line;
            }
            take(record, *line);
            if (whole_) return std::nullopt;
        }
        whole_ = first_of_file_ && !in_model_ && n_atoms_ > 0;
        return std::nullopt;
    }

    /// Once next_atom() was empty: is the frame there as a whole?
    bool whole() const noexcept { return whole_; }
    std::int64_t n_atoms() const noexcept { return n_atoms_; }
    std::optional<double> time_ps() const noexcept { return time_ps_; }
    std::int64_t step() const noexcept { return step_; }
    /// Empty where the frame does not say; a box of zeros where it says that it has none.
    const std::optional<Box>& box() const noexcept { return box_; }

    /// Behind the frame and the lines after it that can begin no other. To be called once, at the end.
    std::int64_t end_offset() {
        std::int64_t end = lines_.offset();
        while (const std::optional<Line> line = lines_.next()) {
            const Record record = record_of(line->text);
            if (record != Record::end && !(record == Record::other && line->terminated)) break;
            end = lines_.offset();
        }
        return end;
    }

private:
    static constexpr std::size_t kShortestAtom = 54;

    void take(Record record, const Line& line) {
        switch (record) {
            case Record::cryst1:
                if (n_atoms_ == 0) box_ = parse_cryst1(file_, line);
                break;
            case Record::title:
                if (n_atoms_ > 0) break;
                if (const auto time_ps = time_in_title(line.text)) time_ps_ = time_ps;
                step_ = step_in_title(line.text).value_or(step_);
                break;
            case Record::model:
                if (in_model_ || n_atoms_ > 0) {
                    fail_corrupt(file_, line.offset, "MODEL comes before the frame before it has ended");
                }
                in_model_ = true;
                break;
            case Record::end:
                if (in_model_) fail_corrupt(file_, line.offset, "END comes before the ENDMDL of a model");
                whole_ = n_atoms_ > 0;
                break;
            case Record::endmdl:
                if (in_model_ && n_atoms_ == 0) fail_corrupt(file_, line.offset, "a model has no atoms");
                whole_ = n_atoms_ > 0;
                break;
            case Record::atom:
            case Record::other:
                break;
        }
    }

    const InputFile& file_;
    LineReader lines_;
    bool first_of_file_ = false;
    AlternateLocations alternate_locations_;
    std::int64_t n_atoms_ = 0;
    bool in_model_ = false;
    bool whole_ = false;
    std::optional<double> time_ps_;
    std::int64_t step_ = 0;
    std::optional<Box> box_;
};

class PdbCodec final : public FrameCodec {
public:
    std::optional<FrameHeader> locate(const InputFile& file, std::int64_t offset) override {
        FrameLines lines(file, offset);
        while (lines.next_atom()) {
        }
        if (!lines.whole()) return std::nullopt;
        return FrameHeader{.offset = offset,
                           .size = lines.end_offset() - offset,
                           .n_atoms = lines.n_atoms(),
                           .step = lines.step(),
                           .time_ps = lines.time_ps().value_or(std::numeric_limits<double>::quiet_NaN())};
    }

    void decode(const InputFile& file, const FrameHeader& header, const FrameNeeds& needs,
                Frame& frame) override {
        frame.step = header.step;
        frame.time_ps = header.time_ps;
        frame.positions.clear();
        frame.velocities.clear();
        frame.forces.clear();
        frame.precision = kPrecision;
        FrameLines lines(file, header.offset);
        for (std::int64_t i = 0; i < header.n_atoms; ++i) {
            const std::optional<Line> line = lines.next_atom();
            if (!line) fail_corrupt(file, header.offset, "the frame has changed since it was found");
            // The box precedes the atoms, so that one atom is read even if none is needed.
            if (i >= needs.atoms) break;
            frame.positions.push_back(parse_position(file, *line));
        }
        frame.box = lines.box() ? *lines.box() : box_at_top(file);
    }

    void encode(const Frame& frame, const Topology* topology, std::vector<std::byte>& out) override {
        if (!topology) fail(ErrorKind::usage, "PDB stores the names of the atoms: a topology is needed");
        const auto n_atoms = frame.positions.size();
        if (n_atoms != topology->atoms().size() || n_atoms == 0) {
            fail(ErrorKind::usage, "the frame has {} positions, the topology {} atoms", n_atoms,
                 topology->size());
        }
        append_text(out, "TITLE     Written by coromd");
        if (!std::isnan(frame.time_ps)) append_text(out, fmt::format(" t= {:9.5f}", frame.time_ps));
        append_text(out, fmt::format(" step= {}\n", frame.step));
        // A frame without a box must not take over that of the first one, which is at the top of the file.
        if (frame.box.periodic() || box_written_) append_cryst1(out, frame.box);
        append_text(out, fmt::format("MODEL {:8}\n", n_models_written_ + 1));
        for (std::size_t i = 0; i < n_atoms; ++i) {
            append_atom(out, i, topology->atoms()[i], frame.positions[i]);
        }
        append_text(out, "ENDMDL\n");
        ++n_models_written_;
        box_written_ = box_written_ || frame.box.periodic();
    }

private:
    const Box& box_at_top(const InputFile& file) {
        if (!box_at_top_) {
            FrameLines lines(file, 0);
            lines.next_atom();
            box_at_top_ = lines.box().value_or(Box{});
        }
        return *box_at_top_;
    }

    static void append_cryst1(std::vector<std::byte>& out, const Box& box) {
        append_text(out, "CRYST1");
        if (!box.periodic()) {
            append_text(out, "    1.000    1.000    1.000  90.00  90.00  90.00 P 1           1\n");
            return;
        }
        const UnitCell cell = unit_cell_of(box);
        if (std::ranges::find(cell.lengths_nm, 0.0) != cell.lengths_nm.end()) {
            fail(ErrorKind::usage, "PDB holds no box that is periodic in some directions only");
        }
        for (const double length : cell.lengths_nm) {
            append_number(out, length * kAngstromPerNm, 9, 3, "PDB");
        }
        for (const double cosine : cell.cosines) {
            append_number(out, degrees_of_cosine(cosine), 7, 2, "PDB");
        }
        append_text(out, " P 1           1\n");
    }

    static void append_atom(std::vector<std::byte>& out, std::size_t index, const Atom& atom,
                            const Vec3f& position) {
        // The symbol of the element ends in column 14, unless the name needs all four columns.
        const bool wide = atom.name.size() >= 4 ||
                          (atom.element.size() == 2 && same_letters(atom.name.substr(0, 2), atom.element));
        // A residue's name is right-aligned in three columns, or has the one behind them as well.
        const std::string resname =
            atom.resname.size() >= 4 ? atom.resname : fmt::format("{:>3} ", atom.resname);
        const bool chain = atom.segid.size() == 1;
        const std::int32_t resid = atom.resid < 0 ? atom.resid % 1000 : atom.resid % 10000;
        append_text(
            out, fmt::format("ATOM  {:5} {:<4.4} {:.4}{}{:4}    ", (index + 1) % 100000,
                             wide ? atom.name : " " + atom.name, resname, chain ? atom.segid : " ", resid));
        for (const float value : {position.x, position.y, position.z}) {
            append_number(out, value / kNmPerAngstrom, 8, 3, "PDB");
        }
        append_text(out,
                    fmt::format("  1.00  0.00      {:4.4}{:>2.2}\n", chain ? "" : atom.segid, atom.element));
    }

    std::optional<Box> box_at_top_;  ///< read when first needed
    std::int64_t n_models_written_ = 0;
    bool box_written_ = false;
};

Atom parse_atom(const InputFile& file, const Line& line) {
    const std::optional<std::int32_t> resid = parse<std::int32_t>(columns(line.text, 23, 26));
    if (!resid) {
        fail_corrupt(file, line.offset, "the number of a residue is expected in columns 23 to 26 of '{}'",
                     line.text);
    }
    Atom atom;
    atom.resid = *resid;
    atom.name = trimmed(columns(line.text, 13, 16));
    atom.resname = trimmed(columns(line.text, 18, 21));
    atom.segid = trimmed(columns(line.text, 73, 76));
    if (atom.segid.empty()) atom.segid = trimmed(columns(line.text, 22, 22));
    // Files from before 1996 number their lines here.
    const std::string_view element = trimmed(columns(line.text, 77, 78));
    const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    if (std::ranges::all_of(element, is_letter)) atom.element = element;
    return atom;
}

Topology read_pdb_topology(const std::filesystem::path& path) {
    const InputFile file(path);
    FrameLines lines(file, 0);
    std::vector<Atom> atoms;
    while (const std::optional<Line> line = lines.next_atom()) atoms.push_back(parse_atom(file, *line));
    if (!lines.whole()) {
        fail_corrupt(file, file.size(), "the file ends before its first model does, or within a line");
    }
    return Topology(std::move(atoms));
}

}  // namespace

Format pdb_format() {
    Format format;
    format.name = "PDB";
    format.extensions = {".pdb", ".ent"};
    format.description =
        "Protein Data Bank structure as text: names, positions; several models are a trajectory";
    format.reads_frames = true;
    format.writes_frames = true;
    format.needs_topology = true;
    format.plain_frames = false;
    format.make_codec = [] { return std::make_unique<PdbCodec>(); };
    format.read_topology = read_pdb_topology;
    return format;
}

}  // namespace coromd::trajectory
