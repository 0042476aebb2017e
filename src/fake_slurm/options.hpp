// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coromd::fake_slurm {

/// An option as getopt_long knows it.
struct Option {
    enum Argument { none, required, optional };
    const char* name;
    char letter = 0;
    Argument argument = none;
};

/// A command line taken apart with the rules of getopt_long, which SLURM's commands use: letters may
/// be joined, long names shortened.
class CommandLine {
public:
    /// `permute`: options may follow operands. What is wrong is told by error().
    CommandLine(std::string command, std::span<const Option> known, bool permute);

    /// Adds arguments. Those of before win where `first_wins`: sbatch's command line over its script.
    void add(std::span<const std::string> arguments, bool first_wins = false);

    bool has(std::string_view name) const { return find(name) != nullptr; }
    /// The value of an option, the last one where it was given repeatedly.
    std::string value(std::string_view name, const std::string& fallback = "") const;
    std::optional<std::string> maybe(std::string_view name) const;
    const std::vector<std::string>& operands() const { return operands_; }
    /// getopt's message; empty when all is well.
    const std::string& error() const { return error_; }

private:
    const std::string* find(std::string_view name) const;
    const Option* long_option(std::string_view whole);
    void unknown(const std::string& what);

    std::string command_;
    std::span<const Option> known_;
    bool permute_;
    std::vector<std::pair<std::string, std::string>> values_;
    std::vector<std::string> operands_;
    std::string error_;
};

}  // namespace coromd::fake_slurm
