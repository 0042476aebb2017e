// SPDX-License-Identifier: LGPL-3.0-or-later
#include "step.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace coromd::fake_slurm {

namespace {

constexpr int kMostTasks = 4096;
// For the signal handler: which tasks to pass a signal on to.
std::array<volatile pid_t, kMostTasks> tasks_running{};

void pass_on(int signal) {
    const int error = errno;
    for (const pid_t pid : tasks_running)
        if (pid > 0) ::kill(pid, signal);
    errno = error;
}

void redirect(const std::string& file, int flags, int to) {
    if (file.empty()) return;
    const int fd = ::open(file.c_str(), flags | O_CLOEXEC, 0666);
    if (fd < 0 || ::dup2(fd, to) < 0) {
        std::fprintf(stderr, "srun: error: cannot open %s: %s\n", file.c_str(), std::strerror(errno));
        ::_exit(1);
    }
}

[[noreturn]] void run_task(const nlohmann::json& launch, int rank) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) std::signal(signal, SIG_DFL);
    for (const auto& [name, value] : launch.at("environment").items())
        ::setenv(name.c_str(), value.get<std::string>().c_str(), 1);
    ::setenv("SLURM_PROCID", std::to_string(rank).c_str(), 1);
    ::setenv("SLURM_LOCALID", std::to_string(rank).c_str(), 1);
    if (::chdir(launch.at("directory").get<std::string>().c_str()) != 0) std::perror("srun: error: chdir");
    const auto output = launch.at("output").get<std::string>();
    redirect(output, O_WRONLY | O_CREAT | O_APPEND, STDOUT_FILENO);
    const auto error = launch.at("error").get<std::string>();
    if (!output.empty() && error.empty()) ::dup2(STDOUT_FILENO, STDERR_FILENO);
    redirect(error, O_WRONLY | O_CREAT | O_APPEND, STDERR_FILENO);
    // One standard input does not divide among tasks: the first has it.
    redirect(rank > 0 ? "/dev/null" : launch.at("input").get<std::string>(), O_RDONLY, STDIN_FILENO);
    auto words = launch.at("command").get<std::vector<std::string>>();
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    std::fprintf(stderr, "slurmstepd: error: execve(): %s: %s\n", arguments[0], std::strerror(errno));
    ::_exit(2);
}

}  // namespace

int run_step(const nlohmann::json& launch) {
    const int tasks = std::min(kMostTasks, launch.at("tasks").get<int>());
    struct sigaction action {};
    action.sa_handler = pass_on;
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2})
        ::sigaction(signal, &action, nullptr);
    for (int rank = 0; rank < tasks; ++rank) {
        const pid_t pid = ::fork();
        if (pid == 0) run_task(launch, rank);
        tasks_running[static_cast<std::size_t>(rank)] = pid;
    }
    int worst = 0;
    const auto node = launch.at("node").get<std::string>();
    for (int left = tasks; left > 0;) {
        int status = 0;
        const pid_t pid = ::wait(&status);
        if (pid < 0 && errno == EINTR) continue;
        if (pid < 0) break;
        --left;
        const auto rank = std::find(tasks_running.begin(), tasks_running.end(), pid) - tasks_running.begin();
        if (rank < kMostTasks) tasks_running[static_cast<std::size_t>(rank)] = 0;
        const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        worst = std::max(worst, code);
        if (WIFSIGNALED(status))
            std::fprintf(stderr, "srun: error: %s: task %d: %s\n", node.c_str(), static_cast<int>(rank),
                         ::strsignal(WTERMSIG(status)));
        else if (code != 0)
            std::fprintf(stderr, "srun: error: %s: task %d: Exited with exit code %d\n", node.c_str(),
                         static_cast<int>(rank), code);
        if (code != 0 && launch.at("kill_on_bad_exit").get<bool>()) pass_on(SIGKILL);
    }
    return worst;
}

}  // namespace coromd::fake_slurm
