// SPDX-License-Identifier: LGPL-3.0-or-later
//
// NDX, the index files of GROMACS:
//
//     [ name of a group ]      ; a comment
//     1 2 3                    numbers of atoms, from 1, over as many lines as needed
#include "coromd/trajectory/ndx.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/trajectory/input_file.hpp"
#include "line_reader.hpp"
#include "text_fields.hpp"

namespace coromd::trajectory {

namespace {

constexpr std::int64_t kMaxNumber = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t kNumbersPerLine = 15;

/// A line without its comment, and where it is.
struct Place {
    const InputFile& file;
    std::int64_t line;
    std::string_view text;

    /// `at` points into `text`.
    template <typename... Args>
    [[noreturn]] void fail_at(const char* at, fmt::format_string<Args...> format, Args&&... args) const {
        fail(ErrorKind::input, "'{}', line {}, column {}: {}", file.path().string(), line,
             at - text.data() + 1, fmt::format(format, std::forward<Args>(args)...));
    }
};

std::string name_in_header(const Place& place) {
    const std::string_view header = trimmed(place.text);
    const std::size_t end = header.find(']');
    if (end == std::string_view::npos) {
        place.fail_at(header.data(), "'{}' lacks the ']' after the name of the group", header);
    }
    if (end + 1 < header.size()) {
        place.fail_at(header.data() + end + 1, "'{}' follows the name of the group", header.substr(end + 1));
    }
    const std::string_view name = trimmed(header.substr(1, end - 1));
    if (name.empty()) place.fail_at(header.data(), "the group has no name");
    return std::string(name);
}

std::int32_t parse_atom(const Place& place, std::string_view word) {
    const std::optional<std::int64_t> number = parse<std::int64_t>(word);
    if (!number || *number < 1 || *number > kMaxNumber) {
        place.fail_at(word.data(), "the number of an atom, 1 to {}, is expected, not '{}'", kMaxNumber, word);
    }
    return static_cast<std::int32_t>(*number - 1);
}

std::string quoted_names(const std::vector<IndexGroup>& groups) {
    std::string text;
    for (const IndexGroup& group : groups) {
        text += fmt::format("{}'{}'", text.empty() ? "" : ", ", group.name);
    }
    return text.empty() ? "none" : text;
}

}  // namespace

std::vector<IndexGroup> read_ndx(const std::filesystem::path& path) {
    const InputFile file(path);
    LineReader lines(file, 0);
    std::vector<IndexGroup> groups;
    std::int64_t number = 0;
    while (const std::optional<LineReader::Line> line = lines.next()) {
        const Place place{file, ++number, line->text.substr(0, line->text.find(';'))};
        const std::vector<std::string_view> words = words_of(place.text);
        if (words.empty()) continue;
        if (words[0].starts_with('[')) {
            groups.push_back({name_in_header(place), {}});
            continue;
        }
        if (groups.empty()) {
            place.fail_at(words[0].data(), "'{}' comes before the first [ group ]", words[0]);
        }
        for (const std::string_view word : words) groups.back().atoms.push_back(parse_atom(place, word));
    }
    return groups;
}

void write_ndx(const std::filesystem::path& path, const std::vector<IndexGroup>& groups, bool overwrite) {
    std::error_code ignored;
    if (!overwrite && std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) {
        fail(ErrorKind::usage, "'{}' exists and is not overwritten unless asked for", path.string());
    }
    std::string text;
    for (const IndexGroup& group : groups) {
        if (group.name.empty() || group.name != trimmed(group.name) ||
            group.name.find_first_of("];\r\n") != std::string::npos) {
            fail(ErrorKind::usage, "'{}' cannot be the name of a group in '{}'", group.name, path.string());
        }
        text += fmt::format("[ {} ]", group.name);
        for (std::size_t i = 0; i < group.atoms.size(); ++i) {
            if (group.atoms[i] < 0 || group.atoms[i] >= kMaxNumber) {
                fail(ErrorKind::usage, "group '{}' cannot have the atom {}", group.name, group.atoms[i]);
            }
            text += fmt::format("{}{:4}", i % kNumbersPerLine == 0 ? '\n' : ' ', group.atoms[i] + 1);
        }
        text += '\n';
    }
    write_file_durably(path, text);
}

const IndexGroup& group(const std::vector<IndexGroup>& groups, std::string_view name) {
    const auto n_found = std::ranges::count(groups, name, &IndexGroup::name);
    if (n_found != 1) {
        fail(ErrorKind::usage, "{} group is called '{}'; the groups are: {}",
             n_found == 0 ? "no" : "more than one", name, quoted_names(groups));
    }
    return *std::ranges::find(groups, name, &IndexGroup::name);
}

}  // namespace coromd::trajectory
