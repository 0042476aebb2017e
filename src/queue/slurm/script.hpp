// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "slurm/options.hpp"

namespace coromd::queue::slurm {

/// The longest template.
inline constexpr std::size_t kLongestScript = 1 << 20;

/// A user's job script, in which the command of a job takes the place of `{command}` (or of asyncmd's
/// `{mdrun_cmd}` and `{cmd_str}`): what a site wants around a program, such as modules, is its user's
/// to say.
///
/// The parts of a script, in the order in which they must be written:
///   shebang()   the first line
///   directives  the #SBATCH lines before the first command, as sbatch reads them, word for word
///   body()      everything else, in its order, comments included
/// Placeholders in comment lines are left alone: a command of several lines would leave its comment.
/// Any other brace stays as it is.
class ScriptTemplate {
public:
    /// "{command}" for bash.
    ScriptTemplate();
    /// `name` is for messages: the template's path. Line ends may be CR LF. Throws Error(usage), with
    /// the line where there is one, for a template without placeholder, a NUL, a shebang that is not
    /// in the first line or has no absolute path, a directive that sbatch or SbatchOptions would refuse,
    /// parts of heterogeneous jobs, and more than kLongestScript bytes.
    ScriptTemplate(std::string_view text, std::string_view name);

    /// "#!/bin/bash"
    const std::string& shebang() const noexcept { return shebang_; }
    const std::vector<std::string>& directives() const noexcept { return directives_; }
    /// What the directives say: the lowest layer of a job's options.
    const SbatchOptions& options() const noexcept { return options_; }
    /// Lines, from 1, of #SBATCH lines behind the first command: sbatch takes them for comments, of
    /// which the user should hear.
    const std::vector<int>& late_directives() const noexcept { return late_directives_; }
    /// The body with `command` in its place; ends with a newline.
    std::string body(std::string_view command) const;
    /// All three parts.
    std::string text(std::string_view command) const;

private:
    void parse_directive(std::string_view arguments);

    std::string shebang_ = "#!/bin/bash";
    std::vector<std::string> directives_;
    SbatchOptions options_;
    std::vector<int> late_directives_;
    std::vector<std::string> body_;  // lines
};

/// `argv` as a POSIX shell reads it back, its first word never as a keyword or an assignment.
/// Throws Error(usage) for a NUL.
std::string shell_quote(std::span<const std::string> argv);

}  // namespace coromd::queue::slurm
