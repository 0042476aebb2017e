// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "coromd/core/hash.hpp"

namespace coromd::engine::gromacs {

/// A GROMACS run parameter file (mdp), as a dictionary that leaves the user's text alone.
///
/// It reads what grompp reads and refuses what grompp refuses. Keys are the same to upper and
/// lower case and with or without '-' and '_'. An empty right-hand side is GROMACS's default: the
/// key counts as not given. A value is one piece of text, whatever is in it; how to read it is the
/// caller's request, because only GROMACS knows the type of each of its keys. Which keys there are
/// is left to grompp, too.
///
/// What is not changed is written back byte for byte: comments, order, spacing, line ends. A
/// changed value changes only its own line, a new key is appended.
///
/// Lengths of runs in steps and ps are not made here: see the helpers of the engine.
class Mdp {
public:
    static constexpr std::size_t kSizeLimit = std::size_t{64} << 20;  ///< bytes
    static constexpr std::size_t kKeyLimit = std::size_t{1} << 20;    ///< lines with a key

    struct Item {
        std::string_view key;  ///< as written in the file
        std::string_view value;
    };

    /// An empty file: every value is GROMACS's default.
    Mdp() = default;

    /// `name` is what errors call the text. Throws Error(input) with "name:line" for a line without
    /// '=', one without a key, a key that is given twice (naming both lines), a NUL byte outside of
    /// comments, a byte-order mark, and a text above the limits.
    static Mdp parse(std::string_view text, std::string name);
    /// Throws as parse(), and Error(system) where the file cannot be read.
    static Mdp read(const std::filesystem::path& path);

    bool contains(std::string_view key) const;
    /// The value without the blanks around it.
    std::optional<std::string> text(std::string_view key) const;
    /// The value split at blanks, the only separator that GROMACS knows; empty where not given.
    std::vector<std::string> words(std::string_view key) const;
    /// A decimal integer. Throws Error(input) where the value is anything else, as grompp does
    /// ("1e3"), and where it does not fit, which grompp would clip.
    std::optional<std::int64_t> integer(std::string_view key) const;
    /// Throws Error(input) where the value is no finite number.
    std::optional<double> real(std::string_view key) const;
    /// yes, no, true, false, 1 or 0: what one or another key of GROMACS takes ("on" and "off" are
    /// taken by none). Throws Error(input) for anything else.
    std::optional<bool> boolean(std::string_view key) const;

    /// The keys that have a value, in the order of the file. The views are valid until the next change.
    std::vector<Item> items() const;

    /// Sets a value; an empty one is GROMACS's default. Throws Error(usage) for what would not read
    /// back as it is: line breaks, control characters and ';', and in keys also blanks and '='.
    void set(std::string_view key, std::string_view value);
    /// Throws Error(usage) also for a number that is not finite. Written with the digits it needs.
    void set(std::string_view key, double value);
    /// Throws Error(usage) also for an empty word and for one with blanks in it.
    void set(std::string_view key, const std::vector<std::string>& words);
    /// Integers as they are, bool as yes and no.
    template <std::integral T>
    void set(std::string_view key, T value) {
        if constexpr (std::same_as<T, bool>) {
            set(key, std::string_view(value ? "yes" : "no"));
        } else {
            set(key, std::string_view(fmt::format("{}", value)));
        }
    }
    /// Takes the line of the key out, with its comment. False where the key has no value.
    bool remove(std::string_view key);

    /// Whether the text differs from what was parsed because of set() or remove().
    bool changed() const noexcept { return changed_; }
    /// The whole file.
    const std::string& text() const noexcept { return text_; }
    const std::string& name() const noexcept { return name_; }
    /// "name:line" of a key that has a value, else the name: the start of an error message.
    std::string location(std::string_view key) const;
    /// Durably, as a whole or not at all. Throws Error(usage) where `path` exists unless `overwrite`,
    /// Error(system) where it cannot be written.
    void write(const std::filesystem::path& path, bool overwrite = false) const;

    /// The keys (folded, sorted) and their values, a line for each: comments, order, spacing and empty
    /// values make no difference.
    std::string canonical() const;
    Fingerprint fingerprint() const { return coromd::fingerprint(canonical()); }

private:
    // Offsets rather than views, so that a copy is a copy; kSizeLimit keeps them below 32 bits.
    struct Span {
        std::uint32_t begin = 0;
        std::uint32_t size = 0;
    };
    struct Entry {
        std::uint32_t line_number = 0;
        Span line;    // with its line end
        Span key;     // in text_
        Span value;   // in text_; where empty, right behind the '='
        Span folded;  // in folded_
    };

    void add_line(std::uint32_t begin, std::uint32_t end, std::uint32_t line_number);
    void sort_keys();
    void replace_text(const std::string& text);
    // The line of a key: the one with a value if there is one, else the first empty one.
    const Entry* find_line(std::string_view key) const;
    const Entry* find(std::string_view key) const;
    std::string_view view(Span span) const { return std::string_view(text_).substr(span.begin, span.size); }
    std::string_view folded(const Entry& entry) const {
        return std::string_view(folded_).substr(entry.folded.begin, entry.folded.size);
    }
    [[noreturn]] void refuse(const Entry& entry, std::string_view why) const;

    std::string name_;
    std::string text_;
    std::string folded_;                 // the folded keys of all entries, one after the other
    std::vector<Entry> entries_;         // in the order of the file, also those without a value
    std::vector<std::uint32_t> by_key_;  // one index into entries_ for each key, by folded key
    bool changed_ = false;
};

/// What b says differently from a, one line for each key, as "nstxout-compressed: 50 -> 100". A key
/// that one of them does not give has "(default)" there.
std::vector<std::string> differences(const Mdp& a, const Mdp& b);

enum class OutputFormat {
    xtc,  ///< compressed positions
    trr   ///< positions, velocities and forces at full precision
};

/// The number of steps between two frames of a trajectory, at least 1: nstxout-compressed (or its old
/// name nstxtcout) for xtc, nstxout for trr. Throws Error(input) where the mdp writes no such
/// trajectory, and for a trr where nstvout or nstfout is no multiple of nstxout: the trajectory would
/// have frames without positions.
std::int64_t nstout(const Mdp& mdp, OutputFormat format);

}  // namespace coromd::engine::gromacs
