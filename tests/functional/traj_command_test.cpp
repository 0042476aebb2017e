// SPDX-License-Identifier: LGPL-3.0-or-later
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "coromd/trajectory/frame_writer.hpp"
#include "coromd/trajectory/trajectory.hpp"
#include "program.hpp"

namespace coromd::functional {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using trajectory::Frame;
using trajectory::FrameWriter;
using trajectory::Trajectory;

/// Five atoms, those of the campaign's structure.
class Traj : public CampaignTest {
protected:
    void write_part(const std::string& name, std::int64_t first_step, int n_frames) const {
        FrameWriter writer(folder_ / name);
        for (int i = 0; i < n_frames; ++i) {
            Frame frame;
            frame.step = first_step + 10 * i;
            frame.time_ps = 0.02 * static_cast<double>(frame.step);
            frame.box = {{3, 0, 0}, {0, 3, 0}, {0, 0, 3}};
            for (int atom = 0; atom < 5; ++atom) {
                frame.positions.push_back(
                    {0.1F * static_cast<float>(atom), 0.01F * static_cast<float>(i), 0});
                frame.velocities.push_back({1.0F, 0, static_cast<float>(i)});
            }
            writer.write(frame);
        }
        writer.close();
    }
    Traj() {
        write_part("a.trr", 0, 4);
        write_part("b.trr", 30, 3);
    }
    json info(const std::vector<std::string>& arguments) const {
        std::vector<std::string> all{"traj", "info", "--json"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        const Ended ended = coromd(all);
        EXPECT_EQ(ended.exit_code, 0) << ended.err;
        return json::parse(ended.out, nullptr, false);
    }
};

TEST_F(Traj, InfoReadsPartsAsOne) {
    const json found = info({"a.trr", "b.trr", "--fingerprint"});
    EXPECT_EQ(found["n_frames"], 6);
    EXPECT_EQ(found["n_atoms"], 5);
    EXPECT_EQ(found["last_step"], 50);
    EXPECT_NEAR(found["dt_ps"], 0.2, 1e-6);
    EXPECT_EQ(found["has_velocities"], true);
    EXPECT_EQ(found["has_forces"], false);
    EXPECT_EQ(found["box"][1][1], 3.0);
    EXPECT_EQ(found["fingerprint"].get<std::string>().size(), 32U);
    EXPECT_TRUE(found["asyncmd_hash"].is_number_unsigned());
    const Ended text = coromd({"traj", "info", "a.trr", "b.trr"});
    EXPECT_THAT(text.out, AllOf(HasSubstr("0 to 50"), HasSubstr("0 ps to 1 ps, every 0.2 ps")));
}

TEST_F(Traj, CatTakesSlicesAsPythonDoes) {
    ASSERT_EQ(coromd({"traj", "cat", "all.trr", "b.trr[::-1]", "a.trr[-2::-1]"}).exit_code, 0);
    const json found = info({"all.trr"});
    EXPECT_EQ(found["n_frames"], 6);
    EXPECT_EQ(found["first_step"], 50);
    EXPECT_EQ(found["last_step"], 0);
    EXPECT_EQ(Trajectory(folder_ / "all.trr", "").frame(0).velocities[0].x, -1.0F);
    EXPECT_EQ(coromd({"traj", "cat", "all.trr", "a.trr"}).exit_code, 2) << "it is there";
    ASSERT_EQ(coromd({"traj", "cat", "all.trr", "a.trr[-1]", "b.trr", "--overwrite"}).exit_code, 0);
    EXPECT_EQ(info({"all.trr"})["n_frames"], 3) << "the double frame is dropped";
    ASSERT_EQ(coromd({"traj", "cat", "all.trr", "a.trr[-1]", "b.trr", "--overwrite", "--keep-double-frames"})
                  .exit_code,
              0);
    EXPECT_EQ(info({"all.trr"})["n_frames"], 4);
    for (const char* wrong : {"a.trr[1:2:3:4]", "a.trr[x:]", "a.trr[::0]", "a.trr[]", "a.trr[7:]"})
        EXPECT_EQ(coromd({"traj", "cat", "none.trr", wrong}).exit_code, 2) << wrong;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "none.trr"));
}

TEST_F(Traj, ConvertKeepsWhatIsSelectedWithItsStructure) {
    const std::string structure = "start.gro";
    ASSERT_TRUE(std::filesystem::exists(folder_ / structure));
    const Ended ended =
        coromd({"traj", "convert", "a.trr", "some.xtc", "-s", structure, "--select", "index 1 3"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(info({"some.xtc", "-s", "some.gro"})["n_atoms"], 2);
    EXPECT_EQ(coromd({"traj", "convert", "a.trr", "x.gro"}).exit_code, 2) << "names are needed";
    EXPECT_EQ(coromd({"traj", "convert", "a.trr", "x.xtc", "-s", structure, "--select", "nmae CA"}).exit_code,
              2);
}

TEST_F(Traj, ExtractChangesVelocities) {
    ASSERT_EQ(coromd({"traj", "extract", "-i", "-1", "one.trr", "a.trr", "--velocities", "invert"}).exit_code,
              0);
    EXPECT_EQ(Trajectory(folder_ / "one.trr", "").frame(0).velocities[0], (trajectory::Vec3f{-1, 0, -3}));
    const auto drawn = [&](const char* seed) {
        const Ended ended = coromd({"traj", "extract", "-i", "0", "one.trr", "a.trr", "--overwrite",
                                    "--velocities", "mb:300", "--seed", seed, "-s", "start.gro"});
        EXPECT_EQ(ended.exit_code, 0) << ended.err;
        return Trajectory(folder_ / "one.trr", "").frame(0).velocities;
    };
    const auto first = drawn("7");
    EXPECT_EQ(drawn("7"), first);
    EXPECT_NE(drawn("8"), first);
    for (const char* wrong : {"mb:", "mb:-3", "mb:warm", "turn"})
        EXPECT_EQ(coromd({"traj", "extract", "-i", "0", "x.trr", "a.trr", "--velocities", wrong}).exit_code,
                  2);
    EXPECT_EQ(coromd({"traj", "extract", "-i", "4", "x.trr", "a.trr"}).exit_code, 2);
}

TEST_F(Traj, CheckAndRepair) {
    EXPECT_EQ(coromd({"traj", "check", "a.trr", "b.trr"}).exit_code, 0);
    std::string bytes = read("a.trr");
    write("cut.trr", bytes.substr(0, bytes.size() - 5));
    const Ended found = coromd({"traj", "check", "cut.trr", "--json"});
    EXPECT_EQ(found.exit_code, 1);
    const json flaw = json::parse(found.out)[0]["flaws"][0];
    EXPECT_EQ(flaw["last_good_frame"], 2);
    EXPECT_EQ(flaw["offset"], static_cast<std::int64_t>(bytes.size() / 4 * 3));
    EXPECT_EQ(coromd({"traj", "repair", "cut.trr", "good.trr"}).exit_code, 0);
    EXPECT_EQ(read("good.trr"), bytes.substr(0, bytes.size() / 4 * 3));
    EXPECT_EQ(coromd({"traj", "check", "good.trr"}).exit_code, 0);
    EXPECT_EQ(coromd({"traj", "check", "nowhere.trr"}).exit_code, 2);
}

}  // namespace
}  // namespace coromd::functional
