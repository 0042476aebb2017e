// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/topology.hpp"

#include "testing.hpp"

namespace coromd::trajectory {
namespace {

TEST(Masses, OfTheTopologyWhereItHasThem) {
    std::vector<Atom> atoms(2);
    atoms[0].mass_amu = 2.5;
    atoms[1].mass_amu = 0.0;
    const Masses masses = masses_of(Topology(atoms));
    EXPECT_EQ(masses.amu, (std::vector<double>{2.5, 0.0}));
    EXPECT_FALSE(masses.guessed);
    EXPECT_EQ(masses.note, "");
}

TEST(Masses, GuessedWithANote) {
    const Masses masses = masses_of(*water_topology(3));
    EXPECT_EQ(masses.amu, (std::vector<double>{15.999, 1.008, 1.008}));
    EXPECT_TRUE(masses.guessed);
    EXPECT_THAT(masses.note, testing::HasSubstr("3 of 3 atoms"));
}

TEST(Masses, AtomWithoutAnElementIsNamed) {
    std::vector<Atom> atoms(3);
    for (Atom& atom : atoms) atom.name = "C";
    atoms[2].name = "Q7";
    atoms[2].resname = "LIG";
    const Error error = error_of([&] { masses_of(Topology(atoms)); });
    EXPECT_THAT(error.what(), testing::HasSubstr("atom 3 ('Q7' in residue 'LIG'"));
}

TEST(ReadTopology, NeedsAFormatWithNames) {
    EXPECT_THAT(error_of([] { read_topology("a.xtc"); }).what(),
                testing::HasSubstr("these do: GRO, PDB, TPR"));
    EXPECT_THAT(error_of([] { read_topology("a.abc"); }).what(), testing::HasSubstr("no known format"));
    EXPECT_EQ(error_of([] { read_topology("/nowhere/a.gro"); }).kind(), ErrorKind::system);
}

}  // namespace
}  // namespace coromd::trajectory
