// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/extract.hpp"

#include "testing.hpp"

namespace coromd::trajectory {
namespace {

using testing::HasSubstr;

class Extract : public testing::Test {
protected:
    Extract() {
        write_trajectory(folder_ / "a.gro", 1);
        write_trajectory(folder_ / "a.trr", 4);
        write_trajectory(folder_ / "a.xtc", 4);
    }

    TemporaryFolder folder_;
    Trajectory trr_{folder_ / "a.trr", folder_ / "a.gro"};
    Trajectory xtc_{folder_ / "a.xtc", folder_ / "a.gro"};
};

TEST_F(Extract, CopiesAFrame) {
    const Trajectory one = extract_frame(trr_, -1, folder_ / "one.trr");
    ASSERT_EQ(one.n_frames(), 1);
    EXPECT_EQ(one.first_step(), 30);
    EXPECT_EQ(one.frame(0).velocities, trr_.frame(3).velocities);
    EXPECT_EQ(one.structure(), trr_.structure());
    EXPECT_EQ(read_bytes(folder_ / "one.trr"),
              read_bytes(folder_ / "a.trr").substr(3 * read_bytes(folder_ / "one.trr").size()));
}

TEST_F(Extract, InvertsVelocities) {
    ExtractOptions options;
    options.velocities = VelocityMode::inverted;
    const Frame frame = extract_frame(trr_, 1, folder_ / "one.trr", options).frame(0);
    EXPECT_EQ(frame.positions, trr_.frame(1).positions);
    EXPECT_EQ(frame.velocities[5].y, -trr_.frame(1).velocities[5].y);
    EXPECT_THAT(error_of([&] { extract_frame(xtc_, 1, folder_ / "two.trr", options); }).what(),
                HasSubstr("has none"));
    EXPECT_THAT(error_of([&] { extract_frame(trr_, 1, folder_ / "two.xtc", options); }).what(),
                HasSubstr("cannot hold velocities"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "two.trr"));
}

TEST_F(Extract, DrawsVelocitiesReproducibly) {
    const auto draw = [&](const char* key, const char* name) {
        RandomStream random(1, key);
        ExtractOptions options;
        options.velocities = VelocityMode::maxwell_boltzmann;
        options.temperature_k = 300.0;
        options.random = &random;
        return extract_frame(xtc_, 0, folder_ / name, options).frame(0).velocities;
    };
    const auto first = draw("walker 1", "one.trr");
    EXPECT_EQ(first.size(), 12U);
    EXPECT_EQ(first, draw("walker 1", "two.trr"));
    EXPECT_NE(first, draw("walker 2", "three.trr"));
    ExtractOptions without;
    without.velocities = VelocityMode::maxwell_boltzmann;
    without.temperature_k = 300.0;
    EXPECT_THAT(error_of([&] { extract_frame(xtc_, 0, folder_ / "four.trr", without); }).what(),
                HasSubstr("random stream"));
}

TEST_F(Extract, TransformsTheFrame) {
    ExtractOptions options;
    options.transform = [](Frame& frame) {
        for (Vec3f& p : frame.positions) p.x += 1.0F;
    };
    const Frame frame = extract_frame(trr_, 2, folder_ / "one.trr", options).frame(0);
    EXPECT_EQ(frame.positions[7].x, trr_.frame(2).positions[7].x + 1.0F);
}

TEST_F(Extract, FailedTransformationLeavesNoFile) {
    ExtractOptions options;
    options.transform = [](Frame&) { fail(ErrorKind::usage, "no"); };
    EXPECT_EQ(error_of([&] { extract_frame(trr_, 2, folder_ / "one.trr", options); }).message(), "no");
    EXPECT_THAT(folder_.names(), testing::UnorderedElementsAre("a.gro", "a.trr", "a.xtc"));
}

}  // namespace
}  // namespace coromd::trajectory
