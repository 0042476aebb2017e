// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/functions/expression.hpp"
#include "text.hpp"

namespace coromd::functions {

/// An expression as muParser shall see it: every operation in parentheses, variables as v0, v1,
/// ... and constants as c0, c1, ...
struct ParsedExpression {
    std::string code;
    std::vector<std::string> variables;
    std::vector<double> constants;
};

// The functions that ParsedExpression::code calls besides muParser's own. The last argument is
// where the operation stands in the source (byte offset).
inline constexpr std::string_view kCheckedFunction =
    "k";  ///< k(value, place): the value, which must be finite
inline constexpr std::string_view kDivideFunction = "d";  ///< d(a, b, place): a / b, which must be finite

/// Throws Error(usage) that points at the first place that makes no sense.
ParsedExpression parse_expression(const SourceText& source, std::span<const ExpressionName> names,
                                  ValueType type);

}  // namespace coromd::functions
