// SPDX-License-Identifier: LGPL-3.0-or-later
#include "agent.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coromd/queue/attempt_files.hpp"

namespace coromd::functional {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

fs::path new_folder() {
    std::string name = testing::TempDir() + "coromd agent XXXXXX";  // with blanks, on purpose
    return ::mkdtemp(name.data());
}

/// Waits until `done`, or half a minute.
template <typename Fn>
bool eventually(Fn&& done) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (!done()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

/// A line "name: number" of a process's status; 0 where it has ended.
unsigned long status_of(pid_t pid, const std::string& name, int base) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(name + ":")) return std::stoul(line.substr(name.size() + 1), nullptr, base);
    return 0;
}

}  // namespace

AgentTest::AgentTest() : folder_(new_folder()), spool_(folder_ / "spool") {
    job_.key = "walkers/003/md";
    job_.attempt = 1;
    job_.spool = spool_.directory();
    job_.directory = folder_ / "md.attempt1";
    job_.grace = 30s;
    job_.command = {"true"};
    fs::create_directories(job_.directory);
}

AgentTest::~AgentTest() {
    for (const pid_t pid : running_) {
        ::kill(-pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

pid_t AgentTest::start(Begin begin) {
    fs::create_directories(job_.directory);
    const fs::path path = file(queue::kJobFile);
    write(path, job_.to_json());
    return supervise({path.string()}, begin);
}

void AgentTest::next_attempt() {
    ++job_.attempt;
    job_.directory = folder_ / ("md.attempt" + std::to_string(job_.attempt));
    fs::create_directories(job_.directory);
}

pid_t AgentTest::supervise(const std::vector<std::string>& arguments, Begin begin) {
    std::vector<std::string> words{COROMD_PROGRAM, "supervise"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const std::string err = folder_ / "stderr";

    const pid_t pid = ::fork();
    if (pid == 0) {
        ::setpgid(0, 0);
        for (int other = 3; other < 256; ++other) ::close(other);
        for (const char* name : {"SLURM_JOB_ID", "SLURM_RESTART_COUNT", "SLURM_ARRAY_JOB_ID",
                                 "SLURM_ARRAY_TASK_ID", "SLURM_JOB_GPUS", "SLURM_STEP_GPUS"})
            ::unsetenv(name);
        for (const auto& [name, value] : environment_) ::setenv(name.c_str(), value.c_str(), 1);
        ::dup2(::open(err.c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600), STDERR_FILENO);
        if (begin == Begin::without_streams)
            for (const int stream : {0, 1, 2}) ::close(stream);
        if (begin == Begin::asked_to_stop) {
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, SIGUSR2);
            ::sigprocmask(SIG_BLOCK, &set, nullptr);
            ::raise(SIGUSR2);
        }
        ::execv(argv[0], argv.data());
        ::_exit(126);
    }
    ::setpgid(pid, pid);
    running_.push_back(pid);
    return pid;
}

int AgentTest::wait(pid_t agent) {
    int status = 0;
    const bool ended = eventually([&] { return ::waitpid(agent, &status, WNOHANG) == agent; });
    EXPECT_TRUE(ended) << "the agent does not end";
    if (!ended) return -1;
    std::erase(running_, agent);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void AgentTest::probe(std::vector<std::string> words) {
    words.insert(words.begin(), COROMD_PROBE);
    job_.command = std::move(words);
    job_.stop.log = "md.log";
    job_.stop.ready = "ready\n";
    job_.stop.acknowledged = "got TERM";
}

std::string AgentTest::read(const fs::path& path) const {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void AgentTest::write(const fs::path& path, const std::string& text) const {
    std::ofstream(path, std::ios::binary) << text;
}

void AgentTest::await(const fs::path& path, const std::string& text) const {
    ASSERT_TRUE(eventually([&] { return read(path).find(text) != std::string::npos; }))
        << "no '" << text << "' in " << path << ":\n"
        << read(path) << read(folder_ / "stderr");
}

void AgentTest::await_end(pid_t pid) const {
    ASSERT_GT(pid, 1);
    ASSERT_TRUE(eventually([&] {
        const std::string stat = read("/proc/" + std::to_string(pid) + "/stat");
        return stat.empty() || stat.find(") Z ") != std::string::npos;
    })) << "process "
        << pid << " runs on";
}

void AgentTest::let_it_act(pid_t agent) const {
    ASSERT_TRUE(eventually([&] { return status_of(agent, "ShdPnd", 16) == 0; })) << "a signal is not taken";
    const unsigned long before = status_of(agent, "voluntary_ctxt_switches", 10);
    ASSERT_TRUE(eventually([&] { return status_of(agent, "voluntary_ctxt_switches", 10) >= before + 3; }))
        << "the agent does nothing";
}

pid_t AgentTest::pid_in(const std::string& name) const {
    await(file(name), "\n");
    return std::atoi(read(file(name)).c_str());
}

queue::ExitRecord AgentTest::record(int restart) const {
    const auto record = spool_.read_record(id(restart));
    EXPECT_TRUE(record) << "there is no record; the agent said: " << read(folder_ / "stderr");
    return record.value_or(queue::ExitRecord{});
}

}  // namespace coromd::functional
