// SPDX-License-Identifier: LGPL-3.0-or-later
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/runtime/process.hpp"

namespace coromd::runtime {
namespace {

/// A NUL would silently cut what the program gets to see.
void refuse_nul(std::string_view text, std::string_view what) {
    if (text.find('\0') != text.npos) fail(ErrorKind::usage, "{} of a command holds a NUL character", what);
}

std::string quoted(const std::string& word) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) return word;
    std::string out = "'";
    for (const char c : word) {
        if (c == '\'') {
            out += "'\\''";
        } else {
            out += c;
        }
    }
    return out + "'";
}

}  // namespace

Command::Command(std::vector<std::string> argv) : argv_(std::move(argv)) {
    if (argv_.empty()) fail(ErrorKind::usage, "a command needs at least the name of a program");
    for (const std::string& word : argv_) refuse_nul(word, "an argument");
}

Command& Command::working_directory(std::filesystem::path path) {
    refuse_nul(path.native(), "the working directory");
    working_directory_ = std::move(path);
    return *this;
}

Command& Command::environment(std::string name, std::string value) {
    refuse_nul(name, "the environment");
    refuse_nul(value, "the environment");
    if (name.empty() || name.find('=') != name.npos) {
        fail(ErrorKind::usage, "'{}' cannot be the name of an environment variable", name);
    }
    environment_.insert_or_assign(std::move(name), std::move(value));
    return *this;
}

Command& Command::new_session() {
    new_session_ = true;
    return *this;
}

Command& Command::input(std::string text) {
    input_ = std::move(text);
    return *this;
}

Command& Command::output_files(std::filesystem::path stdout_path, std::filesystem::path stderr_path) {
    if (stdout_path.empty() || stderr_path.empty()) {
        fail(ErrorKind::usage, "a command needs files for both of its outputs, or for none");
    }
    stdout_path_ = std::move(stdout_path);
    stderr_path_ = std::move(stderr_path);
    return *this;
}

Command& Command::tail_limit(std::size_t bytes) {
    tail_limit_ = bytes;
    return *this;
}

std::string Command::text() const {
    std::string out;
    for (const std::string& word : argv_) {
        if (!out.empty()) out += ' ';
        out += quoted(word);
    }
    return out;
}

std::string ExitStatus::text() const {
    if (!signal) return fmt::format("exit code {}", exit_code.value_or(0));
    const char* name = sigdescr_np(*signal);
    return fmt::format("killed by signal {} ({})", *signal, name ? name : "unknown");
}

}  // namespace coromd::runtime
