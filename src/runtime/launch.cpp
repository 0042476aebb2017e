// SPDX-License-Identifier: LGPL-3.0-or-later
#include "launch.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"

// posix_spawn, which in glibc shares the memory of the parent until the exec and so costs the same
// however large that is. All descriptors here are close-on-exec. The three that the child gets are
// opened in the order in which they become its 0, 1 and 2, so each has at least that number, even
// where those are closed in this program, and no dup2 overwrites one that a later dup2 needs.

namespace coromd::runtime {
namespace {

bool is_program(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string find_program(const Command& command) {
    const std::string& name = command.argv().front();
    if (name.find('/') != name.npos) return name;

    std::string_view path;
    if (const auto own = command.environment().find("PATH"); own != command.environment().end()) {
        path = own->second;
    } else if (const char* inherited = std::getenv("PATH")) {
        path = inherited;
    }
    while (!name.empty() && !path.empty()) {
        const std::string_view folder = path.substr(0, path.find(':'));
        path.remove_prefix(std::min(path.size(), folder.size() + 1));
        if (folder.empty()) continue;
        const std::filesystem::path candidate = std::filesystem::absolute(folder) / name;
        if (is_program(candidate)) return candidate.native();
    }
    fail(ErrorKind::system, "'{}' was not found in PATH", name);
}

namespace detail {
namespace {

struct FileActions {
    FileActions() { posix_spawn_file_actions_init(&raw); }
    FileActions(const FileActions&) = delete;
    ~FileActions() { posix_spawn_file_actions_destroy(&raw); }
    posix_spawn_file_actions_t raw;
};

struct Attributes {
    Attributes() { posix_spawnattr_init(&raw); }
    Attributes(const Attributes&) = delete;
    ~Attributes() { posix_spawnattr_destroy(&raw); }
    posix_spawnattr_t raw;
};

/// A file in memory with the text: unlike a pipe it needs nobody to feed it.
FileDescriptor standard_input(const std::optional<std::string>& text) {
    if (!text) return open_file("/dev/null", O_RDONLY);
    FileDescriptor file(::memfd_create("stdin", MFD_CLOEXEC));
    if (!file) fail_errno(errno, "cannot create the standard input");
    write_fully(file, *text, "the standard input");
    if (::lseek(file.get(), 0, SEEK_SET) < 0) fail_errno(errno, "cannot rewind the standard input");
    return file;
}

/// The end to write to; the one to read from goes to `reader`.
FileDescriptor make_pipe(FileDescriptor& reader) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail_errno(errno, "cannot create a pipe");
    reader = FileDescriptor(ends[0]);
    FileDescriptor writer(ends[1]);
    if (::fcntl(reader.get(), F_SETFL, O_NONBLOCK) != 0) fail_errno(errno, "cannot set up a pipe");
    return writer;
}

FileDescriptor output_file(const std::filesystem::path& path) {
    return open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
}

/// The inherited environment with the command's own on top.
class Environment {
public:
    explicit Environment(const std::map<std::string, std::string>& own) {
        for (const auto& [name, value] : own) own_.push_back(name + "=" + value);
        for (char** entry = environ; entry && *entry; ++entry) {
            const std::string_view text = *entry;
            if (!own.contains(std::string(text.substr(0, text.find('='))))) entries_.push_back(*entry);
        }
        for (std::string& entry : own_) entries_.push_back(entry.data());
        entries_.push_back(nullptr);
    }
    char** data() noexcept { return entries_.data(); }

private:
    std::vector<std::string> own_;
    std::vector<char*> entries_;
};

[[noreturn]] void fail_to_start(int error_number, const std::string& program, const Command& command) {
    const std::filesystem::path& folder = command.working_directory();
    std::error_code ignored;
    if (!folder.empty() && !std::filesystem::is_directory(folder, ignored)) {
        fail(ErrorKind::system, "cannot start '{}': there is no working directory '{}'", program,
             folder.string());
    }
    if (error_number == ENOENT && is_program(folder / program)) {
        fail(ErrorKind::system, "cannot start '{}': the interpreter that it names was not found", program);
    }
    fail_errno(error_number, fmt::format("cannot start '{}'", program));
}

}  // namespace

Launched launch(const Command& command) {
    const std::string program = find_program(command);
    Launched launched;
    const FileDescriptor input = standard_input(command.input());
    FileDescriptor output;
    FileDescriptor error;
    const bool to_files = !command.stdout_path().empty();
    const bool merged = to_files && command.stdout_path() == command.stderr_path();
    if (to_files) {
        output = output_file(command.stdout_path());
        if (!merged) error = output_file(command.stderr_path());
    } else {
        output = make_pipe(launched.stdout_pipe);
        error = make_pipe(launched.stderr_pipe);
    }

    FileActions actions;
    posix_spawn_file_actions_adddup2(&actions.raw, input.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions.raw, output.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions.raw, (merged ? output : error).get(), STDERR_FILENO);
    if (!command.working_directory().empty()) {
        posix_spawn_file_actions_addchdir_np(&actions.raw, command.working_directory().c_str());
    }
#if __GLIBC_PREREQ(2, 34)
    // Libraries open files without close-on-exec.
    posix_spawn_file_actions_addclosefrom_np(&actions.raw, STDERR_FILENO + 1);
#endif

    Attributes attributes;
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes.raw, &all);
    posix_spawnattr_setsigmask(&attributes.raw, &none);
    posix_spawnattr_setpgroup(&attributes.raw, 0);
    // The leader of a session is that of a group already.
    const int group = command.is_new_session() ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
    posix_spawnattr_setflags(&attributes.raw,
                             static_cast<short>(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | group));

    std::vector<char*> argv;
    for (const std::string& word : command.argv()) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    Environment environment(command.environment());
    const int failed = ::posix_spawn(&launched.pid, program.c_str(), &actions.raw, &attributes.raw,
                                     argv.data(), environment.data());
    if (failed != 0) fail_to_start(failed, program, command);
    return launched;
}

}  // namespace detail

}  // namespace coromd::runtime
