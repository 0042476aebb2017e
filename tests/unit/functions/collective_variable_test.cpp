// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/functions/collective_variable.hpp"

#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/core/error.hpp"

namespace coromd::functions {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using trajectory::Frame;
using trajectory::Topology;

/// Returns what it was given: 100 * cutoff + 10 * (squared ? 1 : 0) + the number of selected atoms.
class Arguments final : public FrameEvaluator {
public:
    explicit Arguments(const CollectiveVariableArguments& arguments)
        : FrameEvaluator(arguments.atoms()),
          value_(100 * arguments.number("cutoff") + (arguments.flag("squared") ? 10 : 0) +
                 static_cast<double>(arguments.selections[0].size())) {}
    double operator()(const Frame&) override { return value_; }

private:
    double value_;
};

Registry<CollectiveVariableKind> kinds() {
    Registry<CollectiveVariableKind> kinds = builtin_collective_variables();
    kinds.add({.name = "arguments",
               .usage = "arguments(A, cutoff=1, squared=false)",
               .description = "for tests",
               .units = "",
               .n_selections = 1,
               .options = {{"cutoff", 1.0}, {"squared", false}},
               .factory = [](const auto& arguments) { return std::make_unique<Arguments>(arguments); }});
    return kinds;
}

double value_of(const std::string& text) {
    const Topology topology(std::vector<trajectory::Atom>(5));
    return (*collective_variable(kinds(), "c", text)->bind(topology))(Frame{});
}

TEST(CollectiveVariable, gets_its_arguments) {
    EXPECT_EQ(value_of("arguments(\"index 1 3\")"), 102.0);
    EXPECT_EQ(value_of("arguments( 'all' , cutoff = 2.5 )"), 255.0);
    EXPECT_EQ(value_of("arguments('all', squared=true, cutoff=-3)"), -285.0);
    EXPECT_EQ(value_of("arguments(\n  'index 0',\n  squared=true)"), 111.0);
}

TEST(CollectiveVariable, of_any_registry_is_a_function_with_a_name) {
    EXPECT_EQ(collective_variable(kinds(), "c", "arguments('all')")->name(), "c");
}

struct Bad {
    std::string text;
    int column;
    std::string message;
};
const std::vector<Bad> kBadCalls = {
    {"dihedrl('a', 'b', 'c', 'd')", 1,
     "unknown collective variable 'dihedrl' (did you mean 'dihedral'?): known are distance, angle, "
     "dihedral, x, y, z, arguments"},
    {"'a'", 1, "unknown collective variable"},
    {"", 1, "the text is empty"},
    {"distance", 9, "write distance(A, B, pbc=true)"},
    {"distance('a')", 13, "distance takes 2 selections, not 1: write distance(A, B, pbc=true)"},
    {"distance()", 10, "distance takes 2 selections, not 0"},
    {"arguments('a', 'b')", 19, "arguments takes 1 selection, not 2"},
    {"distance('a', 'b'", 18, "a ')' is missing"},
    {"distance('a' 'b')", 14, "',' or ')' is missing before the text \"b\""},
    {"distance('a', )", 15, "a selection in quotes is missing before ')'"},
    {"distance(1, 2)", 10, "a selection in quotes is missing before '1'"},
    {"distance(d1, d2)", 10, "distance has no option 'd1' (it has pbc), and selections stand in quotes"},
    {"distance('a', 'b', pcb=false)", 20, "distance has no option 'pcb' (it has pbc)"},
    {"distance('a', 'b', pbc)", 23, "'=' is missing after 'pbc'"},
    {"distance('a', 'b', pbc=1)", 24, "'pbc' is true or false, not '1'"},
    {"distance('a', 'b', pbc=no)", 24, "'pbc' is true or false, not 'no'"},
    {"arguments('a', cutoff=true)", 23, "'cutoff' is a number, not 'true'"},
    {"arguments('a', cutoff=1, cutoff=2)", 26, "the option 'cutoff' is given twice"},
    {"distance(pbc=false, 'a', 'b')", 21, "selections come before options"},
    {"distance('a', 'b') * 2", 20, "nothing may follow"},
    {"distance('a', 'b\")", 15, "this quote is never closed"},
};

TEST(CollectiveVariable, bad_calls_are_pointed_at) {
    for (const Bad& bad : kBadCalls) {
        try {
            collective_variable(kinds(), "c", bad.text);
            ADD_FAILURE() << bad.text;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            EXPECT_THAT(error.message(),
                        HasSubstr(fmt::format("in variable 'c', column {}: {}", bad.column, bad.message)));
        }
    }
}

TEST(CollectiveVariable, bad_selection_is_pointed_at_when_it_is_bound) {
    const auto function = collective_variable(kinds(), "d1", "distance('index 0', 'index 7')");
    try {
        function->bind(Topology(std::vector<trajectory::Atom>(5)));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.what(), AllOf(HasSubstr("in variable 'd1', column 21"), HasSubstr("index 7")));
    }
}

TEST(CollectiveVariable, takes_any_text_without_harm) {
    constexpr std::array<const char*, 20> words = {
        "distance",   "(",     "'index 1'", "\"index 2\"", ",",       ")", "pbc", "=",  "false", "distance(",
        "'index 1',", "'all'", "1",         "arguments(",  "cutoff=", "-", "2.5", "''", "'",     " "};
    std::mt19937 random(13);
    int accepted = 0;
    for (int i = 0; i < 40'000; ++i) {
        std::string text = i % 2 == 0 ? "arguments(" : "";
        const auto length = random() % 8;
        for (unsigned j = 0; j <= length; ++j) text += words[random() % words.size()];
        try {
            value_of(text);
            ++accepted;
        } catch (const Error&) {
        }
    }
    EXPECT_GT(accepted, 10);
}

}  // namespace
}  // namespace coromd::functions
