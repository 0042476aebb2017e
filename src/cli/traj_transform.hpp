// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "coromd/trajectory/selection.hpp"
#include "coromd/trajectory/transform.hpp"

namespace coromd::cli {

/// What the options say is to be done to frames.
struct TransformOptions {
    struct Step {
        std::string option;  ///< "--wrap"
        std::string value;
    };
    std::vector<Step> steps{};  ///< in the order of the command line
    std::filesystem::path fit_to{};
    std::string fit_kind{};   ///< empty: rotation+translation
    std::string centre_at{};  ///< empty: the centre of the box
    std::string weights{};    ///< empty: mass
};

/// Adds --whole, --wrap, --fit and so on.
void add_transformations(CLI::App* command, TransformOptions& options);

/// What was asked for, for frames of `trajectory`, whose structure file says what selections mean. Throws
/// Error(usage) where a value makes no sense, Error(input) and Error(system) where a file cannot be read.
trajectory::Transformation transformation_of(const TransformOptions& options,
                                             const trajectory::Trajectory& trajectory,
                                             const trajectory::AtomGroups& groups);

/// The groups of an index file; none where `ndx` is empty. Throws Error(usage) where different groups have
/// one name.
trajectory::AtomGroups read_groups(const std::filesystem::path& ndx);

/// The atoms that a selection stands for, without looking at positions. Throws Error(usage) where there are
/// none.
std::vector<std::int32_t> selected_atoms(const trajectory::Topology& topology, const std::string& text,
                                         const trajectory::AtomGroups& groups);

}  // namespace coromd::cli
