// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coromd/core/registry.hpp"
#include "coromd/functions/collective_variable.hpp"
#include "coromd/functions/expression.hpp"
#include "coromd/functions/function.hpp"

namespace coromd::functions {

/// Something that a user has given a name.
struct Definition {
    std::string name;
    ValueType type = ValueType::number;  ///< boolean for a state
    std::string text;                    ///< as written; empty for a function that was handed in
    FrameFunctionPtr function;
};

/// The variables and states of a program or a settings file, each built on those before it.
///
///     Definitions define;
///     define.variable("phi", R"(dihedral("index 4", "index 6", "index 8", "index 14"))");
///     define.variable("psi", R"(dihedral("index 6", "index 8", "index 14", "index 16"))");
///     auto alphaR = define.state("alphaR", "phi <= 0 and -50*deg <= psi and psi <= 30*deg");
///
/// Names are identifiers of up to 64 characters, and none of those that expressions reserve;
/// variables and states share them. A function that is returned stays valid without this object.
/// Everything throws Error(usage); where a text is wrong, with the column and a caret under it.
class Definitions {
public:
    /// `kinds`: the collective variables that can be called.
    explicit Definitions(Registry<CollectiveVariableKind> kinds = builtin_collective_variables());

    /// A number per frame: the call of a collective variable, or an expression of what was defined
    /// before ("0.5*(d1 + d2)").
    FrameFunctionPtr variable(std::string name, std::string text);
    /// The same, computed by a function that is there already.
    FrameFunctionPtr variable(std::string name, FrameFunctionPtr function);
    /// A condition on what was defined before; 1 in frames where it holds, else 0. May name other
    /// states ("not alphaR").
    FrameFunctionPtr state(std::string name, std::string text);

    /// In the order in which they were defined.
    const std::vector<Definition>& all() const noexcept { return definitions_; }
    /// Throws Error(usage) that lists the known names.
    const Definition& at(std::string_view name) const;

    /// Binds everything to the atoms of a system, so that selections that are impossible there are
    /// errors before anything runs.
    void check(const trajectory::Topology& topology) const;

private:
    const Definition* find(std::string_view name) const noexcept;
    void check_name(std::string_view name, std::string_view what) const;
    FrameFunctionPtr expression(std::string name, std::string what, std::string text, ValueType type) const;
    FrameFunctionPtr add(Definition definition);

    Registry<CollectiveVariableKind> kinds_;
    std::vector<Definition> definitions_;
};

}  // namespace coromd::functions
