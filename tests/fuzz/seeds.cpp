// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Small valid files, made by our own writers and by what the unit tests have for files of other programs:
// several of each format, so that every branch of a reader has one that goes there.
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "big_endian.hpp"
#include "coromd/trajectory/ndx.hpp"
#include "target.hpp"
#include "unit/trajectory/made_amber_netcdf.hpp"
#include "unit/trajectory/made_dcd.hpp"
#include "unit/trajectory/made_frames.hpp"
#include "unit/trajectory/made_tpr.hpp"

namespace coromd::fuzz {

using namespace trajectory;

namespace {

class Seeds {
public:
    explicit Seeds(std::string extension) : extension_(std::move(extension)) {}

    void add(std::string name, std::string bytes) { seeds_.push_back({std::move(name), std::move(bytes)}); }
    void add_all(std::initializer_list<std::string> texts) {
        for (const std::string& text : texts) add(std::to_string(seeds_.size()), text);
    }
    void add_golden(const std::string& name) {
        add(name, read_bytes(std::filesystem::path(COROMD_TEST_DATA) / name));
    }
    void add_frames(const std::string& name, const std::vector<Frame>& frames) {
        add(name, written(frames, *water_topology(frames.front().positions.size())));
    }
    std::string written(const std::vector<Frame>& frames, const Topology& topology) const {
        const std::filesystem::path path = folder_ / ("a" + extension_);
        FrameWriter writer(path, {.overwrite = true, .topology = std::make_shared<const Topology>(topology)});
        for (const Frame& frame : frames) writer.write(frame);
        writer.close();
        return read_bytes(path);
    }
    std::filesystem::path scratch() const { return folder_ / ("a" + extension_); }
    std::vector<Seed> take() { return std::move(seeds_); }

private:
    std::string extension_;
    TemporaryFolder folder_;
    std::vector<Seed> seeds_;
};

/// Without periodicity, with a box of three angles, of more than 2^31 steps, of several sizes.
void add_usual(Seeds& seeds) {
    for (const std::size_t n : {1U, 3U, 9U, 10U, 30U}) {
        seeds.add_frames(fmt::format("{}_atoms", n),
                         {water_like_frame(n, 0), water_like_frame(n, 10), water_like_frame(n, 20)});
    }
    Frame open = water_like_frame(12, 7);
    open.box = {};
    open.time_ps = std::numeric_limits<double>::quiet_NaN();
    seeds.add_frames("open", {open});
    Frame triclinic = water_like_frame(12, 7);
    triclinic.box = {{3, 0, 0}, {1, 2.8F, 0}, {-1, 1.4F, 2.4F}};
    seeds.add_frames("triclinic", {triclinic, triclinic});
}

Frame full_frame(std::size_t n_atoms, std::int64_t step) {
    Frame frame = with_velocities(water_like_frame(n_atoms, step));
    frame.forces = frame.velocities;
    return frame;
}

void add_xtc(Seeds& seeds) {
    add_usual(seeds);
    seeds.add_golden("golden.xtc");
    seeds.add_golden("wide.xtc");
    for (const float precision : {10.0F, 1e6F}) {
        Frame frame = water_like_frame(24, 3);
        frame.precision = precision;
        seeds.add_frames(fmt::format("precision_{}", precision), {frame});
    }
    // Sizes that are written one by one, and steps that wrap.
    Frame wide = water_like_frame(12, 3'000'000'000);
    wide.positions[5].x = 20000.0F;
    wide.positions[6].y = -20000.0F;
    seeds.add_frames("wide", {wide});
    std::string bytes = seeds.written({water_like_frame(30, 5)}, *water_topology(30));
    bytes.replace(0, 4, std::string("\0\0\x07\xe7", 4));
    bytes.insert(88, 4, '\0');
    seeds.add("long_magic", bytes);
    seeds.add("cut", bytes.substr(0, 100));
    // More than 9 atoms at the same place.
    Frame point = water_like_frame(12, 0);
    for (Vec3f& position : point.positions) position = {1, 1, 1};
    seeds.add_frames("point", {point});
}

/// A frame of TRR in double precision, with a virial.
std::string double_trr(std::int32_t n_atoms) {
    std::vector<std::byte> out;
    for (const std::int32_t value : {1993, 13, 12}) append_big_endian(out, value);
    for (const char c : std::string_view("GMX_trn_file")) out.push_back(static_cast<std::byte>(c));
    const std::int32_t block = n_atoms * 24;
    for (const std::int32_t size : {0, 0, 72, 72, 0, 0, 0, block, block, 0}) append_big_endian(out, size);
    for (const std::int32_t value : {n_atoms, 40, 0}) append_big_endian(out, value);
    for (std::int32_t i = 0; i < 20 + 6 * n_atoms; ++i) append_big_endian(out, 0.25 * i);
    return {reinterpret_cast<const char*>(out.data()), out.size()};
}

void add_trr(Seeds& seeds) {
    add_usual(seeds);
    seeds.add_golden("golden.trr");
    seeds.add_golden("wide.trr");
    seeds.add_frames("full", {full_frame(9, 0), full_frame(9, 5)});
    seeds.add_frames("velocities", {with_velocities(water_like_frame(9, 0)), water_like_frame(9, 1)});
    seeds.add("double", double_trr(5) + double_trr(5));
}

void add_gro(Seeds& seeds) {
    add_usual(seeds);
    seeds.add_golden("golden.gro");
    seeds.add_frames("velocities", {with_velocities(water_like_frame(9, 0))});
    Frame fine = with_velocities(water_like_frame(3, 0));
    fine.precision = 1e6F;
    seeds.add_frames("decimals", {fine});
    seeds.add_all(
        {"t= 1.5, step=3\r\n    1\r\n    1SOL     OW    1   0.126   1.624   1.679\r\n   1 1 1\r\n",
         "no newline\n1\n    1SOL     OW    1   0.126   1.624   1.679\n   1.0   1.0   1.0",
         "title\n2\n    1ALA     CA    1   0.126   1.624   1.679\n    1CA      CA    2   0.126   1.624   "
         "1.679\n1 1 1 0 0 0.5 0 0.5 0.5\n"});
}

void add_pdb(Seeds& seeds) {
    add_usual(seeds);
    seeds.add_all(
        {"TITLE     Water t=   1.50000 step= 750\n"
         "CRYST1   18.621   18.620   18.619  70.53 109.47  70.53 P 1           1\n"
         "MODEL        1\n"
         "ATOM      1  OW  SOL A   1       1.260  16.240 -16.790  1.00  0.00           O\n"
         "HETATM    2 HB11 LONGA  -2    -112.750-110.530-116.220  1.00  0.00      PROA H\n"
         "TER\n"
         "ENDMDL\n"
         "MODEL        2\n"
         "ATOM      1  OW  SOL     1       2.260  17.240  17.790  1.00  0.00            \n"
         "ATOM      2 HB11 LONGA  -2      12.750   0.530   6.220  1.00  0.00            \n"
         "ENDMDL\n"
         "END\n",
         "REMARK a file without models\r\n"
         "CRYST1    1.000    1.000    1.000  90.00  90.00  90.00 P 1           1\r\n"
         "ATOM  *****  CA AALA A   1       1.000   0.000   0.000\r\n"
         "ATOM  *****  CA BALA A   1       1.000   0.000   0.000\r\n"
         "ATOM  *****  CB AGLY A   1       1.000   0.000   0.000\r\n",
         "ATOM      1  OW  SOL     1       1.260  16.240 -16.790\nEND\n"
         "ATOM      1  OW  SOL     1       1.260  16.240 -16.790\nEND\n",
         "MODEL        1\nATOM      1  OW  SOL     1       1.260  16.240 -16.790\nENDMDL"});
    std::vector<Atom> atoms(2);
    atoms[0] = {.name = "CA", .resname = "CA", .resid = -1001, .element = "Ca", .segid = "A"};
    atoms[1] = {.name = "HB11", .resname = "LONG", .resid = 10001, .element = "H", .segid = "PROA"};
    seeds.add("names", seeds.written({water_like_frame(2, 0), water_like_frame(2, 1)}, Topology(atoms)));
}

void add_dcd(Seeds& seeds) {
    add_usual(seeds);
    seeds.add("charmm", MadeDcd().bytes());
    for (const bool big_endian : {false, true}) {
        MadeDcd made;
        made.big_endian = big_endian;
        made.cell = {40, 0.1, 50, 0, 0, 60};
        made.free_atoms = {2, 4, 5};
        made.n_frames = 3;
        seeds.add(fmt::format("fixed_{}", big_endian), made.bytes());
        made.four_dimensions = true;
        made.free_atoms.clear();
        made.cell = {40, 80, 50, 90, 100, 60};
        seeds.add(fmt::format("four_dimensions_{}", big_endian), made.bytes());
        MadeDcd xplor;
        xplor.big_endian = big_endian;
        xplor.xplor = true;
        xplor.interval = 0;
        seeds.add(fmt::format("xplor_{}", big_endian), xplor.bytes());
    }
    MadeDcd velocities;
    velocities.tag = "VELD";
    seeds.add("velocities", velocities.bytes());
}

void add_amber_netcdf(Seeds& seeds) {
    add_usual(seeds);
    seeds.add_frames("full", {full_frame(9, 0), full_frame(9, 5)});
    for (const int version : {1, 2, 5}) {
        MadeAmberNetcdf made;
        made.version = version;
        made.variables = {{"time", {0}, 6, "picosecond"},
                          {"odd", {0}, 2},
                          {"cell_lengths", {0, 2}, 6, "angstrom"},
                          {"cell_angles", {0, 2}, 5, "degree"},
                          {"coordinates", {0, 1, 2}, version == 5 ? 6 : 5, "angstrom"},
                          {"velocities", {0, 1, 2}, 5, "angstrom/picosecond", 20.455},
                          {"forces", {0, 1, 2}, 5, "kilocalorie/mole/angstrom"}};
        seeds.add(fmt::format("version_{}", version), made.bytes());
        made.variables = {{"coordinates", {0, 1, 2}, 5, "angstrom"}};
        made.n_atoms = 3;
        seeds.add(fmt::format("single_{}", version), made.bytes());
    }
    MadeAmberNetcdf restart;
    restart.conventions = "AMBERRESTART";
    seeds.add("restart", restart.bytes());
    seeds.add("hdf5", "\x89HDF\r\n\x1a\n and so on");
}

void add_tpr(Seeds& seeds) {
    seeds.add_golden("exotic.tpr");
    for (const std::int32_t version : {119, 121, 127, 133}) {
        for (const bool doubles : {false, true}) {
            TprBuilder made;
            made.version = version;
            made.doubles = doubles;
            seeds.add(fmt::format("version_{}_{}", version, doubles), made.build());
        }
    }
    TprBuilder old;
    old.version = 58;
    seeds.add("old", old.build());
}

void add_selection(Seeds& seeds) {
    seeds.add_all({"name CA C* and not resname \"ALA\"", "resid 1 3-5 8:10 12 to 15 or resnum 2",
                   "(index 0 5-9 or bynum 1-10) and mass 12 14-16",
                   "charge < -0.3 or charge >= 0.1 and mass != 1.008",
                   "protein or backbone or water or solute", "hydrogen and not element O h",
                   "group Protein or group \"two words\"", "same residue as (type CT and segid A)",
                   "same molecule as moltype Prot?in", "around 0.5 of name OW",
                   "within 1.2 of 0.5 0.5 0.5 and all", "not within 0.3 protein", "around 1e-3 none",
                   "same segid as same moltype as same resname as index 3", "((((((((name \"*\"))))))))",
                   "group", "mass == 12.011", "RESNAME sol AND NOT (Name HW1 to)"});
}

void add_ndx(Seeds& seeds) {
    write_ndx(seeds.scratch(), {{"Protein", {0, 1, 2, 99999}}, {"two words", {}}, {"c", {7}}}, true);
    seeds.add("written", read_bytes(seeds.scratch()));
    seeds.add_all({"[ a ]\n1 2 3\n4 ; comment\n\n[b]\r\n5\r\n", "; only a comment\n", "[ a ]", "[ a\n",
                   "[]\n1\n", "1 2\n", "[ a ] b\n", "[ a ]\n2147483647\n0\n", "[ a ]\n2147483648\n"});
}

void add_mdp(Seeds& seeds) {
    seeds.add_all(
        {"integrator = md\nnsteps = 1000 ; a comment\ndt = 0.002\n\n; another\nnstxout-compressed=10\n",
         "nstxout = 10\r\nnstvout = 20\r\nNST_FOUT = 0\r\ngen-vel = yes\r\n",
         "nstxtcout = 5\ntc-grps = Protein Water\nref_t = 0x1p3 +1.5e3\n", "tinit =\ntinit = 5\n",
         "a = 1\nA = 2\n", "no equals\n", " = 3\n", std::string("nul = \0\n", 8),
         "\xef\xbb\xbf"
         "a = 1\n",
         "nsteps = -1\ncontinuation = maybe\nnstxout = 4294967296",
         "nstxout-compressed = 99999999999999999999", "nstxtcout = 5\nnstxout-compressed = 5\n",
         "nstxout = 10\nnstvout = 5\nsetme =\n"});
}

}  // namespace

std::vector<Seed> seeds_of(const Target& target) {
    static const std::vector<std::pair<std::string, void (*)(Seeds&)>> kMakers{
        {"xtc", add_xtc},
        {"trr", add_trr},
        {"gro", add_gro},
        {"pdb", add_pdb},
        {"dcd", add_dcd},
        {"amber_netcdf", add_amber_netcdf},
        {"tpr", add_tpr},
        {"selection", add_selection},
        {"ndx", add_ndx},
        {"mdp", add_mdp},
        // Even numbers of atoms only: the planted bug has to be found.
        {"planted", [](Seeds& seeds) {
             for (const std::size_t n : {2U, 4U, 12U})
                 seeds.add_frames(std::to_string(n), {water_like_frame(n, 0), water_like_frame(n, 1)});
         }}};
    Seeds seeds(target.extension);
    for (const auto& [name, add] : kMakers) {
        if (name == target.name) add(seeds);
    }
    return seeds.take();
}

}  // namespace coromd::fuzz
