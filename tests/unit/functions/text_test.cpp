// SPDX-License-Identifier: LGPL-3.0-or-later
#include "text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coromd::functions {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

std::vector<std::string> words(const std::string& text) {
    const SourceText source("test", text);
    std::vector<std::string> words;
    for (const Token& token : tokenize(source)) words.emplace_back(token.text);
    return words;
}

std::string message_at(const std::string& text, std::size_t offset) {
    try {
        SourceText("state 'a'", text).fail_at(offset, "wrong");
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.message();
    }
}

std::string tokenize_error(const std::string& text) {
    try {
        words(text);
    } catch (const Error& error) {
        return error.message();
    }
    return "no error";
}

TEST(Text, is_cut_into_words) {
    EXPECT_THAT(words("phi<=-50*deg and(x_1!=.5)"),
                ElementsAre("phi", "<=", "-", "50", "*", "deg", "and", "(", "x_1", "!=", ".5", ")", ""));
    EXPECT_THAT(words("f(\"index 4\", 'name CA' , pbc=false)"),
                ElementsAre("f", "(", "index 4", ",", "name CA", ",", "pbc", "=", "false", ")", ""));
    EXPECT_THAT(words("a<b"), ElementsAre("a", "<", "b", ""));
    EXPECT_THAT(words("1e-3 2.5E2 5."), ElementsAre("1e-3", "2.5E2", "5.", ""));
}

TEST(Text, numbers_have_values) {
    const SourceText source("test", "2.5e-1 .5 7");
    const std::vector<Token> tokens = tokenize(source);
    EXPECT_EQ(tokens[0].value, 0.25);
    EXPECT_EQ(tokens[1].value, 0.5);
    EXPECT_EQ(tokens[2].value, 7.0);
    EXPECT_EQ(tokens[1].offset, 7U);
}

TEST(Text, words_that_are_none_are_pointed_at) {
    EXPECT_THAT(tokenize_error("x < 2phi"), HasSubstr("column 6"));
    EXPECT_THAT(tokenize_error("1.2.3"), HasSubstr("no number"));
    EXPECT_THAT(tokenize_error("x < 1e999"), HasSubstr("column 5"));
    EXPECT_THAT(tokenize_error("f(\"index 4)"), HasSubstr("column 3: this quote is never closed"));
    EXPECT_THAT(tokenize_error("a && b"), HasSubstr("column 3: '&&' is no operator here: write 'and'"));
    EXPECT_THAT(tokenize_error("a #"), HasSubstr("column 3"));
    EXPECT_THAT(tokenize_error(std::string("a\0b", 3)), HasSubstr("column 2"));
}

TEST(Text, error_has_a_caret_under_the_place) {
    EXPECT_EQ(message_at("phi <= psi", 4), "in state 'a', column 5: wrong\n  phi <= psi\n      ^");
    EXPECT_EQ(message_at("x", 1), "in state 'a', column 2: wrong\n  x\n   ^");
}

TEST(Text, columns_count_characters) {
    // the degree sign has two bytes, the less-or-equal sign three
    EXPECT_EQ(message_at("5° ≤ x", 8), "in state 'a', column 6: wrong\n  5° ≤ x\n       ^");
}

TEST(Text, is_shown_in_one_line) {
    EXPECT_EQ(message_at("a\n\tb", 3), "in state 'a', column 4: wrong\n  a  b\n     ^");
}

TEST(Text, long_one_is_shown_around_the_place) {
    const std::string text = std::string(500, 'a') + "B" + std::string(500, 'c');
    const std::string message = message_at(text, 500);
    EXPECT_THAT(message, HasSubstr("  ..." + std::string(60, 'a') + "B" + std::string(39, 'c') + "...\n"));
    EXPECT_THAT(message, EndsWith("\n" + std::string(2 + 3 + 60, ' ') + "^"));
}

TEST(Text, long_one_is_cut_between_characters) {
    std::string text;
    for (int i = 0; i < 300; ++i) text += "°";
    const std::string message = message_at(text, 300);
    std::string shown;
    for (int i = 0; i < 100; ++i) shown += "°";
    EXPECT_THAT(message, HasSubstr("column 151"));
    EXPECT_THAT(message, HasSubstr("\n  ..." + shown + "...\n"));
}

TEST(Text, bytes_that_are_no_utf8_do_no_harm) {
    const std::string text(9'000, '\x80');
    EXPECT_THAT(message_at(text, 4'000), HasSubstr("column 1"));
    EXPECT_THAT(tokenize_error(text), HasSubstr("column 1"));
}

TEST(Text, has_limits) {
    EXPECT_NO_THROW(SourceText("test", std::string(10'000, 'a')));
    EXPECT_THROW(SourceText("test", std::string(10'001, 'a')), Error);
    EXPECT_THROW(SourceText("test", ""), Error);
    EXPECT_THROW(SourceText("test", " \n\t"), Error);
}

TEST(Text, suggests_the_nearest_name) {
    constexpr std::array<std::string_view, 3> known = {"phi", "psi", "distance"};
    EXPECT_EQ(suggestion("PHI", known), " (did you mean 'phi'?)");
    EXPECT_EQ(suggestion("ps", known), " (did you mean 'psi'?)");
    EXPECT_EQ(suggestion("distnace", known), " (did you mean 'distance'?)");
    EXPECT_EQ(suggestion("omega", known), "");
    EXPECT_EQ(suggestion(std::string(5'000, 'p'), known), "");
}

TEST(Text, knows_identifiers) {
    EXPECT_TRUE(is_identifier("phi_2"));
    EXPECT_TRUE(is_identifier("_x"));
    EXPECT_FALSE(is_identifier("2phi"));
    EXPECT_FALSE(is_identifier("a-b"));
    EXPECT_FALSE(is_identifier("é"));
    EXPECT_FALSE(is_identifier(""));
}

}  // namespace
}  // namespace coromd::functions
