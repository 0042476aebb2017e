// SPDX-License-Identifier: LGPL-3.0-or-later
//
// fork and exec by hand: posix_spawn has no way to ask for the signal at the parent's death. Between
// the two only what POSIX allows there is called; everything is prepared before. Why the exec failed
// comes back through a pipe that a successful one closes.
#include "child.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <map>
#include <string>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/queue/attempt_files.hpp"
#include "coromd/runtime/process.hpp"

namespace coromd::agent {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> environment_of(const queue::JobFile& job) {
    std::map<std::string, std::string> own = job.environment;
    if (!job.gpus.empty())
        own.try_emplace("CUDA_VISIBLE_DEVICES", fmt::format("{}", fmt::join(job.gpus, ",")));
    std::vector<std::string> out;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        if (!own.contains(std::string(text.substr(0, text.find('='))))) out.emplace_back(text);
    }
    for (const auto& [name, value] : own) out.push_back(name + "=" + value);
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

FileDescriptor standard_input(const std::string& text) {
    if (text.empty()) return open_file("/dev/null", O_RDONLY);
    FileDescriptor file(::memfd_create("stdin", MFD_CLOEXEC));
    if (!file) fail_errno(errno, "cannot create the standard input");
    write_fully(file, text, "the standard input");
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

/// What the new process does before it becomes the program.
struct Prologue {
    const char* program;
    char** argv;
    char** environment;
    const char* directory;
    int streams[3];
    const cpu_set_t* cores;
    pid_t parent;

    [[noreturn]] void run(int report) const {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(127);  // it died before it could take us with it
        for (int number = 1; number < NSIG; ++number) {
            if (number != SIGKILL && number != SIGSTOP) ::signal(number, SIG_DFL);
        }
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        if (cores != nullptr) ::sched_setaffinity(0, sizeof *cores, cores);
        bool good = ::chdir(directory) == 0;
        for (int stream = 0; stream < 3; ++stream) good = good && ::dup2(streams[stream], stream) >= 0;
        if (good) ::execve(program, argv, environment);
        const int error = errno;
        [[maybe_unused]] const ssize_t told = ::write(report, &error, sizeof error);
        ::_exit(127);
    }
};

struct Relation {
    pid_t pid;
    pid_t parent;
};

template <typename T>
bool parse(std::string_view text, T& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && (end == text.data() + text.size() || *end == ' ');
}

/// All processes that have not ended.
std::vector<Relation> processes() {
    std::vector<Relation> all;
    std::error_code error;
    fs::directory_iterator entry("/proc", error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        Relation found{};
        if (!parse(entry->path().filename().native(), found.pid)) continue;
        std::string stat;
        try {
            stat = read_text_file(entry->path() / "stat");
        } catch (const Error&) {
            continue;
        }
        // "pid (name) state parent ...", and the name may hold anything.
        const auto close = stat.rfind(')');
        if (close == stat.npos || close + 4 >= stat.size() || stat[close + 2] == 'Z') continue;
        if (parse(std::string_view(stat).substr(close + 4), found.parent)) all.push_back(found);
    }
    return all;
}

}  // namespace

pid_t start_program(const queue::JobFile& job, const fs::path& directory) {
    runtime::Command command(job.command);
    for (const auto& [name, value] : job.environment) command.environment(name, value);
    std::string program = runtime::find_program(command);
    std::vector<std::string> words = job.command;
    std::vector<std::string> settings = environment_of(job);
    const std::vector<char*> argv = pointers(words);
    const std::vector<char*> environment = pointers(settings);
    constexpr int kCreate = O_WRONLY | O_CREAT | O_TRUNC;
    // Above 2, also where those were closed: or a dup2 would overwrite the next one.
    const auto high = [](FileDescriptor file) {
        FileDescriptor copy(::fcntl(file.get(), F_DUPFD_CLOEXEC, 3));
        if (!copy) fail_errno(errno, "cannot copy a descriptor");
        return copy;
    };
    const FileDescriptor input = high(standard_input(job.input));
    const FileDescriptor output = high(open_file(directory / queue::kStdoutFile, kCreate));
    const FileDescriptor error = high(open_file(directory / queue::kStderrFile, kCreate));
    cpu_set_t cores;
    CPU_ZERO(&cores);
    for (const int core : job.cores)
        if (core >= 0 && core < CPU_SETSIZE) CPU_SET(core, &cores);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail_errno(errno, "cannot create a pipe");
    FileDescriptor report(ends[0]);
    FileDescriptor reporter = high(FileDescriptor(ends[1]));

    const Prologue prologue{
        program.c_str(),   const_cast<char**>(argv.data()),          const_cast<char**>(environment.data()),
        directory.c_str(), {input.get(), output.get(), error.get()}, CPU_COUNT(&cores) > 0 ? &cores : nullptr,
        ::getpid()};
    const pid_t pid = ::fork();
    if (pid < 0) fail_errno(errno, fmt::format("cannot start '{}'", job.command.front()));
    if (pid == 0) prologue.run(reporter.get());
    reporter.reset();
    int failed = 0;
    ssize_t told = 0;
    while ((told = ::read(report.get(), &failed, sizeof failed)) < 0 && errno == EINTR) {
    }
    if (told == sizeof failed) {
        ::waitpid(pid, nullptr, 0);
        std::error_code ignored;
        if (failed == ENOENT && fs::exists(directory / program, ignored))
            fail(ErrorKind::system, "cannot start '{}': the interpreter that it asks for does not exist",
                 job.command.front());
        fail_errno(failed, fmt::format("cannot start '{}'", job.command.front()));
    }
    return pid;
}

std::vector<pid_t> descendants() {
    const std::vector<Relation> all = processes();
    std::vector<pid_t> found{::getpid()};
    for (std::size_t i = 0; i < found.size(); ++i)
        for (const Relation& process : all)
            if (process.parent == found[i] && std::ranges::find(found, process.pid) == found.end())
                found.push_back(process.pid);
    found.erase(found.begin());
    return found;
}

std::vector<pid_t> leaf_descendants() {
    const std::vector<Relation> all = processes();
    std::vector<pid_t> leaves = descendants();
    std::erase_if(leaves,
                  [&](pid_t pid) { return std::ranges::find(all, pid, &Relation::parent) != all.end(); });
    return leaves;
}

}  // namespace coromd::agent
