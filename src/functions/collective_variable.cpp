// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Calls of collective variables: name "(" argument {"," argument} ")", where an argument is a
// selection in quotes or, behind those, an option name "=" value. All but the selections
// themselves is checked when the call is read; these when there is a topology to look them up in.
#include "coromd/functions/collective_variable.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "call.hpp"
#include "coromd/core/error.hpp"
#include "coromd/trajectory/selection.hpp"

namespace coromd::functions {

namespace {

using Kinds = Registry<CollectiveVariableKind>;

struct Selection {
    std::string text;
    std::size_t offset = 0;
};

/// A call that has been read.
struct Call {
    CollectiveVariableKind kind;
    std::vector<Selection> selections;
    std::map<std::string, OptionValue, std::less<>> options;
};

class CallParser {
public:
    CallParser(const Kinds& kinds, const SourceText& source)
        : kinds_(kinds), source_(source), tokens_(tokenize(source)) {}

    Call parse() {
        Call call;
        call.kind = kind();
        call.options = call.kind.options;
        if (!now().is_symbol("(")) fail(fmt::format("write {}", call.kind.usage));
        ++next_;
        if (!now().is_symbol(")")) read_arguments(call);
        if (now().kind == TokenKind::end) fail("a ')' is missing");
        if (!now().is_symbol(")")) fail(fmt::format("',' or ')' is missing before {}", now().described()));
        if (call.selections.size() != call.kind.n_selections) {
            fail(fmt::format("{} takes {} selection{}, not {}: write {}", call.kind.name,
                             call.kind.n_selections, call.kind.n_selections == 1 ? "" : "s",
                             call.selections.size(), call.kind.usage));
        }
        ++next_;
        if (now().kind != TokenKind::end) {
            fail(
                "nothing may follow: define the collective variable as a variable of its own, and use its "
                "name");
        }
        return call;
    }

private:
    const Token& now() const { return tokens_[next_]; }
    [[noreturn]] void fail(std::string_view message) const { source_.fail_at(now().offset, message); }

    const CollectiveVariableKind& kind() {
        if (const CollectiveVariableKind* kind = kinds_.find(now().text)) {
            ++next_;
            return *kind;
        }
        std::vector<std::string_view> known;
        for (const CollectiveVariableKind& kind : kinds_.entries()) known.push_back(kind.name);
        fail(fmt::format("unknown collective variable {}{}: known are {}", now().described(),
                         suggestion(now().text, known), kinds_.names()));
    }

    void read_arguments(Call& call) {
        std::vector<std::string_view> given;
        while (true) {
            if (now().kind == TokenKind::name) {
                read_option(call, given);
            } else if (now().kind == TokenKind::string) {
                if (!given.empty()) fail("selections come before options");
                call.selections.push_back({.text = std::string(now().text), .offset = now().offset});
                ++next_;
            } else {
                fail(fmt::format("a selection in quotes is missing before {}: write {}", now().described(),
                                 call.kind.usage));
            }
            if (!now().is_symbol(",")) return;
            ++next_;
        }
    }

    void read_option(Call& call, std::vector<std::string_view>& given) {
        const Token& name = now();
        const auto option = call.options.find(name.text);
        if (option == call.options.end()) {
            std::string known;
            for (const auto& [known_name, value] : call.options) {
                known += fmt::format("{}{}", known.empty() ? "" : ", ", known_name);
            }
            fail(fmt::format("{} has no option '{}' (it has {}), and selections stand in quotes",
                             call.kind.name, name.text, known.empty() ? "none" : known));
        }
        if (std::ranges::find(given, name.text) != given.end()) {
            fail(fmt::format("the option '{}' is given twice", name.text));
        }
        given.push_back(name.text);
        ++next_;
        if (!now().is_symbol("=")) fail(fmt::format("'=' is missing after '{}'", name.text));
        ++next_;
        option->second = read_value(name, option->second);
    }

    OptionValue read_value(const Token& name, const OptionValue& type) {
        if (std::holds_alternative<bool>(type)) {
            if (!now().is_name("true") && !now().is_name("false")) {
                fail(fmt::format("'{}' is true or false, not {}", name.text, now().described()));
            }
            return tokens_[next_++].text == "true";
        }
        const double sign = now().is_symbol("-") ? -1.0 : 1.0;
        if (sign < 0.0) ++next_;
        if (now().kind != TokenKind::number) {
            fail(fmt::format("'{}' is a number, not {}", name.text, now().described()));
        }
        return sign * tokens_[next_++].value;
    }

    const Kinds& kinds_;
    const SourceText& source_;
    std::vector<Token> tokens_;
    std::size_t next_ = 0;
};

class CollectiveVariable final : public FrameFunction {
public:
    CollectiveVariable(std::string name, SourceText source, Call call)
        : FrameFunction(std::move(name)), source_(std::move(source)), call_(std::move(call)) {}

    /// The call as it was understood, with all options.
    std::string identity() const override {
        std::string text = call_.kind.name;
        for (const Selection& selection : call_.selections) text += fmt::format(" \"{}\"", selection.text);
        for (const auto& [name, value] : call_.options)
            text += fmt::format(" {}={}", name, std::visit([](auto v) { return fmt::to_string(v); }, value));
        return text;
    }

    std::unique_ptr<FrameEvaluator> bind(const trajectory::Topology& topology) const override {
        CollectiveVariableArguments arguments;
        arguments.options = call_.options;
        for (const Selection& selection : call_.selections) {
            try {
                arguments.selections.push_back(trajectory::select(topology, selection.text));
            } catch (Error& error) {
                throw std::move(error).add_context(fmt::format("in {}", source_.place(selection.offset)));
            }
        }
        return call_.kind.factory(arguments);
    }

private:
    SourceText source_;
    Call call_;
};

}  // namespace

std::vector<std::int32_t> CollectiveVariableArguments::atoms() const {
    std::vector<std::int32_t> all;
    for (const std::vector<std::int32_t>& selection : selections) {
        all.insert(all.end(), selection.begin(), selection.end());
    }
    return all;
}

bool CollectiveVariableArguments::flag(std::string_view option) const {
    return std::get<bool>(options.find(option)->second);
}

double CollectiveVariableArguments::number(std::string_view option) const {
    return std::get<double>(options.find(option)->second);
}

bool is_collective_variable(const Kinds& kinds, std::span<const Token> tokens) {
    if (tokens.size() < 3 || tokens[0].kind != TokenKind::name || !tokens[1].is_symbol("(")) return false;
    return kinds.find(tokens[0].text) != nullptr || tokens[2].kind == TokenKind::string;
}

FrameFunctionPtr collective_variable(const Kinds& kinds, std::string name, std::string text) {
    SourceText source(fmt::format("variable '{}'", name), std::move(text));
    Call call = CallParser(kinds, source).parse();
    return std::make_shared<const CollectiveVariable>(std::move(name), std::move(source), std::move(call));
}

}  // namespace coromd::functions
