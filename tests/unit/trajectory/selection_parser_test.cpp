// SPDX-License-Identifier: LGPL-3.0-or-later
#include "selection_testing.hpp"
#include "selection_tree.hpp"

namespace coromd::trajectory {
namespace {

using testing::HasSubstr;

TEST(SelectionParser, ErrorsPointAtThePlace) {
    const std::vector<BadSelection> cases{
        {"", 1, "a selection is expected"},
        {"name", 1, "needs a name"},
        {"name and resid 1", 1, "a keyword goes in quotes: \"and\""},
        {"resname water", 1, "'resname' needs a name"},
        {"names CA", 1, "unknown keyword 'names' (did you mean 'name'?): known are name, resname, resid"},
        {"protien", 1, "did you mean 'protein'?"},
        {"name CA and Backbon", 13, "did you mean 'backbone'?"},
        {"\"all\"", 1, "unknown keyword"},
        {"xyzzy", 1, "unknown keyword 'xyzzy': known are"},
        {"name CA and", 12, "the selection ends"},
        {"name CA or or", 12, "unknown keyword"},
        {"not", 4, "the selection ends"},
        {"(name CA", 1, "never closed"},
        {"()", 2, "unknown keyword ')'"},
        {"name CA)", 8, "not ')'"},
        {"name CA (name CB)", 9, "not '('"},
        {"name \"CA", 6, "this quote is never closed"},
        {"resid x", 7, "no number"},
        {"resid 3-", 7, "no number"},
        {"resid 3-4-5", 7, "no number"},
        {"resid 1.5", 7, "no number"},
        {"resid \"3\"", 7, "no number"},
        {"resid 1 5-3", 9, "the range '5-3' runs backwards"},
        {"resid 5 to 3", 7, "the range '5 to 3' runs backwards"},
        {"resid 5 to", 9, "a number is expected behind 'to'"},
        {"resid 5-6 to 7", 11, "'to' is no number"},
        {"resid < 5", 7, "no number"},
        {"index 99999999999999999999", 7, "no number"},
        {"all all", 5, "expected, not 'all'"},
        {"mass", 1, "'mass' needs a number, a range such as 3-5, or a comparison, as in 'mass < 1.5'"},
        {"mass <", 6, "a number is expected behind '<'"},
        {"mass = 5", 6, "no number"},
        {"mass > 5 < 6", 10, "not '<'"},
        {"mass nan", 6, "no number"},
        {"mass 1e999", 6, "no number"},
        {"group", 1, "needs the name of a group"},
        {"same as name CA", 6, "'same' needs one of residue"},
        {"same", 1, "'same' needs one of residue"},
        {"same residue name CA", 14, "'as' and a selection are expected"},
        {"same residue", 6, "'as' and a selection are expected"},
        {"around of protein", 8, "'around' needs a distance in nm, as in 'around 0.5 of protein'"},
        {"within", 1, "'within' needs a distance in nm"},
        {"around -1 of protein", 8, "needs a distance in nm"},
        {"around 3A of protein", 8, "needs a distance in nm"},
        {"around inf of protein", 8, "needs a distance in nm"},
        {"around 0.5 of", 14, "the selection ends"},
        {"around 0.5 of 1 2 3", 15, "a point in nm goes with 'within'"},
        {"within 0.5 of 1 2", 18, "three coordinates in nm"},
        {"within 0.5 of 1 2 z", 19, "three coordinates in nm"},
        {"within 0.5 of 1 2 3 4", 21, "expected, not '4'"},
    };
    expect_errors(cases, [](const std::string& text) { parse_selection(text); });
}

TEST(SelectionParser, OrJoinsWhatAndJoins) {
    const SelectionTree tree = parse_selection("all or none and not water or protein");
    const auto& either = std::get<AnyOf>(tree.root.rule);
    ASSERT_EQ(either.operands.size(), 3U);
    const auto& both = std::get<AllOf>(either.operands[1].rule);
    ASSERT_EQ(both.operands.size(), 2U);
    EXPECT_EQ(std::get<AtomClass>(std::get<Not>(both.operands[1].rule).operand->rule), AtomClass::water);
    EXPECT_EQ(both.operands[1].column, 16U);
}

TEST(SelectionParser, PrefixesBindTighterThanAnd) {
    for (const char* text :
         {"same residue as all and none", "around 1 of all and none", "within 1 all and none"}) {
        const SelectionTree tree = parse_selection(text);
        EXPECT_EQ(std::get<AllOf>(tree.root.rule).operands.size(), 2U) << text;
    }
}

TEST(SelectionParser, WordsOfOtherPlacesAreNames) {
    const SelectionTree tree = parse_selection("name AS OF TO residue and element As");
    EXPECT_EQ(std::get<TextMatch>(std::get<AllOf>(tree.root.rule).operands[0].rule).patterns.size(), 4U);
}

TEST(SelectionParser, HostileTextsAreRefused) {
    const auto message = [](const std::string& text) {
        return std::string(error_of([&] { parse_selection(text); }).what());
    };
    for (const char* opening : {"(", "not ", "same residue as ", "around 1 of ", "within 1 "}) {
        std::string text;
        for (int i = 0; i < 10000; ++i) text += opening;
        EXPECT_THAT(message(text + "all"), HasSubstr("nested too deeply")) << opening;
    }
    EXPECT_THAT(message(std::string((1 << 20) + 1, ' ')), HasSubstr("more than 1048576 characters"));
    std::string chain = "all";
    for (int i = 0; i < 50000; ++i) chain += i % 2 == 0 ? " or all" : " and all";
    EXPECT_EQ(std::get<AnyOf>(parse_selection(chain).root.rule).operands.size(), 25001U);
}

TEST(SelectionParser, AnythingIsATreeOrAnError) {
    const std::vector<std::string> pieces{
        "name", "CA", "\"",   "'",       "(",      ")",  "<",     "=",    "!",   "mass",
        "1",    "-",  ":",    "to",      "around", "of", "as",    "same", "and", "not",
        " ",    "\t", "\xff", "residue", "1e",     ".",  "resid", "all",  "or",  std::string(1, '\0')};
    RandomStream random(3, "selections");
    for (int i = 0; i < 20000; ++i) {
        std::string text;
        const int n = static_cast<int>(random.uniform() * 12.0);
        for (int k = 0; k < n; ++k) {
            text += pieces[static_cast<std::size_t>(random.uniform() * static_cast<double>(pieces.size()))];
            if (random.uniform() < 0.7) text += ' ';
        }
        try {
            parse_selection(text);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage) << text;
        }
    }
}

}  // namespace
}  // namespace coromd::trajectory
