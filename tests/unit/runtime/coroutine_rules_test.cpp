// SPDX-License-Identifier: LGPL-3.0-or-later
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>

#include "coromd/core/file.hpp"

// Looks in all sources for what GCC 12 miscompiles inside a co_await expression, often without a
// sound (docs/design/runtime.md): closures that capture by value, braces that make an object,
// choices with `?` (one of the temporaries is destroyed twice), and waits inside a condition.
// Works on the text: comments and literals are blanked, then each co_await expression is walked to
// its end. Bodies of closures are passed over; what they await is looked at for itself.

namespace coromd {
namespace {

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// The same text with the content of comments and literals replaced by blanks; lines stay lines.
std::string without_comments_and_literals(std::string text) {
    const auto blank = [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < std::min(end, text.size()); ++i) {
            if (text[i] != '\n') text[i] = ' ';
        }
        return end;
    };
    const auto after = [&](std::string_view what, std::size_t from) {
        const std::size_t at = text.find(what, from);
        return at == text.npos ? text.size() : at + what.size();
    };
    for (std::size_t i = 0; i < text.size();) {
        const std::string_view rest = std::string_view(text).substr(i);
        if (rest.starts_with("//")) {
            i = blank(i, std::min(text.find('\n', i), text.size()));
        } else if (rest.starts_with("/*")) {
            i = blank(i, after("*/", i + 2));
        } else if (rest.starts_with("R\"") && (i == 0 || !is_word(text[i - 1]))) {
            const std::size_t open = text.find('(', i);
            if (open == text.npos) break;
            const std::string close = ")" + text.substr(i + 2, open - i - 2) + "\"";
            i = blank(i, after(close, open));
        } else if (text[i] == '"' || (text[i] == '\'' && (i == 0 || !is_word(text[i - 1])))) {
            const char quote = text[i];
            std::size_t end = i + 1;
            while (end < text.size() && text[end] != quote && text[end] != '\n')
                end += text[end] == '\\' ? 2 : 1;
            i = blank(i + 1, end) + 1;
        } else {
            ++i;
        }
    }
    return text;
}

/// Where the bracket that opens at `open` is closed, or the end of the text.
std::size_t closing(std::string_view text, std::size_t open) {
    int depth = 0;
    for (std::size_t i = open; i < text.size(); ++i) {
        if (text[i] == '(' || text[i] == '[' || text[i] == '{') ++depth;
        if ((text[i] == ')' || text[i] == ']' || text[i] == '}') && --depth == 0) return i;
    }
    return text.size();
}

/// The word that ends just before `at`, or the single character that does.
std::string_view before(std::string_view text, std::size_t at) {
    while (at > 0 && std::isspace(static_cast<unsigned char>(text[at - 1]))) --at;
    std::size_t begin = at;
    while (begin > 0 && is_word(text[begin - 1])) --begin;
    if (begin == at && begin > 0) --begin;
    return text.substr(begin, at - begin);
}

/// Whether a list of captures leaves nothing to destroy: references and `this` only.
bool captures_are_safe(std::string_view captures) {
    for (std::size_t begin = 0; begin < captures.size();) {
        const std::size_t comma = std::min(captures.find(',', begin), captures.size());
        std::string capture(captures.substr(begin, comma - begin));
        std::erase_if(capture, [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; });
        const bool reference = capture.starts_with('&') && capture.find('=') == capture.npos;
        if (!capture.empty() && !reference && capture != "this") return false;
        begin = comma + 1;
    }
    return true;
}

/// What is wrong with the co_await expression that starts at `i`; empty where nothing is.
std::string_view fault_in_expression(std::string_view text, std::size_t i) {
    int depth = 0;
    for (; i < text.size(); ++i) {
        const char c = text[i];
        if (c == ';' || ((c == ')' || c == ']' || c == '}') && --depth < 0)) return {};
        if (c == '(') ++depth;
        if (c == '{') return "an object made with braces";
        if (c == '?') return "a choice between two objects";
        if (c != '[') continue;
        const std::string_view previous = before(text, i);
        const bool subscript = previous != "co_await" && previous != "co_return" &&
                               (is_word(previous.back()) || previous == ")" || previous == "]");
        if (subscript) {
            ++depth;
            continue;
        }
        const std::size_t end = closing(text, i);
        if (!captures_are_safe(text.substr(i + 1, end - i - 1))) return "a closure that captures by value";
        // Past parameters and return type to the body, and past that.
        std::size_t body = end + 1;
        while (body < text.size() && text[body] != '{')
            body = text[body] == '(' ? closing(text, body) + 1 : body + 1;
        i = closing(text, body);
    }
    return {};
}

/// Whether the co_await at `at` is part of the condition of an if, a while or a switch.
bool in_a_condition(std::string_view text, std::size_t at) {
    int depth = 0;
    while (at-- > 0) {
        const char c = text[at];
        if (c == ';' || c == '{' || c == '}') return false;
        if (c == ')') ++depth;
        if (c != '(' || --depth >= 0) continue;
        const std::string_view word = before(text, at);
        if (word == "if" || word == "while" || word == "switch") return true;
        depth = 0;
    }
    return false;
}

/// One "line: what" for each fault of a source.
std::vector<std::string> faults(const std::string& source) {
    constexpr std::string_view kAwait = "co_await";
    const std::string text = without_comments_and_literals(source);
    std::vector<std::string> found;
    for (std::size_t at = text.find(kAwait); at != text.npos; at = text.find(kAwait, at + 1)) {
        const std::string_view fault =
            in_a_condition(text, at) ? "a condition" : fault_in_expression(text, at + kAwait.size());
        if (fault.empty()) continue;
        const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
        found.push_back(std::to_string(line) + ": " + std::string(fault));
    }
    return found;
}

TEST(CoroutineRules, FindsWhatIsMiscompiled) {
    for (const char* source : {
             "co_await f([sp] { return *sp; });",
             "co_await f(context, [sp]() mutable { return *sp; });",
             "co_await f([=] { return *sp; });",
             "co_await f([&, sp] { return *sp; });",
             "co_await f([p = std::move(sp)] { return *p; });",
             "co_await f([&r = *sp, *this] { return r; });",
             "co_await [sp]() -> task<> { co_return; }();",
             "co_await f(Options{sp, 1});",
             "co_await f(Options{});",
             "co_await f({sp, 1});",
             "co_await f(std::vector<int>{1, 2});",
             "co_await g(f(1), h({\"a\", \"b\"}));",
             "co_await f([&] { return 1; }, Options{sp});",
             "auto x = (co_await f(Options{sp})).y;",
             "auto l = [sp]() -> task<> { co_await f(Options{sp}); };",
             "co_await f(a ? b + c : d);",
             "co_await f(g(a ? b : \"\"), x);",
             "co_await f(good ? \"a\" + text : other);",
             "if (co_await f(x)) y();",
             "while (g() && !(co_await f(x))) { }",
             "switch (co_await f(x)) { }",
             "if (g(h(co_await f(x)))) y();",
         }) {
        EXPECT_EQ(faults(source).size(), 1u) << source;
    }
    EXPECT_THAT(faults("a;\nco_await f([x] {});\n\nco_await f({1});"),
                testing::ElementsAre("2: a closure that captures by value", "4: an object made with braces"));
}

TEST(CoroutineRules, LeavesAloneWhatIsSafe) {
    for (const char* source : {
             "co_await f([&] { return g(Options{sp}); });",
             "co_await f([] { return 1; });",
             "co_await f([this, &x] { return x; });",
             "co_await [&]() -> task<> { auto l = [sp] {}; co_return; }();",
             "co_await f(std::move(named));",
             "co_await f([&] { return good ? a : b; });",
             "co_await f(Options(sp, 1), list[i], lists[i][j]);",
             "auto work = [sp] { return *sp; }; co_await f(work);",
             "if (f(x)) co_await g(x);",
             "while (f((x))) { co_await g(x); }",
             "const bool more = co_await f(x); if (more) { y({1}); }",
             "for (auto x : co_await f()) { y({1}); }",
             "// co_await f({1});\n/* co_await f({1}); */ g(\"co_await f({1});\", 'x');",
             "g(R\"(co_await f({1});)\");",
             "co_await f(\"{\", '{', \"\\\"{\", 1'000); h({1});",
         }) {
        EXPECT_THAT(faults(source), testing::IsEmpty()) << source;
    }
}

TEST(CoroutineRules, HoldInAllSources) {
    std::size_t files = 0;
    for (const char* folder : {"src", "examples", "tests", "bench"}) {
        const std::filesystem::path root = std::filesystem::path(COROMD_SOURCE_DIR) / folder;
        if (!std::filesystem::exists(root)) continue;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
            const std::filesystem::path& path = entry.path();
            if (path.extension() != ".cpp" && path.extension() != ".hpp") continue;
            ++files;
            for (const std::string& fault : faults(read_text_file(path))) {
                ADD_FAILURE() << path.string() << ":" << fault
                              << " in a co_await expression: GCC 12 miscompiles that; give it a name on a "
                                 "line of its own (docs/design/runtime.md)";
            }
        }
    }
    EXPECT_GT(files, 50u);
}

}  // namespace
}  // namespace coromd
