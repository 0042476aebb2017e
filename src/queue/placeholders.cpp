// SPDX-License-Identifier: LGPL-3.0-or-later
#include "placeholders.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace coromd::queue {

namespace {

/// `{name}` replaced by its value, in one pass: what a value holds is not looked at again.
std::string replaced(std::string_view text, const std::map<std::string, std::string>& values) {
    std::string out;
    for (auto open = text.find('{'); open != text.npos; open = text.find('{')) {
        out += text.substr(0, open);
        text.remove_prefix(open);
        const auto close = text.find('}');
        const auto value =
            close == text.npos ? values.end() : values.find(std::string(text.substr(1, close - 1)));
        out += value == values.end() ? "{" : value->second;
        text.remove_prefix(value == values.end() ? 1 : close + 1);
    }
    return out += text;
}

}  // namespace

std::vector<std::string> filled_in(const Job& job, std::optional<int> first_core) {
    std::map<std::string, std::string> values = job.parameters();
    values["cores"] = std::to_string(job.resources().cores);
    values["tasks"] = std::to_string(job.resources().tasks);
    values["first_core"] = std::to_string(first_core.value_or(0));
    values["pin"] = first_core ? "on" : "auto";
    std::vector<std::string> command;
    for (const std::string& argument : job.command()) command.push_back(replaced(argument, values));
    return command;
}

bool pins_itself(const Job& job) {
    return std::ranges::any_of(job.command(), [](const std::string& argument) {
        return argument.find("{first_core}") != argument.npos || argument.find("{pin}") != argument.npos;
    });
}

}  // namespace coromd::queue
