// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/trajectory/ndx.hpp"

#include "testing.hpp"

namespace coromd::trajectory {
namespace {

class Ndx : public testing::Test {
protected:
    std::vector<IndexGroup> groups(const std::string& text) {
        write_bytes(folder_ / "index.ndx", text);
        return read_ndx(folder_ / "index.ndx");
    }

    TemporaryFolder folder_;
};

TEST_F(Ndx, ReadsGroupsInTheirOrder) {
    EXPECT_EQ(groups("; made by hand\n"
                     "[ System ]\n"
                     "   1    2    3\n"
                     "4\t5 ; the last two\n"
                     "\n"
                     "[ Water and ions ]\r\n"
                     "  9 3 3\r\n"
                     "[empty]; nothing\n"
                     "[ last ]\n"
                     "2147483647"),
              (std::vector<IndexGroup>{{"System", {0, 1, 2, 3, 4}},
                                       {"Water and ions", {8, 2, 2}},
                                       {"empty", {}},
                                       {"last", {2147483646}}}));
    EXPECT_TRUE(groups("").empty());
    EXPECT_TRUE(groups("; nothing").empty());
}

TEST_F(Ndx, WrongContentIsNamedWithLineAndColumn) {
    struct Case {
        const char* text;
        const char* message;
    };
    for (const Case& c :
         {Case{"\n  1 2\n[ a ]\n", "index.ndx', line 2, column 3: '1' comes before"},
          Case{"[ a ]\n1 2 0\n", "line 2, column 5: the number of an atom"},
          Case{"[ a ]\n1 -2\n", "line 2, column 3"}, Case{"[ a ]\n1\n2147483648\n", "line 3, column 1"},
          Case{"[ a ]\n99999999999999999999999\n", "line 2, column 1"}, Case{"[ a ]\n1-5\n", "not '1-5'"},
          Case{"[ a ]\n1 x\n", "not 'x'"}, Case{"[ a ]\n1.5\n", "not '1.5'"},
          Case{"[ a ]\n1 [ b ]\n", "line 2, column 3"},
          Case{"  [ a\n1\n", "line 1, column 3: '[ a' lacks the ']'"}, Case{"[ a ; ]\n", "lacks the ']'"},
          Case{"[", "line 1, column 1: '[' lacks"}, Case{"[ a ] 1 2\n", "line 1, column 6"},
          Case{"[  ]\n", "the group has no name"}, Case{"[]\n", "no name"}}) {
        const Error error = error_of([&] { groups(c.text); });
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.what(), testing::HasSubstr(c.message));
    }
    EXPECT_EQ(error_of([&] { read_ndx(folder_ / "nowhere.ndx"); }).kind(), ErrorKind::system);
}

TEST_F(Ndx, WritesFifteenNumbersALine) {
    IndexGroup many{"many", {}};
    for (std::int32_t i = 0; i < 16; ++i) many.atoms.push_back(i * 1000);
    const std::vector<IndexGroup> all{many, {"a b", {}}, {"one", {2147483646}}};
    write_ndx(folder_ / "out.ndx", all, false);
    EXPECT_EQ(read_bytes(folder_ / "out.ndx"),
              "[ many ]\n"
              "   1 1001 2001 3001 4001 5001 6001 7001 8001 9001 10001 11001 12001 13001 14001\n"
              "15001\n"
              "[ a b ]\n"
              "[ one ]\n"
              "2147483647\n");
    EXPECT_EQ(read_ndx(folder_ / "out.ndx"), all);
}

TEST_F(Ndx, ReplacesOnlyWhenAskedTo) {
    write_ndx(folder_ / "out.ndx", {{"a", {0}}}, false);
    EXPECT_EQ(error_of([&] {
                  write_ndx(folder_ / "out.ndx", {{"b", {1}}}, false);
              }).kind(),
              ErrorKind::usage);
    EXPECT_EQ(read_ndx(folder_ / "out.ndx")[0].name, "a");
    write_ndx(folder_ / "out.ndx", {{"b", {1}}}, true);
    EXPECT_EQ(read_ndx(folder_ / "out.ndx")[0].name, "b");
}

TEST_F(Ndx, WhatCouldNotBeReadBackIsNotWritten) {
    for (const char* name : {"", " a", "a ", "a]", "a;b", "a\nb"}) {
        EXPECT_EQ(error_of([&] {
                      write_ndx(folder_ / "out.ndx", {{name, {0}}}, false);
                  }).kind(),
                  ErrorKind::usage)
            << name;
    }
    for (const std::int32_t atom : {-1, 2147483647}) {
        EXPECT_EQ(error_of([&] {
                      write_ndx(folder_ / "out.ndx", {{"a", {atom}}}, false);
                  }).kind(),
                  ErrorKind::usage);
    }
    EXPECT_TRUE(folder_.names().empty());
}

TEST(IndexGroups, AreFoundByName) {
    const std::vector<IndexGroup> groups{{"System", {0, 1}}, {"Water and ions", {1}}, {"a", {}}, {"a", {0}}};
    EXPECT_EQ(&group(groups, "Water and ions"), &groups[1]);
    const Error error = error_of([&] { group(groups, "Protein"); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(
        error.what(),
        testing::HasSubstr("no group is called 'Protein'; the groups are: 'System', 'Water and ions'"));
    EXPECT_THAT(error_of([&] { group(groups, "a"); }).what(), testing::HasSubstr("more than one group"));
    EXPECT_THAT(error_of([&] { group({}, "a"); }).what(), testing::HasSubstr("the groups are: none"));
}

}  // namespace
}  // namespace coromd::trajectory
