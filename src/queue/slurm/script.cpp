// SPDX-License-Identifier: LGPL-3.0-or-later
//
// How sbatch reads a script: a line that starts with "#SBATCH" (or the old "#SLURM") holds options;
// blank lines and those whose first character, blanks aside, is '#' are passed over; any other line is
// the first command, behind which nothing is looked at. The words of a directive are parted by blanks;
// '...' and "..." quote, '\' takes the next character as it is, in quotes too, but does not join words at
// a blank; a '#' that is not quoted starts a comment. Then getopt reads them: --name=value, --name value,
// -n value, -nvalue, -Os for two flags. All of this was tried with sbatch 22.05.
#include "slurm/script.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "coromd/core/error.hpp"
#include "coromd/core/letters.hpp"
#include "slurm/text.hpp"

namespace coromd::queue::slurm {

namespace {

constexpr std::array<std::string_view, 3> kPlaceholders{"{command}", "{mdrun_cmd}", "{cmd_str}"};

bool is_comment(std::string_view line) {
    return trimmed(line).starts_with('#');
}

/// What follows the magic word of a directive.
std::optional<std::string_view> directive(std::string_view line) {
    for (const std::string_view magic : {"#SBATCH", "#SLURM"})
        if (line.starts_with(magic)) return line.substr(magic.size());
    return {};
}

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> out;
    std::size_t i = 0;
    const auto skip_blanks = [&] {
        while (i < text.size() && is_blank(text[i])) ++i;
    };
    for (skip_blanks(); i < text.size() && text[i] != '#'; skip_blanks()) {
        std::string word;
        char quote = 0;
        for (; i < text.size() && (quote || (!is_blank(text[i]) && text[i] != '#')); ++i) {
            const char c = text[i];
            if (c == '\\') {
                if (i + 1 < text.size() && (quote || !is_blank(text[i + 1]))) word += text[++i];
            } else if (quote ? c == quote : c == '"' || c == '\'') {
                quote = quote ? char{0} : c;
            } else {
                word += c;
            }
        }
        if (quote) fail(ErrorKind::usage, "a quote in this #SBATCH line is never closed");
        out.push_back(std::move(word));
    }
    return out;
}

std::string with_command(const std::string& line, std::string_view command) {
    std::string out;
    std::size_t done = 0;
    while (done < line.size()) {
        std::size_t at = line.npos;
        std::string_view found;
        for (const std::string_view placeholder : kPlaceholders) {
            const std::size_t here = line.find(placeholder, done);
            if (here < at) {
                at = here;
                found = placeholder;
            }
        }
        out.append(line, done, at == line.npos ? at : at - done);
        if (at == line.npos) break;
        out.append(command);
        done = at + found.size();
    }
    return out;
}

bool has_placeholder(std::string_view line) {
    return std::ranges::any_of(kPlaceholders, [&](auto name) { return line.find(name) != line.npos; });
}

}  // namespace

ScriptTemplate::ScriptTemplate() : body_{"{command}"} {}

ScriptTemplate::ScriptTemplate(std::string_view text, std::string_view name) {
    if (text.size() > kLongestScript)
        fail(ErrorKind::usage, "{}: a job script of more than {} bytes", name, kLongestScript);
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    bool before_commands = true;
    bool complete = false;
    for (int number = 1; !text.empty(); ++number) {
        std::string_view line = cut(text, '\n');
        if (line.ends_with('\r')) line.remove_suffix(1);
        try {
            if (line.find('\0') != line.npos) fail(ErrorKind::usage, "there is a NUL in this line");
            if (line.starts_with("#!") && before_commands) {
                if (number > 1) fail(ErrorKind::usage, "'#!' belongs in the first line");
                if (!trimmed(line.substr(2)).starts_with('/'))
                    fail(ErrorKind::usage, "'#!' needs the absolute path of a shell");
                shebang_ = line;
                continue;
            }
            const auto arguments = directive(line);
            if (arguments && before_commands) {
                parse_directive(*arguments);
                directives_.emplace_back(line);
                continue;
            }
        } catch (const Error& error) {
            throw Error(error.kind(), fmt::format("{}:{}: {}", name, number, error.message()));
        }
        if (directive(line)) late_directives_.push_back(number);
        if (!is_comment(line)) {
            if (!trimmed(line).empty()) before_commands = false;
            complete = complete || has_placeholder(line);
        }
        body_.emplace_back(line);
    }
    if (!complete)
        fail(ErrorKind::usage,
             "{}: the job script does not say where the command goes: write {{command}} on a line of its own "
             "that is no comment",
             name);
}

void ScriptTemplate::parse_directive(std::string_view arguments) {
    // sbatch looks for these words in all of the line.
    for (const char* word : {"hetjob", "packjob"})
        if (lower_case(arguments).find(word) != std::string::npos)
            fail(ErrorKind::usage, "a job of coromd has no parts: '{}' cannot be used", word);
    const std::vector<std::string> args = words(arguments);
    for (std::size_t i = 0; i < args.size(); ++i) {
        const std::string& arg = args[i];
        if (arg.size() < 2 || arg[0] != '-')
            fail(ErrorKind::usage, "'{}' in a #SBATCH line is no option", printable(arg));
        const auto next = [&](const std::string& name) -> std::string {
            if (i + 1 == args.size()) fail(ErrorKind::usage, "sbatch's option '{}' needs a value", name);
            return args[++i];
        };
        if (arg[1] == '-') {
            const std::size_t equals = arg.find('=');
            const std::string name = arg.substr(2, equals == arg.npos ? equals : equals - 2);
            // sbatch is stricter than we are with settings.
            if (name.size() < 2 || name[0] == '-' || name.find('_') != name.npos)
                fail(ErrorKind::usage, "'{}' in a #SBATCH line is no option", printable(arg));
            const bool separate = equals == arg.npos && option_value(name) == OptionValue::required;
            options_.set(name, separate ? next(name) : equals == arg.npos ? "" : arg.substr(equals + 1));
            continue;
        }
        for (std::size_t at = 1; at < arg.size(); ++at) {
            const std::string name(1, arg[at]);
            const OptionValue takes = option_value(name);
            if (takes == OptionValue::none || takes == OptionValue::unknown) {
                options_.set(name, "");
                continue;
            }
            const std::string attached = arg.substr(at + 1);
            options_.set(name, attached.empty() && takes == OptionValue::required ? next(name) : attached);
            break;
        }
    }
}

std::string ScriptTemplate::body(std::string_view command) const {
    std::string out;
    for (const std::string& line : body_)
        out.append(is_comment(line) ? line : with_command(line, command)).append("\n");
    return out;
}

std::string ScriptTemplate::text(std::string_view command) const {
    std::string out = shebang_ + "\n";
    for (const std::string& line : directives_) out.append(line).append("\n");
    return out + body(command);
}

std::string shell_quote(std::span<const std::string> argv) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    constexpr std::array<std::string_view, 16> kKeywords{
        "case", "coproc",   "do", "done",   "elif", "else", "esac",  "fi",
        "for",  "function", "if", "select", "then", "time", "until", "while"};
    std::string out;
    for (std::size_t i = 0; i < argv.size(); ++i) {
        const std::string& word = argv[i];
        if (word.find('\0') != word.npos)
            fail(ErrorKind::usage, "an argument of a command holds a NUL character");
        if (i > 0) out += ' ';
        const bool special =
            i == 0 && (word.find('=') != word.npos || std::ranges::find(kKeywords, word) != kKeywords.end());
        if (!word.empty() && !special && word.find_first_not_of(kPlain) == word.npos) {
            out += word;
            continue;
        }
        out += '\'';
        for (const char c : word) out.append(c == '\'' ? std::string_view("'\\''") : std::string_view(&c, 1));
        out += '\'';
    }
    return out;
}

}  // namespace coromd::queue::slurm
