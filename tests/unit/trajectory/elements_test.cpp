// SPDX-License-Identifier: LGPL-3.0-or-later
#include "elements.hpp"

#include "testing.hpp"

namespace coromd::trajectory {
namespace {

TEST(Elements, AreGuessedFromNames) {
    struct Case {
        const char* atom;
        const char* residue;
        const char* symbol;
    };
    for (const Case& c : {Case{"CA", "ALA", "C"},   Case{"CA", "CA", "CA"},   Case{"CAL", "CAL", "CA"},
                          Case{"HW1", "SOL", "H"},  Case{"OW", "SOL", "O"},   Case{"NA", "NA", "NA"},
                          Case{"NA", "HEM", "N"},   Case{"NA", "NA+", "NA"},  Case{"CL", "CL", "CL"},
                          Case{"CL-", "CL-", "CL"}, Case{"CLA", "CLA", "CL"}, Case{"SOD", "SOD", "NA"},
                          Case{"POT", "POT", "K"},  Case{"MG", "MG", "MG"},   Case{"MW", "SOL", "M"},
                          Case{"LP1", "SOL", "M"},  Case{"1HB", "ALA", "H"},  Case{"HO5'", "DA", "H"},
                          Case{"CD1", "ILE", "C"},  Case{"CD", "CD", "CD"},   Case{"CE", "LYS", "C"},
                          Case{"SG", "CYS", "S"},   Case{"SE", "MSE", "SE"},  Case{"P", "DA", "P"},
                          Case{"AR", "AR", "AR"},   Case{"BR1", "LIG", "BR"}, Case{"ZN", "ZN", "ZN"},
                          Case{"F1", "LIG", "F"},   Case{"HG", "SER", "H"},   Case{"CU", "CU", "CU"},
                          Case{"OXT", "ALA", "O"}}) {
        const Element* element = guess_element(c.atom, c.residue);
        ASSERT_TRUE(element) << c.atom << " in " << c.residue;
        EXPECT_EQ(element->symbol, c.symbol) << c.atom << " in " << c.residue;
    }
    EXPECT_EQ(guess_element("MW", "SOL")->mass_amu, 0.0);
    EXPECT_FALSE(guess_element("X1", "LIG"));
    EXPECT_FALSE(guess_element("", "LIG"));
    EXPECT_FALSE(guess_element("123", "LIG"));
}

TEST(Elements, ProteinResidues) {
    for (const char* name : {"ALA", "HISE", "ACE", "NME", "NALA", "CALA", "VAL"})
        EXPECT_TRUE(is_protein_residue(name)) << name;
    for (const char* name : {"SOL", "NA", "CL", "DA", "", "XALA"})
        EXPECT_FALSE(is_protein_residue(name)) << name;
}

}  // namespace
}  // namespace coromd::trajectory
