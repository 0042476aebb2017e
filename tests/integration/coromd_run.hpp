// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdio>
#include <filesystem>

#include <sys/wait.h>
#include <unistd.h>

namespace coromd::test {

/// Starts `coromd run campaign.toml --json` in `folder`, with its streams in the files stdout and
/// stderr there.
inline pid_t start_coromd_run(const std::filesystem::path& folder) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        if (::chdir(folder.c_str()) != 0 || std::freopen("stdout", "w", stdout) == nullptr ||
            std::freopen("stderr", "w", stderr) == nullptr)
            ::_exit(126);
        ::execl(COROMD_PROGRAM, "coromd", "run", "campaign.toml", "--json", nullptr);
        ::_exit(127);
    }
    return pid;
}

/// The exit code of a child, 128 + the signal where one ended it.
inline int exit_code_of(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace coromd::test
