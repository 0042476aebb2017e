// SPDX-License-Identifier: LGPL-3.0-or-later
#include "detach.hpp"

#include <cerrno>
#include <csignal>
#include <string>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "commands.hpp"
#include "coromd/core/error.hpp"
#include "coromd/session/session.hpp"

namespace coromd::cli {

namespace fs = std::filesystem;

std::optional<int> Detachment::begin() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail_errno(errno, "cannot create a pipe");
    FileDescriptor reader(ends[0]);
    pipe_ = FileDescriptor(ends[1]);
    const pid_t child = ::fork();
    if (child < 0) fail_errno(errno, "cannot start a process");
    if (child == 0) {
        ::setsid();
        // The terminal may go.
        std::signal(SIGHUP, SIG_IGN);
        return std::nullopt;
    }
    pipe_.reset();
    std::string said(4096, '\0');
    said.resize(read_fully(reader, said, "what the detached program says"));
    if (!said.empty()) {
        print(
            fmt::format("Running as process {}.\n"
                        "  coromd status '{}' --watch    how far it is\n"
                        "  coromd attach '{}'            what it says, until it ends\n"
                        "  coromd stop '{}'              ends it; start the same again to go on",
                        child, said, said, said));
        return session::kExitDone;
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : session::kExitFailed;
}

void Detachment::confirm(const fs::path& directory) {
    const FileDescriptor output = open_file(directory / kOutputFile, O_WRONLY | O_CREAT | O_APPEND, 0600);
    const FileDescriptor nothing = open_file("/dev/null", O_RDONLY);
    ::dup2(nothing.get(), STDIN_FILENO);
    ::dup2(output.get(), STDOUT_FILENO);
    ::dup2(output.get(), STDERR_FILENO);
    write_fully(pipe_, directory.string(), "the pipe to who waits");
    pipe_.reset();
}

}  // namespace coromd::cli
