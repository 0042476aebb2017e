// SPDX-License-Identifier: LGPL-3.0-or-later
#include "made_tpr.hpp"
#include "testing.hpp"

namespace coromd::trajectory {
namespace {

class Tpr : public testing::Test {
protected:
    Topology read(const std::string& bytes) {
        write_bytes(folder_ / "a.tpr", bytes);
        return read_topology(folder_ / "a.tpr");
    }
    void expect_frame() {
        const Trajectory start(folder_ / "a.tpr", folder_ / "a.tpr");
        ASSERT_EQ(start.n_frames(), 1);
        EXPECT_EQ(start.topology()->size(), 8);
        const Frame frame = start.frame(0);
        EXPECT_TRUE(std::isnan(frame.time_ps));
        EXPECT_EQ(frame.box, (Box{{3, 0, 0}, {0, 3, 0}, {0, 0, 3}}));
        ASSERT_EQ(frame.positions.size(), 8U);
        ASSERT_EQ(frame.velocities.size(), 8U);
        EXPECT_EQ(frame.positions[0], (Vec3f{0, 0.125F, 0.25F}));
        EXPECT_EQ(frame.positions[7], (Vec3f{2.625F, 2.75F, 2.875F}));
        EXPECT_EQ(frame.velocities[7], (Vec3f{5.625F, 5.75F, 5.875F}));
        const Frame some = start.frame(0, {.atoms = 3, .velocities = false});
        EXPECT_EQ(some.positions.size(), 3U);
        EXPECT_FALSE(some.has_velocities());
    }
    Frame read_frame(const std::string& bytes) {
        write_bytes(folder_ / "a.tpr", bytes);
        return Trajectory(folder_ / "a.tpr", "").frame(0);
    }
    Error error_with(const std::string& bytes) {
        return error_of([&] { read(bytes); });
    }

    TemporaryFolder folder_;
};

TEST_F(Tpr, EveryKnownVersionAndPrecision) {
    for (std::int32_t version = 119; version <= 133; ++version) {
        for (const bool doubles : {false, true}) {
            TprBuilder builder;
            builder.version = version;
            builder.doubles = doubles;
            const Topology topology = read(builder.build());
            ASSERT_EQ(topology.size(), 8) << version;
            EXPECT_TRUE(topology.has_masses());
            const auto& atoms = topology.atoms();
            EXPECT_EQ(atoms[0].name, "CA");
            EXPECT_EQ(atoms[0].resname, "ALA");
            EXPECT_EQ(atoms[0].resid, 7);
            EXPECT_FLOAT_EQ(static_cast<float>(atoms[0].mass_amu), 12.01F);
            EXPECT_EQ(atoms[1].resname, "GLY");
            EXPECT_EQ(atoms[1].resid, 8);
            EXPECT_EQ(atoms[1].charge_e, -0.25);
            // Molecules of one residue are numbered on.
            EXPECT_EQ(atoms[4].resid, 9);
            EXPECT_EQ(atoms[5].resid, 10);
            EXPECT_EQ(atoms[7].name, "HW");
            EXPECT_EQ(atoms[0].type, "CT");
            EXPECT_EQ(atoms[1].type, "H1");
            EXPECT_EQ(atoms[7].type, "HW_x");
            EXPECT_EQ(atoms[1].moltype, "PEP");
            EXPECT_EQ(atoms[2].moltype, "SOL");
            EXPECT_EQ(atoms[0].element, "C");
            EXPECT_EQ(atoms[2].element, "O");
            EXPECT_EQ(atoms[3].element, "");
            EXPECT_EQ(atoms[4].element, "");
            EXPECT_EQ(atoms[1].molecule, 0);
            EXPECT_EQ(atoms[4].molecule, 1);
            EXPECT_EQ(atoms[5].molecule, 2);
            EXPECT_EQ(topology.bonds(), (std::vector<Bond>{{2, 3}, {2, 4}, {5, 6}, {5, 7}}));
            expect_frame();
        }
    }
}

TEST_F(Tpr, GromacsFileWithEveryKindOfInteraction) {
    // exotic.top has nearly all that GROMACS 2022.5 knows, and so all that has to be skipped.
    const Topology topology = read_topology(golden("exotic.tpr"));
    ASSERT_EQ(topology.size(), 60);
    EXPECT_EQ(topology.atoms()[1].name, "IO");
    EXPECT_FLOAT_EQ(static_cast<float>(topology.atoms()[1].mass_amu), 22.99F);
    EXPECT_EQ(topology.atoms()[1].charge_e, 1.0);
    EXPECT_EQ(topology.atoms()[1].resid, 9);
    EXPECT_EQ(topology.atoms()[2].name, "A1");
    EXPECT_EQ(topology.atoms()[2].resname, "ONE");
    EXPECT_EQ(topology.atoms()[9].name, "A8");
    EXPECT_EQ(topology.atoms()[9].mass_amu, 19.5);
    EXPECT_EQ(topology.atoms()[9].resid, 7);
    EXPECT_EQ(topology.atoms()[10].mass_amu, 0.0);
    EXPECT_EQ(topology.atoms()[59].resid, 13);
    // What gmx dump shows of the types and molecules.
    EXPECT_EQ(topology.atoms()[0].moltype, "ION");
    EXPECT_EQ(topology.atoms()[1].molecule, 1);
    EXPECT_EQ(topology.atoms()[2].type, "A");
    EXPECT_EQ(topology.atoms()[2].element, "C");
    EXPECT_EQ(topology.atoms()[2].moltype, "EXO");
    EXPECT_EQ(topology.atoms()[2].molecule, 2);
    EXPECT_EQ(topology.atoms()[10].type, "D");
    EXPECT_EQ(topology.atoms()[10].element, "");
    EXPECT_EQ(topology.atoms()[59].moltype, "ION");
    EXPECT_EQ(topology.atoms()[59].molecule, 8);
}

TEST_F(Tpr, TheFrameOfAGromacsFile) {
    const Frame frame = Trajectory(golden("exotic.tpr"), "").frame(0);
    ASSERT_EQ(frame.positions.size(), 60U);
    EXPECT_EQ(frame.box, (Box{{4, 0, 0}, {0, 4, 0}, {0, 0, 4}}));
    for (const Vec3f& x : frame.positions) EXPECT_TRUE(std::abs(x.x) < 6 && std::abs(x.y) < 6) << x.x;
}

TEST_F(Tpr, AFrameThatDoesNotFitIsAnError) {
    TprBuilder periodicity;
    periodicity.periodicity = 17;
    EXPECT_THAT(error_of([&] { read_frame(periodicity.build()); }).what(),
                testing::HasSubstr("kind of periodicity 17"));
    const std::string good = TprBuilder().build();
    EXPECT_EQ(read_frame(good).positions.size(), 8U);
    for (std::size_t i = 0; i < good.size(); ++i) {
        if (i % 3 == 0) {
            EXPECT_EQ(error_of([&] { read_frame(good.substr(0, i)).n_atoms(); }).kind(),
                      i == 0 ? ErrorKind::usage : ErrorKind::input);
        }
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 0xff);
        try {
            EXPECT_EQ(read_frame(bad).positions.size(), 8U);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
        }
    }
}

TEST_F(Tpr, OtherVersionsAreNamed) {
    for (const std::int32_t version : {58, 118, 134, 999}) {
        TprBuilder builder;
        builder.version = version;
        const Error error = error_with(builder.build());
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.what(), testing::HasSubstr("file version " + std::to_string(version)));
        EXPECT_THAT(error.what(), testing::HasSubstr(".gro"));
    }
}

TEST_F(Tpr, WhatDoesNotAddUpIsAnError) {
    TprBuilder atoms;
    atoms.n_atoms = 9;
    EXPECT_THAT(error_with(atoms.build()).what(), testing::HasSubstr("8 atoms, the header says 9"));
    TprBuilder molecules;
    molecules.n_waters = 1000000000;
    EXPECT_THAT(error_with(molecules.build()).what(), testing::HasSubstr("more than 8 atoms"));
    TprBuilder type;
    type.unknown_type = 34;
    EXPECT_THAT(error_with(type.build()).what(), testing::HasSubstr("interaction type 34"));
    TprBuilder tag;
    tag.tag = "mybranch";
    EXPECT_THAT(error_with(tag.build()).what(), testing::HasSubstr("mybranch"));
    EXPECT_THAT(error_with("this is text").what(), testing::HasSubstr("a.tpr"));
    EXPECT_EQ(error_with("").kind(), ErrorKind::input);
}

}  // namespace
}  // namespace coromd::trajectory
