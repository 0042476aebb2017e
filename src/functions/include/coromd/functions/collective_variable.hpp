// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "coromd/core/registry.hpp"
#include "coromd/functions/function.hpp"

namespace coromd::functions {

/// The value of an option (`pbc=false`, `r0=0.3`). Its type is that of its default.
using OptionValue = std::variant<bool, double>;

/// What stood between the parentheses of a collective variable, bound to a system.
struct CollectiveVariableArguments {
    /// The atoms of each selection; none is empty.
    std::vector<std::vector<std::int32_t>> selections;
    /// All options of the kind: as given, or their defaults.
    std::map<std::string, OptionValue, std::less<>> options;

    /// The atoms of all selections, one after the other.
    std::vector<std::int32_t> atoms() const;
    /// An option that the kind declares, of that type.
    bool flag(std::string_view option) const;
    double number(std::string_view option) const;
};

/// A kind of collective variable that definitions can name.
struct CollectiveVariableKind {
    std::string name;                                         ///< "dihedral"
    std::string usage;                                        ///< "dihedral(A, B, C, D)"
    std::string description;                                  ///< one line, for help and docs
    std::string units;                                        ///< "rad", "nm", ... or "" for a pure number
    std::size_t n_selections = 0;                             ///< how many texts in quotes it takes
    std::map<std::string, OptionValue, std::less<>> options;  ///< with their defaults
    std::function<std::unique_ptr<FrameEvaluator>(const CollectiveVariableArguments&)> factory;
};

/// distance, angle, dihedral, x, y, z.
Registry<CollectiveVariableKind> builtin_collective_variables();

/// The function that a call such as `dihedral("index 4", "index 6", "index 8", "index 14")` stands
/// for. Selections are in the language of trajectory::select(); they are looked at when the
/// function is bound, then as now with an Error(usage) that points at the column that is wrong.
FrameFunctionPtr collective_variable(const Registry<CollectiveVariableKind>& kinds, std::string name,
                                     std::string text);

}  // namespace coromd::functions
