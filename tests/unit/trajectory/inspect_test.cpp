// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/inspect.hpp"

#include "coromd/trajectory/asyncmd_hash.hpp"
#include "coromd/trajectory/concatenate.hpp"
#include "testing.hpp"

namespace coromd::trajectory {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Inspect : public testing::TestWithParam<const char*> {
protected:
    /// Eleven frames, of which tests break the one in the middle.
    std::string whole() {
        write_trajectory(file(), 11, 0, 10, 60);
        return read_bytes(file());
    }
    std::filesystem::path file() const { return folder_ / (std::string("a") + GetParam()); }
    std::size_t offset_of_frame(std::int64_t i) const {
        FrameIndex index(file());
        index.refresh();
        return static_cast<std::size_t>(index.at(i).offset);
    }
    Inspection inspect_bytes(const std::string& bytes) const {
        write_bytes(file(), bytes);
        return inspect(file());
    }

    TemporaryFolder folder_;
};

TEST_P(Inspect, AWholeFileIsWell) {
    whole();
    const Inspection found = inspect(file());
    EXPECT_EQ(found.n_good, 11);
    EXPECT_THAT(found.flaws, IsEmpty());
}

TEST_P(Inspect, TellsWhereTheFileIsCutOff) {
    const std::string bytes = whole();
    const std::size_t last = offset_of_frame(10);
    for (const std::size_t size : {last + 1, last + 40, bytes.size() - 1}) {
        const Inspection found = inspect_bytes(bytes.substr(0, size));
        EXPECT_EQ(found.n_good, 10);
        ASSERT_THAT(found.flaws, SizeIs(1)) << size;
        EXPECT_EQ(found.flaws[0].offset, static_cast<std::int64_t>(last));
        EXPECT_EQ(found.flaws[0].last_good, 9);
        EXPECT_TRUE(found.flaws[0].damage);
        EXPECT_EQ(found.flaws[0].what, fmt::format("the file ends {} bytes into a frame", size - last));
    }
}

TEST_P(Inspect, GoesOnBehindAHeaderThatMakesNoSense) {
    const std::string bytes = whole();
    const std::size_t middle = offset_of_frame(5);
    const std::size_t next = offset_of_frame(6);
    for (const char filling : {'\xff', '\0', 'x'}) {
        const Inspection found = inspect_bytes(std::string(bytes).replace(middle, 60, 60, filling));
        EXPECT_EQ(found.n_good, 10);
        ASSERT_THAT(found.flaws, SizeIs(1)) << filling;
        EXPECT_EQ(found.flaws[0].offset, static_cast<std::int64_t>(middle));
        EXPECT_EQ(found.flaws[0].last_good, 4);
        EXPECT_THAT(found.flaws[0].what, HasSubstr(fmt::format("the next whole frame is at byte {}", next)));
    }
}

TEST_P(Inspect, TellsWhereTimesJump) {
    write_trajectory(folder_ / "tail.trr", 3, 500, 10, 60);
    whole();
    const Trajectory here(file(), "");
    concatenate({{here, {}}, {Trajectory(folder_ / "tail.trr", ""), {}}},
                folder_ / (std::string("b") + GetParam()));
    const Inspection found = inspect(folder_ / (std::string("b") + GetParam()));
    EXPECT_EQ(found.n_good, 14);
    ASSERT_THAT(found.flaws, SizeIs(1));
    EXPECT_FALSE(found.flaws[0].damage);
    EXPECT_EQ(found.flaws[0].last_good, 10);
    EXPECT_THAT(found.flaws[0].what, HasSubstr("the time jumps from"));
}

TEST_P(Inspect, RepairKeepsAllGoodFramesByteForByte) {
    const std::string bytes = whole();
    const std::size_t from = offset_of_frame(5);
    const std::size_t to = offset_of_frame(6);
    write_bytes(file(), std::string(bytes).replace(from, 60, 60, '\xff').substr(0, bytes.size() - 3));
    const std::filesystem::path out = folder_ / (std::string("out") + GetParam());
    const Inspection found = repair(file(), out);
    EXPECT_EQ(found.n_good, 9);
    FrameIndex index(out);
    index.refresh();
    EXPECT_EQ(read_bytes(out),
              bytes.substr(0, from) + bytes.substr(to, static_cast<std::size_t>(index.end_offset()) - from));
    EXPECT_EQ(error_of([&] { repair(file(), out); }).kind(), ErrorKind::usage);
    EXPECT_NO_THROW(repair(file(), out, true));
}

TEST_P(Inspect, OfNoGoodFrameThereIsNothingToRepair) {
    write_bytes(file(), std::string(300, '\xff'));
    EXPECT_EQ(error_of([&] { repair(file(), folder_ / (std::string("out") + GetParam())); }).kind(),
              ErrorKind::input);
    EXPECT_FALSE(std::filesystem::exists(folder_ / (std::string("out") + GetParam())));
    EXPECT_EQ(error_of([&] { repair(file(), folder_ / "out.gro"); }).kind(), ErrorKind::usage);
}

INSTANTIATE_TEST_SUITE_P(Formats, Inspect, testing::Values(".xtc", ".trr"),
                         [](const auto& info) { return std::string(info.param + 1); });

TEST(InspectXtc, FindsBitsThatHaveChangedWithinTheRangeOfTheFormat) {
    TemporaryFolder folder;
    write_trajectory(folder / "a.xtc", 3, 0, 10, 300);
    std::string bytes = read_bytes(folder / "a.xtc");
    FrameIndex index(folder / "a.xtc");
    index.refresh();
    const auto bits = static_cast<std::size_t>(index.at(1).offset) + 92;
    write_bytes(folder / "a.xtc", bytes.replace(bits + 200, 100, 100, '\xff'));
    const Inspection found = inspect(folder / "a.xtc");
    EXPECT_EQ(found.n_good, 2);
    ASSERT_THAT(found.flaws, SizeIs(1));
    EXPECT_EQ(found.flaws[0].offset, index.at(1).offset);
}

TEST(InspectText, SearchThatLeadsNowhereEnds) {
    // Each of these is read to the end of the file before it is known to be no frame.
    const TemporaryFolder folder;
    const std::string gro = "water   \n1\n    1SOL     OW    1   0.126   1.624   1.679\n   1 1 1\n";
    std::string bytes = gro;
    for (int i = 0; i < 3000; ++i) bytes += "water   \n2000000\n";
    write_bytes(folder / "a.gro", bytes);
    const Inspection found = inspect(folder / "a.gro");
    EXPECT_EQ(found.n_good, 1);
    ASSERT_EQ(found.flaws.size(), 1U);
    EXPECT_THAT(found.flaws[0].what, testing::HasSubstr("given up"));

    write_bytes(folder / "b.gro", gro + "water   \n2000000\n" + "water   \nnone\n" + gro);
    EXPECT_EQ(inspect(folder / "b.gro").n_good, 2);
}

TEST(InspectTrr, FindsNumbersThatAreNone) {
    TemporaryFolder folder;
    FrameWriter writer(folder / "a.trr");
    for (const std::int64_t step : {0, 10, 20}) {
        Frame frame = water_like_frame(9, step);
        if (step == 10) frame.positions[4].y = NAN;
        writer.write(frame);
    }
    writer.close();
    const Inspection found = inspect(folder / "a.trr");
    EXPECT_EQ(found.n_good, 2);
    ASSERT_THAT(found.flaws, SizeIs(1));
    EXPECT_THAT(found.flaws[0].what, HasSubstr("not finite"));
}

TEST(ConcatenateAtoms, KeepsSomeOnly) {
    TemporaryFolder folder;
    const Trajectory whole = write_trajectory(folder / "a.trr", 3);
    ConcatenateOptions options;
    options.atoms = {7, 2, 3};
    const Trajectory some = concatenate({{whole, {}}}, folder / "b.trr", options);
    ASSERT_EQ(some.n_atoms(), 3);
    const Frame before = whole.frame(1);
    const Frame after = some.frame(1);
    EXPECT_THAT(after.positions, ElementsAre(before.positions[7], before.positions[2], before.positions[3]));
    EXPECT_THAT(after.velocities,
                ElementsAre(before.velocities[7], before.velocities[2], before.velocities[3]));
    options.atoms = {12};
    EXPECT_EQ(error_of([&] {
                  concatenate({{whole, {}}}, folder / "c.trr", options);
              }).kind(),
              ErrorKind::usage);
}

// Printed by Python's hashlib.blake2b(digest_size=8).
TEST(AsyncmdHash, IsThatOfAsyncmd) {
    TemporaryFolder folder;
    write_bytes(folder / "short", "abc");
    EXPECT_EQ(asyncmd_hash({folder / "short"}), 10290986730087920701U);
    std::string bytes;
    for (int i = 0; i < 1000; ++i) bytes += static_cast<char>(i % 251);
    write_bytes(folder / "long", bytes);
    write_bytes(folder / "xyz", "xyz");
    EXPECT_EQ(asyncmd_hash({folder / "long", folder / "xyz"}), 5057961523198249229U);
}

}  // namespace
}  // namespace coromd::trajectory
