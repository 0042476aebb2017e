// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What every format promises, whichever there are.
#include "coromd/trajectory/format.hpp"

#include "testing.hpp"

namespace coromd::trajectory {
namespace {

TEST(Formats, AreFoundByExtension) {
    EXPECT_EQ(format_of("a.xtc").name, "XTC");
    EXPECT_EQ(format_of("/x.gro/a.TRR").name, "TRR");
    EXPECT_THAT(error_of([] { format_of("a"); }).what(),
                testing::HasSubstr("known are .xtc, .trr, .gro, .pdb, .ent, .tpr"));
    EXPECT_EQ(frame_format_of("a.tpr").name, "TPR");
}

TEST(Formats, MetadataIsTrue) {
    for (const Format& format : builtin_formats().entries()) {
        EXPECT_FALSE(format.description.empty()) << format.name;
        EXPECT_FALSE(format.extensions.empty()) << format.name;
        EXPECT_EQ(format.reads_frames || format.writes_frames, bool(format.make_codec)) << format.name;
        EXPECT_TRUE(format.make_codec || format.read_topology) << format.name;
        if (!format.writes_frames) continue;

        const TemporaryFolder folder;
        Frame frame = with_velocities(water_like_frame(12, 1000));
        frame.forces = frame.velocities;
        const auto path = folder / ("a" + format.extensions.front());
        write_frame(path, frame, {.overwrite = false, .topology = water_topology(12)});
        const Frame read = Trajectory(path, "").frame(0);
        EXPECT_EQ(read.step, frame.step) << format.name;
        EXPECT_NEAR(read.time_ps, frame.time_ps, 1e-6) << format.name;
        EXPECT_EQ(read.box, frame.box) << format.name;
        EXPECT_EQ(read.has_velocities(), format.stores_velocities) << format.name;
        EXPECT_EQ(read.has_forces(), format.stores_forces) << format.name;
        EXPECT_EQ(read.positions == frame.positions, format.exact) << format.name;
        EXPECT_LT(largest_difference(read.positions, frame.positions), 0.000501F) << format.name;
        if (format.needs_topology) {
            EXPECT_EQ(
                error_of([&] { write_frame(folder / ("b" + format.extensions.front()), frame); }).kind(),
                ErrorKind::usage);
        }
    }
}

}  // namespace
}  // namespace coromd::trajectory
