// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/selection.hpp"

#include "testing.hpp"

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

TEST(Selection, SelectsWhatItSays) {
    const Topology topology = system_of_tests();
    struct Case {
        const char* text;
        Indices expected;
    };
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
    };
    for (const Case& c : cases) EXPECT_EQ(select(topology, c.text), c.expected) << c.text;
    EXPECT_EQ(select(topology, "all").size(), 19U);
}

TEST(Selection, ErrorsPointAtThePlace) {
    const Topology topology = system_of_tests();
    struct Case {
        const char* text;
        std::size_t column;
        const char* message;
    };
    const std::vector<Case> cases{
        {"", 1, "a selection is expected"},
        {"name", 1, "needs a name"},
        {"name and resid 1", 1, "needs a name"},
        {"names CA", 1, "unknown keyword 'names': known are name, resname, resid, index, bynum"},
        {"name CA and", 12, "the selection ends"},
        {"name CA or or", 12, "unknown keyword"},
        {"(name CA", 1, "never closed"},
        {"name CA)", 8, "not ')'"},
        {"name CA (name CB)", 9, "not '('"},
        {"resid x", 7, "no number"},
        {"resid 3-", 7, "no number"},
        {"resid 1 5-3", 9, "backwards"},
        {"index 19", 7, "'19' is out of range: the atoms are 0 to 18"},
        {"index -1", 7, "out of range"},
        {"index 5-19", 7, "out of range"},
        {"bynum 0", 7, "the atoms are 1 to 19"},
        {"bynum 20", 7, "out of range"},
        {"index 99999999999999999999", 7, "no number"},
        {"all all", 5, "expected, not 'all'"},
    };
    for (const Case& c : cases) {
        const Error error = error_of([&] { select(topology, c.text); });
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.what(), HasSubstr(c.message)) << c.text;
        EXPECT_THAT(error.what(), HasSubstr("column " + std::to_string(c.column) + ":")) << c.text;
        const std::string caret = "\n    " + std::string(c.column - 1, ' ') + "^";
        EXPECT_THAT(error.what(), HasSubstr(std::string("\n    ") + c.text + caret)) << c.text;
    }
}

TEST(Selection, NothingSelectedIsAnError) {
    EXPECT_THAT(error_of([] { select(system_of_tests(), "name ZZ"); }).what(),
                HasSubstr("'name ZZ' matches no atom"));
}

TEST(Selection, HostileTextsAreRefused) {
    const Topology topology = system_of_tests();
    EXPECT_THAT(error_of([&] { select(topology, std::string(100000, '(')); }).what(),
                HasSubstr("nested too deeply"));
    std::string nots;
    for (int i = 0; i < 100000; ++i) nots += "not ";
    EXPECT_THAT(error_of([&] { select(topology, nots + "all"); }).what(), HasSubstr("nested too deeply"));
    EXPECT_EQ(select(topology, "name " + std::string(2000, '*') + "CA").size(), 1U);
}

}  // namespace
}  // namespace coromd::trajectory
