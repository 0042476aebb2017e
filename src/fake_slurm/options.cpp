// SPDX-License-Identifier: LGPL-3.0-or-later
#include "options.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace coromd::fake_slurm {

CommandLine::CommandLine(std::string command, std::span<const Option> known, bool permute)
    : command_(std::move(command)), known_(known), permute_(permute) {}

const std::string* CommandLine::find(std::string_view name) const {
    for (auto it = values_.rbegin(); it != values_.rend(); ++it)
        if (it->first == name) return &it->second;
    return nullptr;
}

std::string CommandLine::value(std::string_view name, const std::string& fallback) const {
    const std::string* found = find(name);
    return found == nullptr ? fallback : *found;
}

std::optional<std::string> CommandLine::maybe(std::string_view name) const {
    const std::string* found = find(name);
    return found == nullptr ? std::nullopt : std::optional(*found);
}

void CommandLine::unknown(const std::string& what) {
    if (error_.empty())
        error_ = fmt::format("{0}: {1}\nTry \"{0} --help\" for more information\n", command_, what);
}

const Option* CommandLine::long_option(std::string_view whole) {
    const std::string_view name = whole.substr(0, whole.find('='));
    const Option* found = nullptr;
    int matches = 0;
    for (const Option& option : known_) {
        const std::string_view full = option.name;
        if (full == name) return &option;
        if (!full.starts_with(name)) continue;
        found = &option;
        ++matches;
    }
    if (matches > 1) unknown(fmt::format("option '--{}' is ambiguous", name));
    if (matches == 0) unknown(fmt::format("unrecognized option '--{}'", whole));
    return matches == 1 ? found : nullptr;
}

void CommandLine::add(std::span<const std::string> arguments, bool first_wins) {
    std::vector<std::pair<std::string, std::string>> found;
    for (std::size_t i = 0; i < arguments.size() && error_.empty(); ++i) {
        const std::string& word = arguments[i];
        if (word == "--" || word.size() < 2 || word[0] != '-') {
            const auto from = arguments.begin() + static_cast<std::ptrdiff_t>(i) + (word == "--");
            const bool rest = word == "--" || !permute_;
            operands_.insert(operands_.end(), from, rest ? arguments.end() : from + 1);
            if (rest) break;
            continue;
        }
        if (word[1] == '-') {
            const auto equals = word.find('=');
            const Option* option = long_option(std::string_view(word).substr(2));
            if (option == nullptr) break;
            std::string value;
            if (equals != word.npos) {
                if (option->argument == Option::none)
                    unknown(fmt::format("option '--{}' doesn't allow an argument", option->name));
                value = word.substr(equals + 1);
            } else if (option->argument == Option::required) {
                if (++i == arguments.size())
                    unknown(fmt::format("option '--{}' requires an argument", option->name));
                else
                    value = arguments[i];
            }
            found.emplace_back(option->name, value);
            continue;
        }
        for (std::size_t c = 1; c < word.size(); ++c) {
            const auto option = std::find_if(known_.begin(), known_.end(),
                                             [&](const Option& one) { return one.letter == word[c]; });
            if (option == known_.end()) {
                unknown(fmt::format("invalid option -- '{}'", word[c]));
                break;
            }
            std::string value = option->argument == Option::none ? "" : word.substr(c + 1);
            if (option->argument == Option::required && value.empty()) {
                if (++i == arguments.size())
                    unknown(fmt::format("option requires an argument -- '{}'", word[c]));
                else
                    value = arguments[i];
            }
            found.emplace_back(option->name, value);
            if (option->argument != Option::none) break;
        }
    }
    values_.insert(first_wins ? values_.begin() : values_.end(), found.begin(), found.end());
}

}  // namespace coromd::fake_slurm
