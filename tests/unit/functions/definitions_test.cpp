// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/functions/definitions.hpp"

#include <limits>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/core/error.hpp"

namespace coromd::functions {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using trajectory::Frame;
using trajectory::Topology;

const Topology kAtoms(std::vector<trajectory::Atom>(4));

/// Atoms at these places on a line.
Frame line(std::vector<float> places) {
    Frame frame;
    for (const float x : places) frame.positions.push_back({x, 0, 0});
    return frame;
}

double evaluate(const FrameFunctionPtr& function, const Frame& frame) {
    return (*function->bind(kAtoms))(frame);
}

std::string error_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.what();
    }
    return "no error";
}

class DefinitionsOfDistances : public testing::Test {
protected:
    DefinitionsOfDistances() {
        define.variable("d1", "distance('index 0', 'index 1')");
        define.variable("d2", "distance('index 1', 'index 3')");
    }
    Definitions define;
};

TEST_F(DefinitionsOfDistances, expressions_use_what_was_defined_before) {
    const auto rc = define.variable("rc", "0.5*(d1 + d2)");
    const auto twice = define.variable("twice", "2*rc + d1");
    const auto near = define.state("near", "rc < 2 and d1 <= d2");
    const auto far = define.state("far", "not near and twice > 4");
    const Frame frame = line({0, 1, 0, 3});  // d1 = 1, d2 = 2
    EXPECT_EQ(evaluate(rc, frame), 1.5);
    EXPECT_EQ(evaluate(twice, frame), 4.0);
    EXPECT_EQ(evaluate(near, frame), 1.0);
    EXPECT_EQ(evaluate(far, frame), 0.0);
    EXPECT_EQ(evaluate(far, line({0, 3, 0, 4})), 1.0);
    EXPECT_EQ(far->name(), "far");
}

TEST_F(DefinitionsOfDistances, functions_outlive_them) {
    FunctionPtr state;
    FrameFunctionPtr sum;
    {
        Definitions mine = define;
        sum = mine.variable("sum", "d1 + d2");
        state = mine.state("near", "sum < 5");
    }
    EXPECT_EQ(state->name(), "near");
    EXPECT_EQ(evaluate(sum, line({0, 1, 0, 3})), 3.0);
}

TEST_F(DefinitionsOfDistances, bound_function_names_the_atoms_it_needs) {
    const auto evaluator = define.state("s", "d1 < d2")->bind(kAtoms);
    EXPECT_THAT(evaluator->atoms(), ElementsAre(0, 1, 3));
    EXPECT_EQ(evaluator->needs().atoms, 4);
    EXPECT_FALSE(evaluator->needs().velocities);
    EXPECT_EQ(define.state("t", "d1 < 1")->bind(kAtoms)->needs().atoms, 2);
    EXPECT_EQ(define.variable("u", "2*pi")->bind(kAtoms)->needs().atoms, 0);
}

TEST_F(DefinitionsOfDistances, are_kept_in_their_order) {
    define.state("near", "d1 < d2");
    std::vector<std::string> names;
    for (const Definition& definition : define.all()) names.push_back(definition.name);
    EXPECT_THAT(names, ElementsAre("d1", "d2", "near"));
    EXPECT_EQ(define.at("near").type, ValueType::boolean);
    EXPECT_EQ(define.at("d1").type, ValueType::number);
    EXPECT_EQ(define.at("near").text, "d1 < d2");
    EXPECT_THAT(error_of([this] { define.at("nearby"); }), HasSubstr("'nearby': known are d1, d2, near"));
}

TEST(Definitions, each_is_computed_once_per_frame) {
    int calls = 0;
    Definitions define;
    define.variable("x0", frame_function("count", [&calls](const Frame&) {
                        ++calls;
                        return 1.0;
                    }));
    define.variable("x1", "x0 + x0");
    for (int i = 2; i <= 60; ++i)
        define.variable(fmt::format("x{}", i), fmt::format("x{} + x{}", i - 1, i - 2));
    EXPECT_EQ(evaluate(define.at("x60").function, Frame{}), 4052739537881.0);  // the 62nd Fibonacci number
    EXPECT_EQ(calls, 1);
}

TEST(Definitions, take_functions_that_are_there_already) {
    Definitions define;
    define.variable("custom", frame_function("f", [](const Frame& frame) { return frame.time_ps; }));
    const auto late = define.state("late", "custom > 10");
    Frame frame;
    frame.time_ps = 11;
    EXPECT_EQ(evaluate(late, frame), 1.0);
    EXPECT_TRUE(late->bind(kAtoms)->needs().velocities);  // a callable gets whole frames
    EXPECT_THAT(error_of([&] { define.variable("none", FrameFunctionPtr()); }),
                HasSubstr("there is no function"));
}

TEST(Definitions, value_that_is_not_finite_is_an_error) {
    Definitions define;
    define.variable(
        "f", frame_function("f", [](const Frame&) { return std::numeric_limits<double>::quiet_NaN(); }));
    const auto state = define.state("s", "f > 0");
    try {
        evaluate(state, Frame{});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.message(), HasSubstr("the value of 'f' is no finite number (nan)"));
    }
}

TEST_F(DefinitionsOfDistances, errors_name_what_is_wrong) {
    const auto bad_variable = [this](const char* name, const char* text) {
        return error_of([&] { define.variable(name, text); });
    };
    const auto bad_state = [this](const char* name, const char* text) {
        return error_of([&] { define.state(name, text); });
    };
    EXPECT_THAT(bad_state("near", "d1 < d3"),
                HasSubstr("in state 'near', column 6: unknown name 'd3' (did you mean"));
    EXPECT_THAT(bad_state("near", "d1 + 1"), HasSubstr("in state 'near', column 1: 'd1 + 1' is a number"));
    EXPECT_THAT(bad_variable("rc", "d1 < d2"),
                HasSubstr("in variable 'rc', column 1: 'd1 < d2' is a condition"));
    EXPECT_THAT(bad_variable("rc", "rc + 1"), HasSubstr("unknown name 'rc'"));
    EXPECT_THAT(bad_variable("d3", "distnace('index 0', 'index 1')"), HasSubstr("did you mean 'distance'?"));
    EXPECT_THAT(bad_variable("d3", "distance(1, 2)"),
                HasSubstr("column 10: a selection in quotes is missing"));
    EXPECT_THAT(bad_variable("d3", "2*distance('index 0', 'index 1')"),
                HasSubstr("column 3: 'distance(...)' cannot stand inside of an expression"));
    EXPECT_THAT(bad_state("near", "distance('index 0', 'index 1')"),
                HasSubstr("column 1: 'distance(...)' cannot"));
    EXPECT_EQ(define.all().size(), 2U);  // none of them left anything behind
}

TEST_F(DefinitionsOfDistances, names_are_checked) {
    const auto bad_name = [this](const std::string& name) {
        return error_of([&] { define.variable(name, "1"); });
    };
    EXPECT_THAT(bad_name(""), HasSubstr("a name consists of"));
    EXPECT_THAT(bad_name("2d"), HasSubstr("a name consists of"));
    EXPECT_THAT(bad_name("a b"), HasSubstr("a name consists of"));
    EXPECT_THAT(bad_name("α"), HasSubstr("a name consists of"));
    EXPECT_THAT(bad_name(std::string(65, 'a')), HasSubstr("a name consists of"));
    for (const std::string reserved : {"and", "or", "not", "deg", "pi", "sin", "min", "log"}) {
        EXPECT_THAT(bad_name(reserved), HasSubstr("has a meaning in expressions")) << reserved;
    }
    EXPECT_THAT(bad_name("d1"), HasSubstr("variable 'd1': there is a variable of that name already"));
    define.state("near", "d1 < 1");
    EXPECT_THAT(bad_name("near"), HasSubstr("there is a state of that name already"));
    EXPECT_EQ(bad_name("distance"), "no error");  // a collective variable is only known before a '('
    EXPECT_EQ(bad_name(std::string(64, 'a')), "no error");
    EXPECT_EQ(evaluate(define.variable("twice", "2*distance"), Frame{}), 2.0);
}

TEST(Definitions, have_a_limit) {
    Definitions define;
    define.variable("x0", "1");
    for (int i = 1; i < 1000; ++i) define.variable(fmt::format("x{}", i), fmt::format("x{} + 1", i - 1));
    EXPECT_EQ(evaluate(define.at("x999").function, Frame{}), 1000.0);
    EXPECT_THAT(error_of([&] { define.variable("x1000", "1"); }), HasSubstr("more than 1000 definitions"));
}

TEST_F(DefinitionsOfDistances, check_finds_selections_that_are_impossible) {
    define.state("near", "d1 < d2");
    EXPECT_NO_THROW(define.check(kAtoms));
    define.variable("d3", "distance('index 0', 'name CA')");
    EXPECT_THAT(error_of([this] { define.check(kAtoms); }),
                AllOf(HasSubstr("in variable 'd3', column 21"), HasSubstr("name CA")));
}

TEST_F(DefinitionsOfDistances, check_looks_into_functions_from_elsewhere) {
    const auto far = define.variable("far", "distance('index 0', 'index 9')");
    Definitions other;
    other.variable("x", define.variable("half", "far/2"));
    EXPECT_THAT(error_of([&] { other.check(kAtoms); }), HasSubstr("in variable 'far', column 21"));
}

}  // namespace
}  // namespace coromd::functions
