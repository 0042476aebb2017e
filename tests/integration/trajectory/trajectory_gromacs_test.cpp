// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Files that coromd and GROMACS write for each other. What GROMACS decodes is taken from a TRR file
// that `gmx trjconv` makes of it, which holds the floats as they are.
#include <cstdlib>

#include "coromd/trajectory/ndx.hpp"
#include "coromd/trajectory/transform.hpp"
#include "unit/trajectory/testing.hpp"

namespace coromd::trajectory {
namespace {

class WithGromacs : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(runs("--version"))
            << "GROMACS does not run here; ./dev test --without-gromacs leaves these tests out";
    }

    bool runs(const std::string& arguments, const std::string& input = "0\n") {
        const char* gmx = std::getenv("GMX");
        const std::string command = "cd '" + folder_.path().string() + "' && printf '" + input +
                                    "' | GMX_MAXBACKUP=-1 '" + (gmx ? gmx : "gmx") + "' " + arguments +
                                    " > output.txt 2>&1";
        return std::system(command.c_str()) == 0;
    }
    void gmx(const std::string& arguments, const std::string& input = "0\n") {
        ASSERT_TRUE(runs(arguments, input)) << arguments << '\n' << output().substr(0, 4000);
    }
    std::string output() { return read_bytes(folder_ / "output.txt"); }

    void write(const std::string& name, const std::vector<Frame>& frames) {
        const std::size_t n_atoms = frames.front().positions.size();
        FrameWriter writer(folder_ / name, {.overwrite = true, .topology = water_topology(n_atoms)});
        for (const Frame& frame : frames) writer.write(frame);
        writer.close();
    }
    std::vector<Frame> read(const std::string& name) {
        std::vector<Frame> frames;
        Trajectory(folder_ / name, "").for_each_frame({}, [&](const Frame& f) { frames.push_back(f); });
        return frames;
    }

    TemporaryFolder folder_;
};

/// Systems of different kinds, each a frame.
std::vector<Frame> frames_of_all_kinds(std::size_t n_atoms) {
    std::vector<Frame> frames;
    const auto add = [&](float spread, float step) {
        const auto number = static_cast<std::int64_t>(frames.size());
        RandomStream random(n_atoms, std::to_string(number));
        Frame frame = water_like_frame(n_atoms, 100 * number);
        Vec3f p;
        for (std::size_t i = 0; i < n_atoms; ++i) {
            const auto uniform = [&] { return spread * static_cast<float>(random.uniform() - 0.5); };
            const auto shift = [&] { return step * static_cast<float>(random.normal()); };
            if (step == 0.0F || i % 50 == 0) p = {uniform(), uniform(), uniform()};
            p = {p.x + shift(), p.y + shift(), p.z + shift()};
            frame.positions[i] = p;
        }
        frames.push_back(frame);
    };
    frames.push_back(water_like_frame(n_atoms, 0));
    add(5.0F, 0.0F);         // independent
    add(5.0F, 0.1F);         // chains
    add(0.02F, 0.001F);      // nearly all at one place
    add(300.0F, 0.5F);       // the product of the sizes has more than 50 bits
    add(10000.0F, 0.2F);     // more than 64
    add(100000.0F, 0.1F);    // a size has more than 24 bits
    add(1000000.0F, 10.0F);  // far apart
    return frames;
}

TEST_F(WithGromacs, XtcIsTheSameInBothDirections) {
    for (const std::size_t n_atoms : {1U, 9U, 10U, 11U, 57U, 500U, 3001U}) {
        SCOPED_TRACE(n_atoms);
        write("exact.trr", frames_of_all_kinds(n_atoms));
        write("ours.xtc", frames_of_all_kinds(n_atoms));
        gmx("trjconv -f exact.trr -o theirs.xtc -ndec 3");
        EXPECT_TRUE(read_bytes(folder_ / "ours.xtc") == read_bytes(folder_ / "theirs.xtc"))
            << "encoded otherwise";

        gmx("trjconv -f theirs.xtc -o decoded.trr");
        const std::vector<Frame> ours = read("theirs.xtc");
        const std::vector<Frame> theirs = read("decoded.trr");
        ASSERT_EQ(ours.size(), theirs.size());
        for (std::size_t i = 0; i < ours.size(); ++i) {
            EXPECT_EQ(ours[i].positions, theirs[i].positions) << "frame " << i;
            EXPECT_EQ(ours[i].box, theirs[i].box);
            EXPECT_EQ(ours[i].step, theirs[i].step);
            EXPECT_EQ(ours[i].time_ps, theirs[i].time_ps);
        }
    }
}

TEST_F(WithGromacs, OtherPrecisionsAreDecodedAlike) {
    std::vector<Frame> frames{water_like_frame(300, 0)};
    write("exact.trr", frames);
    for (const int decimals : {1, 2, 4, 6}) {
        SCOPED_TRACE(decimals);
        frames[0].precision = std::pow(10.0F, static_cast<float>(decimals));
        write("ours.xtc", frames);
        gmx("trjconv -f exact.trr -o theirs.xtc -ndec " + std::to_string(decimals));
        // With six decimals the squares of differences overflow in GROMACS, which then chooses
        // other sizes for small differences.
        if (decimals < 6) {
            EXPECT_TRUE(read_bytes(folder_ / "ours.xtc") == read_bytes(folder_ / "theirs.xtc"));
        }
        EXPECT_EQ(read("ours.xtc")[0].positions, read("theirs.xtc")[0].positions);
        gmx("trjconv -f ours.xtc -o decoded.trr");
        EXPECT_EQ(read("ours.xtc")[0].positions, read("decoded.trr")[0].positions);
    }
}

TEST_F(WithGromacs, TrrIsCopiedUnchanged) {
    std::vector<Frame> frames;
    for (int i = 0; i < 3; ++i) frames.push_back(with_velocities(water_like_frame(100, 10 * i)));
    frames[1].box.c = {1.0F, 0.5F, 2.5F};
    write("ours.trr", frames);
    gmx("trjconv -f ours.trr -o theirs.trr");
    EXPECT_TRUE(read_bytes(folder_ / "ours.trr") == read_bytes(folder_ / "theirs.trr"));
}

TEST_F(WithGromacs, GroIsReadAlike) {
    std::vector<Frame> frames;
    for (int i = 0; i < 3; ++i) frames.push_back(with_velocities(water_like_frame(99, 10 * i)));
    for (const float precision : {0.0F, 1e5F}) {
        for (Frame& frame : frames) frame.precision = precision;
        write("ours.gro", frames);
        gmx("trjconv -f ours.gro -o theirs.trr");
        const std::vector<Frame> ours = read("ours.gro");
        const std::vector<Frame> theirs = read("theirs.trr");
        ASSERT_EQ(theirs.size(), 3U);
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_LT(largest_difference(ours[i].positions, theirs[i].positions), 1e-6F);
            EXPECT_LT(largest_difference(ours[i].velocities, theirs[i].velocities), 1e-6F);
            EXPECT_EQ(ours[i].time_ps, frames[i].time_ps);
            EXPECT_NEAR(theirs[i].time_ps, frames[i].time_ps, 1e-5);
            EXPECT_EQ(theirs[i].step, frames[i].step);
        }
    }
}

TEST_F(WithGromacs, PdbIsReadAlike) {
    std::vector<Frame> frames;
    for (int i = 0; i < 3; ++i) frames.push_back(water_like_frame(99, 500 * i));
    frames[1].box = {{3, 0, 0}, {1, 2.5F, 0}, {-1, 1, 2}};
    write("ours.pdb", frames);
    write("names.gro", frames);
    gmx("trjconv -f ours.pdb -o decoded_ours.trr");
    gmx("trjconv -f names.gro -s names.gro -o theirs.pdb");
    gmx("trjconv -f theirs.pdb -o decoded_theirs.trr");
    for (const std::string whose : {"ours", "theirs"}) {
        SCOPED_TRACE(whose);
        const std::vector<Frame> read_here = read(whose + ".pdb");
        const std::vector<Frame> read_there = read("decoded_" + whose + ".trr");
        ASSERT_EQ(read_here.size(), 3U);
        ASSERT_EQ(read_there.size(), 3U);
        for (std::size_t i = 0; i < 3; ++i) {
            const Box& here = read_here[i].box;
            const Box& there = read_there[i].box;
            EXPECT_LT(largest_difference(read_here[i].positions, read_there[i].positions), 1e-6F);
            EXPECT_LT(largest_difference({here.a, here.b, here.c}, {there.a, there.b, there.c}), 1e-6F);
            EXPECT_NEAR(read_here[i].time_ps, read_there[i].time_ps, 1e-5);
            EXPECT_EQ(read_here[i].step, frames[i].step);
            EXPECT_EQ(read_here[i].step, read_there[i].step);
        }
        const Topology names = read_topology(folder_ / (whose + ".pdb"));
        ASSERT_EQ(names.size(), 99);
        EXPECT_EQ(names.atoms()[98].name, "HW2");
        EXPECT_EQ(names.atoms()[98].resname, "SOL");
        EXPECT_EQ(names.atoms()[98].resid, 33);
    }
}

TEST_F(WithGromacs, NdxIsReadAndWrittenAlike) {
    write("names.gro", {water_like_frame(99, 0)});
    gmx("make_ndx -f names.gro -o theirs.ndx", "q\\n");
    write_ndx(folder_ / "ours.ndx", read_ndx(folder_ / "theirs.ndx"), false);
    EXPECT_EQ(read_bytes(folder_ / "ours.ndx"), read_bytes(folder_ / "theirs.ndx"));
}

TEST_F(WithGromacs, CheckAcceptsWhatWeWrite) {
    for (const char* name : {"a.xtc", "a.trr", "a.gro", "a.pdb"}) {
        write_trajectory(folder_ / name, 7, 0, 500, 300);
        gmx(std::string("check -f ") + name);
        EXPECT_THAT(output(), testing::ContainsRegex("Coords +7")) << name;
        EXPECT_THAT(output(), testing::HasSubstr("# Atoms  300")) << name;
    }
}

/// Mass and charge of every atom, as `gmx dump -s` shows them kind by kind.
struct MassAndCharge {
    double mass;
    double charge;
};
std::vector<MassAndCharge> atoms_of_dump(const std::string& text) {
    const auto number_after = [](const std::string& line, const std::string& key) {
        return std::stod(line.substr(line.find(key) + key.size()));
    };
    std::vector<std::pair<std::size_t, std::size_t>> blocks;  // kind, number
    std::vector<std::vector<MassAndCharge>> kinds;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t start = std::min(line.find_first_not_of(' '), line.size());
        const std::string_view trimmed = std::string_view(line).substr(start);
        if (trimmed.starts_with("moltype  ")) blocks.emplace_back(number_after(line, "="), 0);
        if (trimmed.starts_with("#molecules"))
            blocks.back().second = static_cast<std::size_t>(number_after(line, "="));
        if (trimmed.starts_with("moltype (")) kinds.emplace_back();
        if (trimmed.starts_with("atom[") && line.find("m=") != std::string::npos) {
            kinds.back().push_back({number_after(line, "m="), number_after(line, "q=")});
        }
    }
    std::vector<MassAndCharge> atoms;
    for (const auto& [kind, number] : blocks) {
        for (std::size_t i = 0; i < number; ++i)
            atoms.insert(atoms.end(), kinds[kind].begin(), kinds[kind].end());
    }
    return atoms;
}

class Tpr : public WithGromacs {
protected:
    /// Compares `name` with what GROMACS says of it.
    void expect_same(const std::string& name) {
        const Topology ours = read_topology(folder_ / name);
        gmx("dump -s " + name);
        const std::vector<MassAndCharge> atoms = atoms_of_dump(output());
        ASSERT_EQ(static_cast<std::size_t>(ours.size()), atoms.size());
        gmx("editconf -f " + name + " -o names.gro");
        const Topology names = read_topology(folder_ / "names.gro");
        ASSERT_EQ(ours.size(), names.size());
        for (std::size_t i = 0; i < atoms.size(); ++i) {
            const Atom& atom = ours.atoms()[i];
            // dump shows six digits.
            EXPECT_NEAR(atom.mass_amu, atoms[i].mass, 1e-5 * atoms[i].mass) << i;
            EXPECT_NEAR(atom.charge_e, atoms[i].charge, 1e-5) << i;
            EXPECT_EQ(atom.name, names.atoms()[i].name) << i;
            EXPECT_EQ(atom.resname, names.atoms()[i].resname) << i;
            EXPECT_EQ(atom.resid, names.atoms()[i].resid) << i;
        }
        // editconf writes three decimals, and velocities with four.
        const Frame start = Trajectory(folder_ / name, "").frame(0);
        const Frame theirs = read("names.gro").front();
        EXPECT_LT(largest_difference(start.positions, theirs.positions), 0.000501F);
        EXPECT_LT(largest_difference(start.velocities, theirs.velocities), 0.0000501F);
        EXPECT_LT(largest_difference({start.box.a, start.box.b, start.box.c},
                                     {theirs.box.a, theirs.box.b, theirs.box.c}),
                  0.00001F);
    }

    /// Water and a peptide in a box of a kind, as t.tpr.
    void make_peptide(const std::string& box, const std::string& mdp) {
        std::filesystem::copy_file(
            std::filesystem::path(COROMD_EXAMPLES) / "alanine_dipeptide/alanine_dipeptide.pdb",
            folder_ / "a.pdb", std::filesystem::copy_options::overwrite_existing);
        write_bytes(folder_ / "md.mdp", mdp);
        gmx("pdb2gmx -f a.pdb -o p.gro -ff amber99sb-ildn -water tip3p");
        gmx("editconf -f p.gro -o b.gro -d 0.9 -c -bt " + box);
        gmx("solvate -cp b.gro -cs spc216.gro -p topol.top -o s.gro");
        gmx("grompp -f md.mdp -c s.gro -p topol.top -o t.tpr -maxwarn 5");
    }

    /// Our transformation of `in` is what trjconv writes.
    void expect_trjconv(const std::string& in, const std::string& arguments, const Transformation& ours,
                        const std::string& input = "0\n", bool with_structure = true) {
        SCOPED_TRACE(arguments);
        gmx("trjconv -f " + in + (with_structure ? " -s t.tpr" : "") + " -o theirs.trr " + arguments, input);
        const std::vector<Frame> theirs = read("theirs.trr");
        std::size_t i = 0;
        for_each_frame(Trajectory(folder_ / in, ""), {}, ours, [&](const Frame& frame) {
            ASSERT_LT(i, theirs.size());
            EXPECT_LT(largest_difference(frame.positions, theirs[i++].positions), 2e-6F) << i;
        });
        EXPECT_EQ(i, theirs.size());
    }
};

/// The molecule that is not water.
std::vector<std::int32_t> select_peptide(const Topology& topology) {
    std::vector<std::int32_t> atoms;
    for (std::int32_t i = 0; i < topology.size(); ++i)
        if (topology.atoms()[static_cast<std::size_t>(i)].molecule == 0) atoms.push_back(i);
    return atoms;
}

constexpr const char* kMdp =
    "integrator = md\nnsteps = 10\ncutoff-scheme = verlet\ncoulombtype = cut-off\nrcoulomb = 0.8\nrvdw = "
    "0.8\n"
    "tcoupl = v-rescale\ntc-grps = system\ntau-t = 0.5\nref-t = 300\ngen-vel = yes\ndisre = simple\n";

TEST_F(Tpr, SolvatedPeptide) {
    make_peptide("dodecahedron", kMdp);
    expect_same("t.tpr");
}

TEST_F(Tpr, TransformationsAreThoseOfTrjconv) {
    // Hot, and for long enough that molecules cross the faces of the box, whose size fluctuates.
    const std::string mdp =
        "integrator = md\nnsteps = 2000\ndt = 0.001\nnstxout = 200\nnstvout = 200\ncutoff-scheme = verlet\n"
        "coulombtype = cut-off\nrcoulomb = 0.8\nrvdw = 0.8\ntcoupl = v-rescale\ntc-grps = system\n"
        "tau-t = 0.05\nref-t = 400\ngen-vel = yes\ngen-temp = 200\npcoupl = c-rescale\ntau-p = 0.5\n"
        "ref-p = 1\ncompressibility = 4.5e-5\n";
    for (const std::string box : {"dodecahedron", "octahedron", "cubic"}) {
        SCOPED_TRACE(box);
        make_peptide(box, mdp);
        gmx("mdrun -nt 1 -s t.tpr -deffnm t");
        const Topology topology = read_topology(folder_ / "t.tpr");
        EXPECT_EQ(topology.atoms().back().moltype, "SOL");
        EXPECT_GT(static_cast<std::int64_t>(topology.bonds().size()), topology.size() / 2);
        expect_trjconv("t.trr", "-pbc whole", make_whole(topology));
        expect_trjconv("t.trr", "-pbc atom", wrap());
        expect_trjconv("t.trr", "-pbc mol", wrap(topology, Unit::molecules));
        expect_trjconv("t.trr", "-pbc mol -ur tric", wrap(topology, Unit::molecules, CellShape::triclinic));
        expect_trjconv("t.trr", "-pbc mol -ur compact", wrap(topology, Unit::molecules, CellShape::compact));
        expect_trjconv("t.trr", "-pbc res", wrap(topology, Unit::residues));

        gmx("trjconv -f t.trr -s t.tpr -pbc atom -o cut.trr");
        expect_trjconv("cut.trr", "-pbc nojump", unwrap(), "0\n", false);
        // trjconv takes the middle between the outermost atoms for the centre: of one atom, or two, it is.
        std::vector<std::int32_t> all;
        for (std::int32_t i = 0; i < topology.size(); ++i) all.push_back(i);
        write_ndx(folder_ / "two.ndx", {{"two", {4, 8}}, {"all", all}}, true);
        expect_trjconv("t.trr", "-center -n two.ndx", centre({4, 8}), "0\n1\n");

        gmx("trjconv -f t.trr -s t.tpr -pbc whole -o whole.trr");
        const std::vector<std::int32_t> peptide = select_peptide(topology);
        std::vector<double> masses;
        for (const std::int32_t i : peptide)
            masses.push_back(topology.atoms()[static_cast<std::size_t>(i)].mass_amu);
        Frame reference = Trajectory(folder_ / "t.tpr", "").frame(0);
        make_whole(topology).begin()(reference);
        keep_atoms(reference, peptide);
        expect_trjconv("whole.trr", "-fit rot+trans",
                       fit(peptide, reference.positions, FitKind::rotation_translation, masses), "1\n0\n");
        expect_trjconv("whole.trr", "-fit translation",
                       fit(peptide, reference.positions, FitKind::translation, masses), "1\n0\n");
    }
}

TEST_F(Tpr, NearlyEveryKindOfInteraction) {
    // gmx dump 2022 itself stumbles over virtual sites of type 2fd.
    std::string topology = read_bytes(golden("exotic.top"));
    const std::string site = "11 1 2 2 0.1";
    topology.replace(topology.find(site), site.size(), "11 1 2 1 0.1");
    write_bytes(folder_ / "exotic.top", topology);
    write_bytes(folder_ / "md.mdp", kMdp);
    Frame frame = water_like_frame(60, 0, 1, 4.0F);
    frame.box = {{4, 0, 0}, {0, 4, 0}, {0, 0, 4}};
    write("e.gro", {frame});
    gmx("grompp -f md.mdp -c e.gro -r e.gro -p exotic.top -o t.tpr -maxwarn 100");
    expect_same("t.tpr");
}

}  // namespace
}  // namespace coromd::trajectory
