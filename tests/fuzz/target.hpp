// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What a fuzzer feeds: each target does with hostile bytes whatever a user can do with such a file. Only
// coromd::Error may come out of it, and only of a kind that says that the input is wrong.
#pragma once

#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace coromd::fuzz {

struct Target {
    std::string name;       ///< "xtc"
    std::string extension;  ///< ".xtc"
    /// `path` holds `bytes`. Other files may be written beside it.
    void (*run)(const std::filesystem::path& path, std::string_view bytes);
    bool planted = false;  ///< has a bug on purpose
};

const std::vector<Target>& targets();
/// Throws std::runtime_error where there is none.
const Target& target(std::string_view name);

/// A broken promise of the code under test.
struct Broken : std::logic_error {
    using std::logic_error::logic_error;
};
inline void promise(bool kept, const char* what) {
    if (!kept) throw Broken(what);
}

/// A folder in memory where there is one; it goes with the object.
class Workshop {
public:
    explicit Workshop(const Target& target);
    Workshop(const Workshop&) = delete;
    Workshop& operator=(const Workshop&) = delete;
    ~Workshop();

    /// Gives the bytes to the target. What it throws is a bug.
    void run(std::string_view bytes);
    const std::filesystem::path& input() const { return input_; }

private:
    const Target& target_;
    std::filesystem::path folder_;
    std::filesystem::path input_;
};

/// A small valid file.
struct Seed {
    std::string name;
    std::string bytes;
};
std::vector<Seed> seeds_of(const Target& target);

// The targets, by their sources.
void run_frames(const std::filesystem::path& path, std::string_view bytes);
void run_frames_and_structure(const std::filesystem::path& path, std::string_view bytes);
void run_selection(const std::filesystem::path& path, std::string_view bytes);
void run_ndx(const std::filesystem::path& path, std::string_view bytes);
void run_mdp(const std::filesystem::path& path, std::string_view bytes);
void run_planted(const std::filesystem::path& path, std::string_view bytes);

}  // namespace coromd::fuzz
