// SPDX-License-Identifier: LGPL-3.0-or-later
#include <cmath>
#include <fstream>
#include <sstream>

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

TEST_F(Traj, TransformationsTakeEffectInTheOrderGiven) {
    const auto first_position = [&](std::vector<std::string> options) {
        options.insert(options.begin(),
                       {"traj", "convert", "a.trr", "t.trr", "--overwrite", "-s", "start.gro"});
        const Ended ended = coromd(options);
        EXPECT_EQ(ended.exit_code, 0) << ended.err;
        return Trajectory(folder_ / "t.trr", "").frame(0).positions[1];
    };
    const auto near = [](const trajectory::Vec3f& a, const trajectory::Vec3f& b) {
        return std::abs(a.x - b.x) + std::abs(a.y - b.y) + std::abs(a.z - b.z) < 1e-5F;
    };
    // Atom 1 is at (0.1, 0, 0).
    EXPECT_TRUE(near(first_position({"--translate", "1,0,0", "--rotate", "z:90"}), {0, 1.1F, 0}));
    EXPECT_TRUE(near(first_position({"--rotate", "z:90", "--translate", "1,0,0"}), {1, 0.1F, 0}));
    EXPECT_TRUE(near(first_position({"--translate", "-1,0,0", "--translate", "-1,0.5,0"}), {-1.9F, 0.5F, 0}));
    EXPECT_TRUE(near(first_position({"--translate", "-1,0,0", "--wrap", "atoms"}), {2.1F, 0, 0}));
    EXPECT_TRUE(near(first_position({"--centre", "index 1"}), {1.5F, 1.5F, 1.5F}));
    EXPECT_TRUE(near(first_position({"--centre", "index 1", "--centre-at", "1,2,3"}), {1, 2, 3}));
    EXPECT_TRUE(near(first_position({"--rotate", "1,0,0:180@0,1,0"}), {0.1F, 2, 0}));
    // The atoms of each frame move along y by 0.01 nm, which a fit to the first undoes.
    first_position({"--fit", "all", "--fit-kind", "translation", "--weights", "none"});
    EXPECT_NEAR(Trajectory(folder_ / "t.trr", "").frame(-1).positions[0].y, 0.0F, 1e-6F);
    EXPECT_TRUE(near(first_position({"--fit", "index 1", "--fit-kind", "translation", "--fit-to", "a.trr"}),
                     {0.1F, 0, 0}));
    ASSERT_EQ(coromd({"traj", "extract", "-i", "-1", "e.trr", "a.trr", "-s", "start.gro", "--unwrap", "--fit",
                      "index 0", "--fit-kind", "translation"})
                  .exit_code,
              0);
    EXPECT_NEAR(Trajectory(folder_ / "e.trr", "").frame(0).positions[0].y, 0.0F, 1e-6F);
}

TEST_F(Traj, TransformationsThatMakeNoSenseAreErrors) {
    const std::vector<std::vector<std::string>> wrong{{"--wrap", "everything"},
                                                      {"--wrap", "atoms:"},
                                                      {"--translate", "1,2"},
                                                      {"--translate", "1,2,x"},
                                                      {"--translate", "1,2,3,4"},
                                                      {"--rotate", "z"},
                                                      {"--rotate", "w:90"},
                                                      {"--rotate", "0,0,0:90"},
                                                      {"--centre", "name XX"},
                                                      {"--centre", "nmae CA"},
                                                      {"--fit", "index 1"},
                                                      {"--fit-to", "a.trr"},
                                                      {"--centre-at", "1,1,1"},
                                                      {"--weights", "none"},
                                                      {"--fit", "all", "--fit-kind", "turn"},
                                                      {"--whole"},
                                                      {"--wrap", "molecules"},
                                                      {"--unwrap-displacements"},
                                                      {"--centre", "around 1 of index 0"},
                                                      {"--fit", "all", "--fit-to", "nowhere.gro"}};
    for (std::vector<std::string> options : wrong) {
        const std::string shown = options.front() + " " + options.back();
        options.insert(options.begin(), {"traj", "convert", "a.trr", "t.trr", "-s", "start.gro"});
        EXPECT_EQ(coromd(options).exit_code, 2) << shown;
        EXPECT_FALSE(std::filesystem::exists(folder_ / "t.trr")) << shown;
    }
    const Ended whole = coromd({"traj", "convert", "a.trr", "t.trr", "-s", "start.gro", "--whole"});
    EXPECT_THAT(whole.err, HasSubstr("give the .tpr"));
}

TEST_F(Traj, GroupsOfAnIndexFile) {
    write("my.ndx", "[ My Group ]\n2 4\n[ One ]\n1\n");
    ASSERT_EQ(coromd({"traj", "cat", "some.xtc", "a.trr", "-s", "start.gro", "-n", "my.ndx", "--select",
                      "group \"My Group\"", "--centre", "group One"})
                  .exit_code,
              0);
    EXPECT_EQ(info({"some.xtc", "-s", "some.gro"})["n_atoms"], 2);
    const auto moved = Trajectory(folder_ / "some.xtc", "").frame(0).positions[0];
    EXPECT_NEAR(moved.x, 1.6F, 1e-3) << "atom 1 is in the centre, and was not kept";
    EXPECT_NEAR(Trajectory(folder_ / "some.gro", "").frame(0).positions[0].x, 1.6F, 1e-3) << "as written";
    const Ended none = coromd({"traj", "cat", "x.xtc", "a.trr", "-s", "start.gro", "-n", "my.ndx", "--select",
                               "group \"My Grup\""});
    EXPECT_EQ(none.exit_code, 2);
    EXPECT_THAT(none.err, HasSubstr("did you mean 'My Group'"));
    EXPECT_THAT(coromd({"traj", "cat", "x.xtc", "a.trr", "-s", "start.gro", "--select", "group A"}).err,
                HasSubstr("index file"));
    write("twice.ndx", "[ A ]\n2 4\n[ A ]\n1\n");
    EXPECT_EQ(coromd({"traj", "cat", "x.xtc", "a.trr", "-s", "start.gro", "-n", "twice.ndx"}).exit_code, 2);
}

TEST_F(Traj, CheckLooksAtTheSeams) {
    const Ended good = coromd({"traj", "check", "a.trr", "b.trr"});
    EXPECT_EQ(good.exit_code, 0);
    EXPECT_THAT(good.out, HasSubstr("b.trr, after a.trr: the frame at 0.6 ps is in both files"));
    write_part("gap.trr", 80, 3);
    write_part("on.trr", 60, 3);
    EXPECT_EQ(coromd({"traj", "check", "a.trr", "b.trr", "on.trr"}).exit_code, 0);
    const Ended gap = coromd({"traj", "check", "a.trr", "b.trr", "gap.trr", "--json"});
    EXPECT_EQ(gap.exit_code, 1);
    const json found = json::parse(gap.out);
    EXPECT_FALSE(found[0].contains("seam"));
    EXPECT_EQ(found[1]["seam"]["flaw"], false);
    EXPECT_EQ(found[2]["seam"]["what"], "the time jumps from 1 to 1.6 ps");
    EXPECT_EQ(coromd({"traj", "check", "b.trr", "a.trr"}).exit_code, 1) << "back in time";
}

TEST_F(Traj, TheGuideHasTheTableOfFormats) {
    const Ended table = coromd({"traj", "formats", "--markdown"});
    ASSERT_EQ(table.exit_code, 0);
    std::ifstream file(COROMD_GUIDE "/trajectories.md");
    std::ostringstream guide;
    guide << file.rdbuf();
    EXPECT_THAT(guide.str(), HasSubstr("<!-- coromd traj formats --markdown -->\n" + table.out +
                                       "<!-- end of formats -->\n"));
    const json formats = json::parse(coromd({"traj", "formats", "--json"}).out);
    EXPECT_EQ(formats[0]["extensions"][0], ".xtc");
    EXPECT_THAT(coromd({"traj", "formats"}).out, HasSubstr("XTC"));
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
