// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "coromd/trajectory/frame.hpp"

namespace coromd::trajectory {

struct SelectionNode;
using SelectionNodePtr = std::unique_ptr<SelectionNode>;

/// Words without a value.
enum class AtomClass { all, none, protein, backbone, water, solute, hydrogen };
enum class TextProperty { name, resname, type, segid, moltype, element };
enum class NumberProperty { resid, index, bynum };
enum class RealProperty { mass, charge };
enum class Comparison { less, less_equal, greater, greater_equal, equal, not_equal, range };
enum class SharedProperty { residue, resname, segid, moltype, molecule };

struct TextMatch {
    struct Pattern {
        std::string text;
        bool literal = false;  ///< it was in quotes
    };
    TextProperty property;
    std::vector<Pattern> patterns;
};

struct NumberMatch {
    struct Range {
        std::int64_t first = 0;
        std::int64_t last = 0;
        std::size_t column = 0;
    };
    NumberProperty property;
    std::vector<Range> ranges;
};

struct RealMatch {
    struct Test {
        Comparison comparison = Comparison::range;
        double first = 0.0;  ///< the only one, unless it is a range
        double last = 0.0;
    };
    RealProperty property;
    std::vector<Test> tests;
};

struct GroupMatch {
    std::string name;
};

struct SameAs {
    SharedProperty property;
    SelectionNodePtr operand;
};

struct Near {
    double radius_nm = 0.0;
    SelectionNodePtr operand;  ///< null: `point` takes its place
    Vec3f point;
    bool with_operand = false;
};

struct Not {
    SelectionNodePtr operand;
};

struct AllOf {
    std::vector<SelectionNode> operands;
};

struct AnyOf {
    std::vector<SelectionNode> operands;
};

struct SelectionNode {
    std::size_t column = 0;  ///< of its keyword, from 0
    std::variant<AtomClass, TextMatch, NumberMatch, RealMatch, GroupMatch, SameAs, Near, Not, AllOf, AnyOf>
        rule;
};

struct SelectionTree {
    std::string text;
    SelectionNode root;
    bool needs_positions = false;
};

/// Throws Error(usage) as Selection::parse() does.
SelectionTree parse_selection(std::string_view text);

/// Throws Error(usage) that shows `text` with a caret below the column (from 0).
[[noreturn]] void fail_in_selection(std::string_view text, std::size_t column, std::string_view message);

}  // namespace coromd::trajectory
