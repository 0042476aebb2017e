// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

namespace coromd::fake_slurm {

/// A fault as the help and the errors of `coromd-fake-slurm faults` know it.
struct FaultKind {
    const char* name;
    const char* form;  ///< what its value looks like
    const char* help;
};
std::span<const FaultKind> fault_kinds();

/// What goes wrong, kept in DIR/faults.json as name -> text. The controller is its one writer while
/// it runs (it counts down), but a file that somebody else wrote is taken over.
class Faults {
public:
    explicit Faults(std::filesystem::path file) : file_(std::move(file)) { refresh(); }

    /// Reads the file again if it was changed by someone else.
    void refresh();
    /// Sets "name=value" or "name.command=value"; "off" removes. Throws Error(usage), with nothing set.
    void set(std::span<const std::string> assignments);
    void clear();

    /// Whether a fault of the form WHEN[:VALUE] strikes now, which counts. WHEN is "always", a number
    /// of times, or a probability "30%". Gives the VALUE, or "".
    std::optional<std::string> strikes(std::string_view name, std::string_view command = "");
    /// A time in seconds; 0 where the fault is not set.
    double seconds(std::string_view name, std::string_view command = "") const;
    /// The text of a fault; empty where it is not set.
    std::string text(std::string_view name, std::string_view command = "") const;
    /// "name=value" lines.
    std::string listing() const;

private:
    void save();
    std::string key_of(std::string_view name, std::string_view command) const;

    std::filesystem::path file_;
    std::map<std::string, std::string, std::less<>> values_;
    struct stat seen_ {};
    std::mt19937_64 random_{1};
};

}  // namespace coromd::fake_slurm
