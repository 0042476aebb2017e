// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What every format promises of a file that is cut off, damaged or made to do harm: an error that names the
// byte, or whole frames and nothing else. The fuzzers of tests/fuzz look for what is not in these tables.
#include <cstring>
#include <functional>
#include <limits>
#include <ostream>

#include "big_endian.hpp"
#include "unit/trajectory/made_tpr.hpp"
#include "unit/trajectory/testing.hpp"

namespace coromd::trajectory {
namespace {

constexpr std::size_t kAtoms = 12;
constexpr std::int64_t kFrames = 3;
constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();

std::string good_file(const std::string& extension, std::size_t n_atoms = kAtoms) {
    const TemporaryFolder folder;
    write_trajectory(folder / ("a" + extension), kFrames, 0, 10, n_atoms);
    return read_bytes(folder / ("a" + extension));
}

/// To a new file: some file systems write the old one out before they truncate it.
void write_anew(const std::filesystem::path& path, std::string_view bytes) {
    std::filesystem::remove(path);
    write_bytes(path, bytes);
}

class Corrupt : public testing::Test {
protected:
    FrameIndex index_of(const std::string& extension, const std::string& bytes) {
        write_anew(folder_ / ("a" + extension), bytes);
        return FrameIndex(folder_ / ("a" + extension));
    }

    TemporaryFolder folder_;
};

class EveryFormat : public Corrupt, public testing::WithParamInterface<std::string> {
protected:
    FrameIndex index_of(const std::string& bytes) { return Corrupt::index_of(GetParam(), bytes); }
};

std::vector<std::string> extensions_with_frames() {
    std::vector<std::string> extensions;
    for (const Format& format : builtin_formats().entries()) {
        if (format.writes_frames) extensions.push_back(format.extensions.front());
    }
    return extensions;
}

INSTANTIATE_TEST_SUITE_P(Formats, EveryFormat, testing::ValuesIn(extensions_with_frames()),
                         [](const auto& info) { return info.param.substr(1); });

TEST_P(EveryFormat, NothingHasNoFrames) {
    FrameIndex index = index_of("");
    EXPECT_EQ(index.refresh(), 0);
    EXPECT_EQ(index.n_atoms(), 0);
    EXPECT_EQ(index.trailing_bytes(), 0);
}

TEST_P(EveryFormat, CutOffAnywhereItHasWholeFramesOnly) {
    const std::string good = good_file(GetParam());
    FrameIndex whole = index_of(good);
    ASSERT_EQ(whole.refresh(), kFrames);
    std::vector<Frame> frames(kFrames);
    FrameReader whole_reader(whole.path());
    for (std::size_t i = 0; i < frames.size(); ++i) {
        whole_reader.read(whole.at(static_cast<std::int64_t>(i)), frames[i]);
    }
    const std::filesystem::path path = folder_ / ("growing" + GetParam());
    write_anew(path, "");
    FrameIndex growing(path);
    for (std::size_t n = 0; n <= good.size(); ++n) {
        write_anew(path, good.substr(0, n));
        FrameIndex cut(path);
        cut.refresh();
        growing.refresh();
        ASSERT_EQ(growing.size(), cut.size()) << n;
        // The newline behind a frame of text may be missing.
        std::int64_t least = 0;
        std::int64_t most = 0;
        for (const FrameHeader& header : whole.frames()) {
            least += header.offset + header.size <= static_cast<std::int64_t>(n) ? 1 : 0;
            most += header.offset + header.size <= static_cast<std::int64_t>(n) + 1 ? 1 : 0;
        }
        ASSERT_GE(cut.size(), least) << n;
        ASSERT_LE(cut.size(), most) << n;
        FrameReader reader(path);
        Frame frame;
        for (std::int64_t i = 0; i < cut.size(); ++i) {
            reader.read(cut.at(i), frame);
            ASSERT_EQ(frame.positions, frames[static_cast<std::size_t>(i)].positions) << n;
            ASSERT_EQ(frame.box, frames[static_cast<std::size_t>(i)].box) << n;
        }
    }
}

/// Bytes flipped, and words overwritten by the numbers that hurt, everywhere in turn.
TEST_P(EveryFormat, ChangedAnywhereItIsAnErrorOrFrames) {
    const std::string good = good_file(GetParam());
    const auto look_at = [&](const std::string& bytes) {
        FrameIndex index = index_of(bytes);
        try {
            index.refresh();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
        }
        FrameReader reader(index.path());
        Frame frame;
        for (const FrameHeader& header : index.frames()) {
            EXPECT_LE(header.n_atoms, std::ssize(bytes));
            try {
                reader.read(header, frame);
                // TRR and AMBER NetCDF may have velocities only.
                if (!frame.positions.empty()) {
                    EXPECT_EQ(std::ssize(frame.positions), header.n_atoms);
                }
            } catch (const Error& error) {
                EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
            }
        }
    };
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ (at % 2 == 0 ? 0x80 : 0xff));
        look_at(bad);
    }
    for (std::size_t at = 0; at + 4 <= good.size(); at += 4) {
        for (const std::uint32_t value : {0U, 0x7fffffffU, 0xffffffffU, 0x10000000U}) {
            std::string bad = good;
            std::memcpy(&bad[at], &value, sizeof value);
            look_at(bad);
            const std::uint32_t swapped = swap_bytes(value);
            std::memcpy(&bad[at], &swapped, sizeof swapped);
            look_at(bad);
        }
    }
}

// Damage of one kind, in every format that can have it.

using Damage = std::function<void(std::string& good)>;

Damage numbers(std::initializer_list<std::size_t> offsets, std::int32_t value, bool big_endian = true) {
    return [offsets = std::vector<std::size_t>(offsets), value, big_endian](std::string& bytes) {
        auto bits = std::bit_cast<std::uint32_t>(value);
        if (big_endian) bits = swap_bytes(bits);
        for (const std::size_t offset : offsets) std::memcpy(&bytes.at(offset), &bits, sizeof bits);
    };
}

Damage text(const std::string& old, const std::string& replacement) {
    return [=](std::string& bytes) { bytes.replace(bytes.find(old), old.size(), replacement); };
}

/// The length of the dimension "atom".
Damage netcdf_atoms(std::int32_t n) {
    return [n](std::string& bytes) { numbers({bytes.find("atom") + 4}, n)(bytes); };
}

/// A NaN as a double in the last frame, `behind` a byte of its first.
Damage nan_double(std::size_t from_end, bool big_endian) {
    return [=](std::string& bytes) {
        numbers({bytes.size() - from_end + (big_endian ? 0 : 4)}, 0x7ff80000, big_endian)(bytes);
    };
}

Damage then(const std::string& extension, std::size_t n_atoms) {
    return [=](std::string& bytes) { bytes += good_file(extension, n_atoms); };
}

struct Row {
    std::string extension;
    std::string what;
    Damage damage;
    std::int64_t n_frames;      ///< that the index has, before the error if there is one
    std::string error{};        ///< of the index; empty: none
    std::string frame_error{};  ///< of the last frame; empty: it can be read
};

void PrintTo(const Row& row, std::ostream* out) {
    *out << row.extension << ", " << row.what;
}

// In the files of three frames of 12 atoms: DCD has the atoms at byte 188, records of 4 + 48 + 4 bytes in
// a frame of 56 + 3 * 56; a frame of AMBER NetCDF has step, time, six doubles of the cell, two blocks.
constexpr std::size_t kDcdAtoms = 188;
constexpr std::size_t kDcdFrame = 56 + 3 * 56;
constexpr std::size_t kNetcdfFrame = 8 + 4 + 48 + 2 * 144;

const std::vector<Row> kRows{
    // An absurd number of atoms.
    {".xtc", "atoms", numbers({4, 52}, kMost), 0, "cannot be in"},
    {".xtc", "atoms of one field", numbers({4}, kMost), 0, "number of atoms is 2147483647 and then 12"},
    {".xtc", "negative atoms", numbers({4, 52}, -12), 0, "number of atoms is -12"},
    {".trr", "atoms", numbers({64}, kMost), 0, "the sizes do not fit 2147483647 atoms"},
    {".trr", "negative atoms", numbers({64}, -12), 0, "number of atoms is -12"},
    {".gro", "atoms that have yet to come", text("\n   12\n", "\n2147483647\n"), 0},
    {".gro", "atoms", text("\n   12\n", "\n2147483648\n"), 0, "number of atoms is expected"},
    {".gro", "negative atoms", text("\n   12\n", "\n  -12\n"), 0, "number of atoms is expected"},
    {".dcd", "atoms", numbers({kDcdAtoms}, kMost, false), 0, "number of atoms is 2147483647"},
    {".dcd", "negative atoms", numbers({kDcdAtoms}, -12, false), 0, "number of atoms is -12"},
    {".dcd", "more atoms than in the frames", numbers({kDcdAtoms}, 13, false), 0,
     "should take 52 bytes, not 48"},
    {".nc", "atoms that have yet to come", netcdf_atoms(kMost), 0},
    {".nc", "negative atoms", netcdf_atoms(-12), 0, "length of a dimension is -12"},
    // Sizes whose products overflow 32 bits.
    {".xtc", "bits", numbers({88}, kMost), 0, "12 atoms cannot be in 2147483647 bytes"},
    {".xtc", "negative bits", numbers({88}, -8), 0, "12 atoms cannot be in -8 bytes"},
    {".trr", "sizes", numbers({32, 52, 56}, kMost), 0, "the sizes do not fit"},
    {".trr", "atoms of 12 bytes, modulo 2^32", numbers({64}, 0x15555556), 0, "the sizes do not fit"},
    {".gro", "a number of 20 digits", text("\n   12\n", "\n99999999999999999999\n"), 0, "is expected"},
    {".dcd", "atoms of 4 bytes, modulo 2^32", numbers({kDcdAtoms}, 0x4000000c, false), 0,
     "number of atoms is"},
    {".dcd", "a record", numbers({0}, kMost, false), 0, "should begin with"},
    {".dcd", "titles", numbers({92}, kMost, false), 0, "titles of 80 characters"},
    {".nc", "atoms of 12 bytes, modulo 2^32, that have yet to come", netcdf_atoms(0x15555556), 0},
    {".nc", "dimensions", numbers({12}, kMost), 0, "number of dimensions is 2147483647"},
    // A box that is none. XTC, TRR and GRO have vectors, which are handed on as they are.
    {".xtc", "box", numbers({16}, 0x7fc00000), kFrames},
    {".trr", "box", numbers({84}, 0x7fc00000), kFrames},
    {".gro", "box", text("   3.00000   3.00000   3.00000", "       nan   3.00000   3.00000"), kFrames},
    {".pdb", "box", text("CRYST1   30.000", "CRYST1      nan"), 0, "columns 7 to 15"},
    {".dcd", "box", nan_double(kDcdFrame - 4, false), kFrames, "", "no such unit cell"},
    {".nc", "box", nan_double(kNetcdfFrame - 12, true), kFrames, "", "no such unit cell"},
    // Not what the extension says.
    {".xtc", "magic", numbers({0}, 1994), 0, "should begin with 1995"},
    {".trr", "magic", numbers({0}, 1994), 0, "should begin with 'GMX_trn_file'"},
    {".gro", "no second line of a GRO", text("\n   12\n", "\nATOM\n"), 0, "number of atoms is expected"},
    {".pdb", "no records", [](std::string& bytes) { bytes.assign(1000, 'x'); }, 0},
    {".dcd", "magic", text("CORD", "CORE"), 0, "should begin with"},
    {".nc", "magic", text("CDF", "CDE"), 0, "should begin with 'CDF'"},
    // No atoms. Zeros in a header of XTC or TRR are what has not arrived yet.
    {".xtc", "no atoms", numbers({4, 52}, 0), 0},
    {".xtc", "no atoms in one field", numbers({4}, 0), 0, "number of atoms is 0 and then 12"},
    {".trr", "no atoms", numbers({64}, 0), 0},
    {".gro", "no atoms", text("\n   12\n", "\n    0\n"), 0, "number of atoms is expected"},
    {".pdb", "no atoms", [](std::string& bytes) { bytes = "MODEL        1\nENDMDL\n"; }, 0, "has no atoms"},
    {".dcd", "no atoms", numbers({kDcdAtoms}, 0, false), 0, "number of atoms is 0"},
    {".nc", "no atoms", netcdf_atoms(0), 0, "make no sense"},
    // Another number of atoms behind the first frames; DCD and AMBER NetCDF have one for all.
    {".xtc", "fewer atoms later", then(".xtc", 9), kFrames, "frame 3 has 9 atoms, the first has 12"},
    {".trr", "fewer atoms later", then(".trr", 9), kFrames, "frame 3 has 9 atoms, the first has 12"},
    {".gro", "fewer atoms later", then(".gro", 9), kFrames, "frame 3 has 9 atoms, the first has 12"},
    {".pdb", "more atoms later", then(".pdb", 15), kFrames, "frame 3 has 15 atoms, the first has 12"},
    {".dcd", "a file behind a file", then(".dcd", 9), kFrames, "should take 48 bytes, not 84"},
};

class Damaged : public Corrupt, public testing::WithParamInterface<Row> {};

INSTANTIATE_TEST_SUITE_P(Rows, Damaged, testing::ValuesIn(kRows), [](const auto& info) {
    std::string name = info.param.extension.substr(1) + "_" + info.param.what;
    for (char& c : name) {
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    }
    return name;
});

TEST_P(Damaged, HasWholeFramesOrAnErrorWithItsByte) {
    const Row& row = GetParam();
    std::string bytes = good_file(row.extension);
    row.damage(bytes);
    FrameIndex index = index_of(row.extension, bytes);
    const auto expect_error = [&](const std::string& expected, const auto& action) {
        if (expected.empty()) return action();
        const Error error = error_of(action);
        EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
        EXPECT_THAT(error.what(), testing::HasSubstr(expected));
        EXPECT_THAT(error.what(), testing::HasSubstr("at byte "));
    };
    expect_error(row.error, [&] { index.refresh(); });
    ASSERT_EQ(index.size(), row.n_frames);
    FrameReader reader(index.path());
    Frame frame;
    for (const FrameHeader& header : index.frames()) {
        const bool last = &header == &index.frames().back();
        expect_error(last ? row.frame_error : "", [&] {
            reader.read(header, frame);
            EXPECT_EQ(std::ssize(frame.positions), header.n_atoms);
        });
    }
}

// Structures that hold no frames.

class CorruptTpr : public Corrupt {
protected:
    Error error_with(const std::string& bytes) {
        write_anew(folder_ / "a.tpr", bytes);
        return error_of([&] { read_topology(folder_ / "a.tpr"); });
    }
};

TEST_F(CorruptTpr, CutOffAnywhereItIsAnError) {
    const std::string good = TprBuilder().build();
    for (std::size_t n = 0; n < good.size(); ++n) {
        ASSERT_EQ(error_with(good.substr(0, n)).kind(), ErrorKind::input) << n;
    }
}

TEST_F(CorruptTpr, ChangedAnywhereItIsAnErrorOrATopology) {
    const std::string good = TprBuilder().build();
    for (std::size_t at = 0; at + 4 <= good.size(); ++at) {
        for (const std::uint32_t value : {0U, 0x7fffffffU, 0xffffffffU, 0x10000000U}) {
            std::string bad = good;
            const std::uint32_t swapped = swap_bytes(value);
            std::memcpy(&bad[at], &swapped, sizeof swapped);
            write_anew(folder_ / "a.tpr", bad);
            try {
                EXPECT_EQ(read_topology(folder_ / "a.tpr").size(), 8);
            } catch (const Error& error) {
                EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
            }
        }
    }
}

TEST_F(CorruptTpr, NumbersOfAtomsAreChecked) {
    for (const std::int32_t n_atoms : {0, -8, kMost, 0x15555556}) {
        // What follows the head is that of 8 atoms.
        std::string bytes = TprBuilder().build();
        const std::size_t at = bytes.find("release") + 8;
        numbers({at}, n_atoms)(bytes);
        EXPECT_THAT(error_with(bytes).what(),
                    testing::HasSubstr("there cannot be " + std::to_string(n_atoms) + " atoms"));
    }
}

}  // namespace
}  // namespace coromd::trajectory
