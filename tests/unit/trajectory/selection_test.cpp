// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/selection.hpp"

#include "selection_testing.hpp"

namespace coromd::trajectory {
namespace {

using testing::HasSubstr;
using Indices = std::vector<std::int32_t>;

/// A capped alanine, an ion and two waters.
Topology system_of_tests() {
    std::vector<Atom> atoms;
    const auto add = [&](std::int32_t resid, const char* resname, std::initializer_list<const char*> names) {
        for (const char* name : names) {
            Atom atom;
            atom.name = name;
            atom.resname = resname;
            atom.resid = resid;
            atoms.push_back(atom);
        }
    };
    add(1, "ACE", {"CH3", "C", "O"});             // 0-2
    add(2, "ALA", {"N", "H", "CA", "HA", "CB"});  // 3-7
    add(2, "ALA", {"C", "O"});                    // 8-9
    add(3, "NME", {"N", "CH3"});                  // 10-11
    add(4, "NA", {"NA"});                         // 12
    add(5, "SOL", {"OW", "HW1", "HW2"});          // 13-15
    add(6, "SOL", {"OW", "HW1", "HW2"});          // 16-18
    return Topology(std::move(atoms));
}

struct Case {
    const char* text;
    Indices expected;
};

TEST(Selection, SelectsWhatItSays) {
    const Topology topology = system_of_tests();
    const std::vector<Case> cases{
        {"name CA", {5}},
        {"name C CA", {1, 5, 8}},
        {"name H*", {4, 6, 14, 15, 17, 18}},
        {"name H?1", {14, 17}},
        {"name *3", {0, 11}},
        {"name *W*1", {14, 17}},
        {"resname ALA and name N C", {3, 8}},
        {"resname ?CE", {0, 1, 2}},
        {"resid 1 3-4", {0, 1, 2, 10, 11, 12}},
        {"resid 3:4 1", {0, 1, 2, 10, 11, 12}},
        {"resid 6 100", {16, 17, 18}},
        {"index 0 5-7", {0, 5, 6, 7}},
        {"index 18", {18}},
        {"bynum 1 19", {0, 18}},
        {"bynum 2-3", {1, 2}},
        {"protein and not name H*", {0, 1, 2, 3, 5, 7, 8, 9, 10, 11}},
        {"not protein and not resname SOL", {12}},
        {"not (protein or resname SOL)", {12}},
        {"name OW or name HW1 and resid 6", {13, 16, 17}},
        {"(name OW or name HW1) and resid 6", {16, 17}},
        {"not not name CA", {5}},
        {" \n( ( name\tCA ) ) ", {5}},
        {"(name CA)or(name CB)", {5, 7}},
        {"NAME CA Or Name CB", {5, 7}},
        {"name \"CA\" 'CB'", {5, 7}},
        {"name \"C*\" or name CB", {7}},
        {"resid 1 to 2 4 and name C N NA", {1, 3, 8, 12}},
        {"resnum 3", {10, 11}},
        {"resname sol or resname NA", {12}},
        {"water", {13, 14, 15, 16, 17, 18}},
        {"solute and not protein", {12}},
        {"backbone", {1, 2, 3, 5, 8, 9, 10}},
        {"hydrogen and protein", {4, 6}},
        {"element Na", {12}},
        {"element O and protein", {2, 9}},
        {"same residue as name CB", {3, 4, 5, 6, 7, 8, 9}},
        {"same resname as index 13", {13, 14, 15, 16, 17, 18}},
        {"not name CA and name CA or name CB", {7}},
        {"name CB or name CA and not name CA", {7}},
    };
    for (const Case& c : cases) EXPECT_EQ(select(topology, c.text), c.expected) << c.text;
    EXPECT_EQ(select(topology, "all").size(), 19U);
}

TEST(Selection, NothingSelectedIsAnError) {
    EXPECT_THAT(error_of([] { select(system_of_tests(), "name ZZ"); }).what(),
                HasSubstr("'name ZZ' matches no atom"));
}

/// As from a TPR file: a peptide of two residues, two ions, two waters of four sites.
Topology system_with_types() {
    std::vector<Atom> atoms;
    const auto add = [&](const char* name, const char* resname, std::int32_t resid, const char* type,
                         const char* element, const char* moltype, std::int32_t molecule, float mass,
                         float charge) {
        atoms.push_back({name, resname, resid, type, element, "", moltype, molecule, mass, charge});
    };
    add("N", "ALA", 1, "N3", "N", "Protein_A", 0, 14.01F, -0.5F);   // 0
    add("CA", "ALA", 1, "CT", "C", "Protein_A", 0, 12.01F, 0.25F);  // 1
    add("HA", "ALA", 1, "HP", "H", "Protein_A", 0, 1.008F, 0.1F);   // 2
    add("C", "GLY", 2, "C", "C", "Protein_A", 0, 12.01F, 0.5F);     // 3
    add("O", "GLY", 2, "O", "O", "Protein_A", 0, 16.0F, -0.35F);    // 4
    add("CL", "CL", 3, "Cl", "Cl", "CL", 1, 35.45F, -1.0F);         // 5
    add("CA", "CA", 4, "C0", "Ca", "CA", 2, 40.08F, 2.0F);          // 6
    for (std::int32_t water = 0; water < 2; ++water) {              // 7-10, 11-14
        add("OW", "SOL", 5 + water, "OW_tip4p", "O", "SOL", 3 + water, 16.0F, 0.0F);
        add("HW1", "SOL", 5 + water, "HW_tip4p", "H", "SOL", 3 + water, 1.008F, 0.4F);
        add("HW2", "SOL", 5 + water, "HW_tip4p", "H", "SOL", 3 + water, 1.008F, 0.4F);
        add("MW", "SOL", 5 + water, "MW", "", "SOL", 3 + water, 0.0F, -0.8F);
    }
    return Topology(std::move(atoms));
}

TEST(Selection, WordsOfATpr) {
    const Topology topology = system_with_types();
    const std::vector<Case> cases{
        {"type CT", {1}},
        {"type C* and not type C", {1, 5, 6}},
        {"moltype Protein* CL", {0, 1, 2, 3, 4, 5}},
        {"element Ca", {6}},
        {"element CA", {6}},
        {"element c? n", {0, 5, 6}},
        {"element *", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13}},
        {"hydrogen", {2, 8, 9, 12, 13}},
        {"mass 12.01", {1, 3}},
        {"mass 12-14.01", {0, 1, 3}},
        {"mass 0 35:40.08", {5, 6, 10, 14}},
        {"mass > 16", {5, 6}},
        {"mass>=16 and mass < 20", {4, 7, 11}},
        {"mass <= 1.008 and mass != 0", {2, 8, 9, 12, 13}},
        {"charge < -0.5", {5, 10, 14}},
        {"charge <= -0.5", {0, 5, 10, 14}},
        {"charge == 0.4", {8, 9, 12, 13}},
        {"charge != 0.4 and water", {7, 10, 11, 14}},
        {"charge -0.5--0.3", {0, 4}},
        {"charge -0.5 to -0.3 2", {0, 4, 6}},
        {"charge > 0.4 and not charge > 1", {3}},
        {"mass 1e1-1.3e1", {1, 3}},
        {"same molecule as index 11", {11, 12, 13, 14}},
        {"same moltype as index 11", {7, 8, 9, 10, 11, 12, 13, 14}},
        {"same residue as name CA and protein", {0, 1, 2}},
        {"same residue as (name CA and not protein)", {6}},
        {"same resname as index 7", {7, 8, 9, 10, 11, 12, 13, 14}},
        {"water", {7, 8, 9, 10, 11, 12, 13, 14}},
        {"solute", {0, 1, 2, 3, 4, 5, 6}},
        {"solute and not protein", {5, 6}},
        {"backbone", {0, 1, 3, 4}},
    };
    for (const Case& c : cases) EXPECT_EQ(select(topology, c.text), c.expected) << c.text;
}

TEST(Selection, NoneIsEmptyAndNoError) {
    EXPECT_EQ(Selection::parse("none").evaluate(system_of_tests()), Indices{});
    EXPECT_EQ(Selection::parse("name ZZ").evaluate(system_of_tests()), Indices{});
    EXPECT_EQ(Selection::parse("same residue as none").evaluate(system_of_tests()), Indices{});
    EXPECT_EQ(Selection::parse("not none").evaluate(system_of_tests()).size(), 19U);
    EXPECT_EQ(Selection::parse("all").evaluate(Topology()), Indices{});
}

TEST(Selection, AResidueIsARunOfAtoms) {
    std::vector<Atom> atoms;
    for (const char* segid : {"A", "A", "B", "B", "A"}) {
        Atom atom;
        atom.name = "X";
        atom.resname = "LIG";
        atom.resid = 1;
        atom.segid = segid;
        atoms.push_back(atom);
    }
    const Topology topology(std::move(atoms));
    EXPECT_EQ(select(topology, "same residue as index 0"), (Indices{0, 1}));
    EXPECT_EQ(select(topology, "same segid as index 0"), (Indices{0, 1, 4}));
    EXPECT_EQ(select(topology, "segid B"), (Indices{2, 3}));
}

TEST(Selection, WhatTheTopologyDoesNotHaveIsAnError) {
    const Topology topology = system_of_tests();
    const std::vector<BadSelection> cases{
        {"index 19", 7, "'19' is out of range: the atoms are 0 to 18"},
        {"index -1", 7, "out of range"},
        {"index 0 5-19", 9, "'19' is out of range"},
        {"bynum 0", 7, "the atoms are 1 to 19"},
        {"bynum 20", 7, "out of range"},
        {"name CA or type CT", 12, "does not say the type of atom 1 ('CH3'): give the .tpr"},
        {"moltype SOL", 1, "does not say the moltype"},
        {"mass 12", 1, "does not say the mass"},
        {"not charge < 0", 5, "does not say the charge"},
        {"same molecule as name CA", 1, "does not say the molecule"},
        {"same moltype as name CA", 1, "does not say the moltype"},
        {"segid A", 1, "names no segments"},
        {"same segid as all", 1, "names no segments"},
    };
    expect_errors(cases, [&](const std::string& text) { select(topology, text); });
}

TEST(Selection, GroupsComeFromTheCaller) {
    const Topology topology = system_of_tests();
    const AtomGroups groups{{"Protein-H", {5, 3, 3}}, {"and", {1}}, {"far", {19}}, {"Two Words", {12}}};
    const SelectionContext context{.groups = &groups};
    const auto evaluate = [&](const char* text) {
        return Selection::parse(text).evaluate(topology, context);
    };
    EXPECT_EQ(evaluate("group Protein-H"), (Indices{3, 5}));
    EXPECT_EQ(evaluate("group \"and\" or group 'Two Words'"), (Indices{1, 12}));
    EXPECT_THAT(error_of([&] { evaluate("all and group protein-J"); }).what(),
                HasSubstr("column 9: there is no group 'protein-J' (did you mean 'Protein-H'?)"));
    EXPECT_THAT(error_of([&] { evaluate("group far"); }).what(), HasSubstr("has the atom 19"));
    EXPECT_THAT(error_of([&] { select(topology, "group far"); }).what(), HasSubstr("index file"));
}

/// Ten atoms along x, 0.3 nm apart, in a box of 3 nm; all of them are in residues of two.
struct Row {
    Row() {
        std::vector<Atom> atoms;
        for (std::int32_t i = 0; i < 10; ++i) {
            Atom atom;
            atom.name = i % 2 == 0 ? "A" : "B";
            atom.resname = "LIG";
            atom.resid = i / 2;
            atoms.push_back(atom);
            frame.positions.push_back({0.3F * static_cast<float>(i), 0.0F, 0.0F});
        }
        frame.box = {{3, 0, 0}, {0, 3, 0}, {0, 0, 3}};
        topology = Topology(std::move(atoms));
    }
    Indices evaluate(const std::string& text) const {
        return Selection::parse(text).evaluate(topology, {.frame = &frame});
    }

    Topology topology;
    Frame frame;
};

TEST(Selection, DistancesOfTheNearestImages) {
    const Row row;
    const std::vector<Case> cases{
        {"around 0.35 of index 0", {1, 9}},
        {"around 0.35 index 0", {1, 9}},
        {"within 0.35 of index 0", {0, 1, 9}},
        {"AROUND 0.35 OF INDEX 0 4", {1, 3, 5, 9}},
        {"around 0.35 of index 0 1", {2, 9}},
        {"around 0.35 of index 0 and name A", {}},
        {"around 0.65 of index 0 and name A", {2, 8}},
        {"around 0.35 of (resid 0 and name A)", {1, 9}},
        {"around 0.35 of not name A", {0, 2, 4, 6, 8}},
        {"not around 0.35 of index 0 1", {0, 1, 3, 4, 5, 6, 7, 8}},
        {"same residue as around 0.35 of index 0", {0, 1, 8, 9}},
        {"around 0.35 of same residue as index 0", {2, 9}},
        {"around 0.35 of around 0.35 of index 0", {0, 2, 8}},
        {"within 0.35 of 0.3 0 0", {0, 1, 2}},
        {"within 0.35 0.3 0 0 or index 9", {0, 1, 2, 9}},
        {"within 0.2 of -0.3 3 -3", {9}},
        {"within 0 of index 3", {3}},
        {"within 1 of none", {}},
        {"around 100 of index 3", {0, 1, 2, 4, 5, 6, 7, 8, 9}},
    };
    for (const Case& c : cases) EXPECT_EQ(row.evaluate(c.text), c.expected) << c.text;
}

TEST(Selection, NoImagesWithoutABox) {
    Row row;
    row.frame.box = {};
    EXPECT_EQ(row.evaluate("around 0.35 of index 0"), (Indices{1}));
    EXPECT_EQ(row.evaluate("within 0.35 of index 4 9"), (Indices{3, 4, 5, 8, 9}));
}

TEST(Selection, GeometryNeedsAFrame) {
    Row row;
    EXPECT_TRUE(Selection::parse("name A or not (same residue as within 1 of 0 0 0)").needs_positions());
    EXPECT_FALSE(Selection::parse("name around*").needs_positions());
    EXPECT_THAT(error_of([&] { select(row.topology, "name A and around 1 of name B"); }).what(),
                HasSubstr("column 12: 'around' needs the positions of a frame"));
    row.frame.positions.pop_back();
    EXPECT_THAT(error_of([&] { row.evaluate("within 1 of name B"); }).what(),
                HasSubstr("9 positions, the structure 10 atoms"));
}

}  // namespace
}  // namespace coromd::trajectory
