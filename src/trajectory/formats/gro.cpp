// SPDX-License-Identifier: LGPL-3.0-or-later
//
// GRO, the text format of GROMACS for structures; several one after the other are a trajectory.
//
//     title, perhaps with "t= 1.5 step= 750"
//     number of atoms
//     per atom, in fixed columns: residue number (5), residue name (5), atom name (5), atom
//         number (5), position (3 * width), perhaps velocity (3 * width)
//     box: three numbers, or nine: ax by cz ay az bx bz cx cy
//
// The width of a position is the distance between two decimal points of the first atom: it has
// width - 5 decimals, and a velocity one more. Numbers of residues and atoms are modulo 100000.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "formats/builtin.hpp"
#include "formats/corrupt.hpp"
#include "line_reader.hpp"
#include "text_fields.hpp"

namespace coromd::trajectory {

namespace {

using Line = LineReader::Line;

constexpr std::size_t kNameColumn = 5;    ///< width of each of the first four columns
constexpr std::size_t kFirstNumber = 20;  ///< column of the first coordinate
constexpr int kMinDecimals = 1;
constexpr int kMaxDecimals = 15;
constexpr int kDefaultDecimals = 3;

/// A last line without a newline may be cut off: then its numbers differ in their decimals.
bool looks_complete(std::string_view box_line) {
    const std::vector<std::string_view> words = words_of(box_line);
    const auto decimals = [](std::string_view word) {
        return word.size() - std::min(word.find('.'), word.size());
    };
    return (words.size() == 3 || words.size() == 9) && std::ranges::all_of(words, [&](std::string_view word) {
               return decimals(word) == decimals(words[0]);
           });
}

Box parse_box(const InputFile& file, const Line& line) {
    const std::vector<std::string_view> words = words_of(line.text);
    if (words.size() != 3 && words.size() != 9) {
        fail_corrupt(file, line.offset, "a box of 3 or 9 numbers is expected, not '{}'", line.text);
    }
    std::array<float, 9> v{};
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::optional<float> number = parse<float>(words[i]);
        if (!number) fail_corrupt(file, line.offset, "'{}' in the box is not a number", words[i]);
        v[i] = *number;
    }
    return {{v[0], v[3], v[4]}, {v[5], v[1], v[6]}, {v[7], v[8], v[2]}};
}

/// Where the numbers of an atom are.
struct Columns {
    std::size_t width = 0;

    int decimals() const { return static_cast<int>(width) - 5; }
    bool has_velocities(std::string_view line) const {
        return line.size() > kFirstNumber + 3 * width &&
               !trimmed(line.substr(kFirstNumber + 3 * width)).empty();
    }
};

Columns columns_of(const InputFile& file, const Line& first_atom) {
    const std::size_t one = first_atom.text.find('.', std::min(kFirstNumber, first_atom.text.size()));
    const std::size_t two = one == std::string_view::npos ? one : first_atom.text.find('.', one + 1);
    if (two == std::string_view::npos || two - one < 5 + kMinDecimals || two - one > 5 + kMaxDecimals) {
        fail_corrupt(file, first_atom.offset, "three coordinates are expected from column {} on in '{}'",
                     kFirstNumber + 1, first_atom.text);
    }
    return {two - one};
}

Vec3f parse_vector(const InputFile& file, const Line& line, std::size_t column, std::size_t width) {
    std::array<float, 3> v{};
    for (std::size_t d = 0; d < 3; ++d) {
        const std::size_t start = column + d * width;
        const std::optional<float> number =
            start < line.text.size() ? parse<float>(line.text.substr(start, width)) : std::nullopt;
        if (!number || !std::isfinite(*number)) {
            fail_corrupt(file, line.offset, "a number is expected in columns {} to {} of '{}'", start + 1,
                         start + width, line.text);
        }
        v[d] = *number;
    }
    return {v[0], v[1], v[2]};
}

/// Title and number of atoms; empty where they are not there yet.
struct Head {
    std::optional<double> time_ps;
    std::int64_t step = 0;
    std::int64_t n_atoms = 0;
};

std::optional<Head> read_head(const InputFile& file, LineReader& lines) {
    const std::optional<Line> title = lines.next();
    if (!title || !title->terminated) return std::nullopt;
    Head head;
    head.time_ps = time_in_title(title->text);
    head.step = step_in_title(title->text).value_or(0);

    const std::optional<Line> count = lines.next();
    if (!count || !count->terminated) return std::nullopt;
    const std::optional<std::int64_t> n_atoms = parse<std::int64_t>(count->text);
    if (!n_atoms || *n_atoms < 1 || *n_atoms > std::numeric_limits<std::int32_t>::max()) {
        fail_corrupt(file, count->offset, "the number of atoms is expected, not '{}'", count->text);
    }
    head.n_atoms = *n_atoms;
    return head;
}

/// The line end that the frame before lacked, at the end of the file as it was then.
std::int64_t skip_missing_newline(const InputFile& file, std::int64_t offset) {
    std::array<std::byte, 2> bytes{};
    if (offset == 0 || file.read_some(offset - 1, bytes) < 2) return offset;
    return bytes[0] != std::byte{'\n'} && bytes[1] == std::byte{'\n'} ? offset + 1 : offset;
}

class GroCodec final : public FrameCodec {
public:
    std::optional<FrameHeader> locate(const InputFile& file, std::int64_t offset) override {
        LineReader lines(file, skip_missing_newline(file, offset));
        const std::optional<Head> head = read_head(file, lines);
        if (!head) return std::nullopt;
        for (std::int64_t i = 0; i < head->n_atoms; ++i) {
            const std::optional<Line> line = lines.next();
            if (!line || !line->terminated) return std::nullopt;
        }
        const std::optional<Line> box = lines.next();
        if (!box || (!box->terminated && !looks_complete(box->text))) return std::nullopt;
        return FrameHeader{.offset = offset,
                           .size = lines.offset() - offset,
                           .n_atoms = head->n_atoms,
                           .step = head->step,
                           .time_ps = head->time_ps.value_or(std::numeric_limits<double>::quiet_NaN())};
    }

    void decode(const InputFile& file, const FrameHeader& header, const FrameNeeds& needs,
                Frame& frame) override {
        LineReader lines(file, skip_missing_newline(file, header.offset));
        const std::optional<Head> head = read_head(file, lines);
        if (!head || head->n_atoms != header.n_atoms) {
            fail_corrupt(file, header.offset, "the frame has changed since it was found");
        }
        frame.step = header.step;
        frame.time_ps = header.time_ps;
        frame.positions.clear();
        frame.velocities.clear();
        frame.forces.clear();
        Columns columns;
        bool velocities = false;
        for (std::int64_t i = 0; i < head->n_atoms; ++i) {
            const Line line = expect_line(file, lines);
            if (i == 0) {
                columns = columns_of(file, line);
                velocities = needs.velocities && columns.has_velocities(line.text);
            }
            if (i >= needs.atoms) continue;
            frame.positions.push_back(parse_vector(file, line, kFirstNumber, columns.width));
            if (velocities) {
                frame.velocities.push_back(
                    parse_vector(file, line, kFirstNumber + 3 * columns.width, columns.width));
            }
        }
        frame.precision = static_cast<float>(std::pow(10.0, columns.decimals()));
        frame.box = parse_box(file, expect_line(file, lines));
    }

    void encode(const Frame& frame, const Topology* topology, std::vector<std::byte>& out) override {
        if (!topology) fail(ErrorKind::usage, "GRO stores the names of the atoms: a topology is needed");
        const auto n_atoms = frame.positions.size();
        if (n_atoms != topology->atoms().size() || n_atoms == 0) {
            fail(ErrorKind::usage, "the frame has {} positions, the topology {} atoms", n_atoms,
                 topology->size());
        }
        if (frame.has_velocities() && frame.velocities.size() != n_atoms) {
            fail(ErrorKind::usage, "the frame has {} positions and {} velocities", n_atoms,
                 frame.velocities.size());
        }
        int decimals = kDefaultDecimals;
        if (frame.precision > 0.0F) {
            decimals = std::clamp(static_cast<int>(std::ceil(std::log10(frame.precision) - 1e-3)),
                                  kDefaultDecimals, kMaxDecimals - 1);
        }
        const int width = decimals + 5;
        append_text(out, "Written by coromd");
        if (!std::isnan(frame.time_ps)) append_text(out, fmt::format(" t= {:9.5f}", frame.time_ps));
        append_text(out, fmt::format(" step= {}\n{:5}\n", frame.step, n_atoms));
        for (std::size_t i = 0; i < n_atoms; ++i) {
            const Atom& atom = topology->atoms()[i];
            append_text(out, fmt::format("{:5}{:<5.5}{:>5.5}{:5}", atom.resid % 100000, atom.resname,
                                         atom.name, (i + 1) % 100000));
            append_vector(out, frame.positions[i], width, decimals);
            if (frame.has_velocities()) append_vector(out, frame.velocities[i], width, decimals + 1);
            append_text(out, "\n");
        }
        append_box(out, frame.box, std::max(decimals, 5));
    }

private:
    static Line expect_line(const InputFile& file, LineReader& lines) {
        const std::optional<Line> line = lines.next();
        if (!line) fail_corrupt(file, lines.offset(), "the file ends within a frame");
        return *line;
    }

    static void append_vector(std::vector<std::byte>& out, const Vec3f& vector, int width, int decimals) {
        for (const float value : {vector.x, vector.y, vector.z})
            append_number(out, value, width, decimals, "GRO");
    }

    static void append_box(std::vector<std::byte>& out, const Box& box, int decimals) {
        const auto& [a, b, c] = box;
        append_vector(out, {a.x, b.y, c.z}, decimals + 5, decimals);
        if (a.y != 0 || a.z != 0 || b.x != 0 || b.z != 0 || c.x != 0 || c.y != 0) {
            append_vector(out, {a.y, a.z, b.x}, decimals + 5, decimals);
            append_vector(out, {b.z, c.x, c.y}, decimals + 5, decimals);
        }
        append_text(out, "\n");
    }
};

Topology read_gro_topology(const std::filesystem::path& path) {
    const InputFile file(path);
    LineReader lines(file, 0);
    const std::optional<Head> head = read_head(file, lines);
    if (!head) fail_corrupt(file, file.size(), "the file ends before the first atom");
    std::vector<Atom> atoms;
    for (std::int64_t i = 0; i < head->n_atoms; ++i) {
        const std::optional<Line> line = lines.next();
        if (!line) fail_corrupt(file, file.size(), "the file ends at atom {} of {}", i + 1, head->n_atoms);
        if (line->text.size() < kFirstNumber) fail_corrupt(file, line->offset, "'{}' is no atom", line->text);
        Atom atom;
        const std::optional<std::int32_t> resid = parse<std::int32_t>(line->text.substr(0, kNameColumn));
        if (!resid) {
            fail_corrupt(file, line->offset, "the number of a residue is expected in columns 1 to 5 of '{}'",
                         line->text);
        }
        atom.resid = *resid;
        atom.resname = trimmed(line->text.substr(kNameColumn, kNameColumn));
        atom.name = trimmed(line->text.substr(2 * kNameColumn, kNameColumn));
        atoms.push_back(std::move(atom));
    }
    return Topology(std::move(atoms));
}

}  // namespace

Format gro_format() {
    Format format;
    format.name = "GRO";
    format.extensions = {".gro"};
    format.description = "GROMACS structure as text: names, positions, velocities; several are a trajectory";
    format.reads_frames = true;
    format.writes_frames = true;
    format.stores_velocities = true;
    format.needs_topology = true;
    format.make_codec = [] { return std::make_unique<GroCodec>(); };
    format.read_topology = read_gro_topology;
    return format;
}

}  // namespace coromd::trajectory
