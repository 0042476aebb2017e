// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/campaign/check.hpp"

#include <gmock/gmock.h>

#include "made_campaign.hpp"

namespace coromd::campaign {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CheckTest : public MadeCampaign {
protected:
    CheckTest() { walker("walkers/000", 2, true); }
    FileCheck check(bool content) const { return check_files(made_files(Snapshot(place)), place, content); }
};

TEST_F(CheckTest, AllIsWell) {
    EXPECT_THAT(Snapshot(place).problems(), IsEmpty());
    const FileCheck sizes = check(false);
    EXPECT_THAT(sizes.problems, IsEmpty());
    EXPECT_EQ(sizes.looked_at, 11) << "start, tpr, until and four of each part";
    EXPECT_EQ(sizes.compared, 0);
    EXPECT_EQ(check(true).compared, 9) << "start and until have no recorded content";
}

TEST_F(CheckTest, TellsWhatIsWrong) {
    fs::remove(place / "walkers/000/md.part0001.log");
    fs::resize_file(place / "walkers/000/md.part0002.xtc", 3);
    const FileCheck found = check(false);
    EXPECT_THAT(found.problems, ElementsAre(AllOf(HasSubstr("md.part0001.log"), HasSubstr("is gone")),
                                            AllOf(HasSubstr("md.part0002.xtc"), HasSubstr("3 bytes"))));
}

TEST_F(CheckTest, OnlyTheContentTellsOfAChangeOfTheSameSize) {
    const fs::path file = "walkers/000/md.part0001.edr";
    const auto size = fs::file_size(place / file);
    write(file, std::string(size, 'x'));
    EXPECT_THAT(check(false).problems, IsEmpty());
    EXPECT_THAT(check(true).problems, ElementsAre(HasSubstr("another content")));
}

TEST_F(CheckTest, AFolderInThePlaceOfAFileIsToldNotThrown) {
    fs::remove(place / "walkers/000/md.tpr");
    fs::create_directory(place / "walkers/000/md.tpr");
    EXPECT_EQ(check(true).problems.size(), 1u);
}

}  // namespace
}  // namespace coromd::campaign
