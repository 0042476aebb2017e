// SPDX-License-Identifier: LGPL-3.0-or-later
#include "program.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace coromd::functional {

namespace fs = std::filesystem;

namespace {

// Four atoms that span a dihedral; the stand-in turns the last about the z axis.
constexpr const char* kStructure =
    "five atoms\n"
    "    5\n"
    "    1ALA      N    1   1.000   0.000   0.000\n"
    "    1ALA     CA    2   0.000   0.000   0.000\n"
    "    1ALA      C    3   0.000   0.000   1.000\n"
    "    1ALA      O    4   1.000   0.000   1.000\n"
    "    1ALA     CB    5   1.000   0.100   1.000\n"
    "   9.00000   9.00000   9.00000\n";

constexpr const char* kMdp =
    "integrator = md\n"
    "dt = 0.002\n"
    "nstxout-compressed = 10\n"
    "gen-vel = no\n";

}  // namespace

CampaignTest::CampaignTest() {
    std::string name = testing::TempDir() + "coromd functional XXXXXX";  // with blanks, on purpose
    folder_ = ::mkdtemp(name.data());
    write("start.gro", kStructure);
    write("topol.top", "[ system ]\nfive atoms\n");
    write("md.mdp", kMdp);
    write_campaign();
    environment_["PATH"] = std::string(COROMD_STAND_IN) + ":" + std::getenv("PATH");
    environment_["XDG_CONFIG_DIRS"] = (folder_ / "site").string();
    environment_["XDG_CONFIG_HOME"] = (folder_ / "user").string();
    environment_["FAKE_GMX_LOG"] = (folder_ / "commands.log").string();
}

CampaignTest::~CampaignTest() {
    kill_commands();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

std::string CampaignTest::campaign_text() {
    return R"([campaign]
name = "turn"
kind = "committor"
seed = 7

[engine]
kind = "gromacs"
topology = "topol.top"
structure = "start.gro"
mdp = "md.mdp"

[queues.local]
cores = 2

[variables]
turn = 'dihedral("index 0", "index 1", "index 2", "index 4")'

[states]
left = "turn > 20*deg"
right = "turn < -20*deg"

[walkers]
count = 4
temperature = 300
max_steps = 1000
slice = "1 s"
)";
}

void CampaignTest::write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
}

std::string CampaignTest::read(const std::string& name) const {
    std::ifstream in(folder_ / name, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void CampaignTest::write_campaign(const std::string& what, const std::string& by) const {
    std::string text = campaign_text();
    if (!what.empty()) {
        const auto at = text.find(what);
        ASSERT_NE(at, std::string::npos) << what;
        text.replace(at, what.size(), by);
    }
    write("campaign.toml", text);
}

pid_t CampaignTest::start(const std::vector<std::string>& arguments) const {
    std::vector<std::string> words{COROMD_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return launch(std::move(words));
}

Ended CampaignTest::shell(const std::string& line) const {
    return wait(launch({"/bin/sh", "-c", line}));
}

pid_t CampaignTest::launch(std::vector<std::string> words) const {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const std::string out = folder_ / "stdout";
    const std::string err = folder_ / "stderr";

    const pid_t pid = ::fork();
    if (pid == 0) {
        for (const auto& [name, value] : environment_) ::setenv(name.c_str(), value.c_str(), 1);
        ::setenv("COROMD", COROMD_PROGRAM, 1);
        const int out_fd = ::open(out.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
        const int err_fd = ::open(err.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
        ::dup2(out_fd, STDOUT_FILENO);
        ::dup2(err_fd, STDERR_FILENO);
        if (::chdir(folder_.c_str()) == 0) ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    return pid;
}

Ended CampaignTest::wait(pid_t pid) const {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, read("stdout"), read("stderr")};
}

Ended CampaignTest::coromd(const std::vector<std::string>& arguments) const {
    return wait(start(arguments));
}

void CampaignTest::await(const std::string& file, const std::string& text) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (read(file).find(text) == std::string::npos) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "no '" << text << "' in " << file;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

std::vector<std::string> CampaignTest::commands(const std::string& with) const {
    std::vector<std::string> found;
    std::istringstream lines(read("commands.log"));
    for (std::string line; std::getline(lines, line);)
        if (line.find(with) != std::string::npos) found.push_back(line);
    return found;
}

void CampaignTest::kill_commands() const {
    std::set<pid_t> running;
    for (const std::string& line : commands("")) {
        std::istringstream words(line);
        std::string what;
        pid_t pid = 0;
        words >> what >> pid;
        if (what == "start")
            running.insert(pid);
        else
            running.erase(pid);
    }
    for (const pid_t pid : running) {
        // The number may be somebody else's by now.
        std::error_code error;
        const fs::path program = fs::read_symlink(fs::path("/proc") / std::to_string(pid) / "exe", error);
        if (!error && program.parent_path() == COROMD_STAND_IN) ::kill(pid, SIGKILL);
    }
}

}  // namespace coromd::functional
