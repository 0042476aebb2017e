// SPDX-License-Identifier: LGPL-3.0-or-later
//
// A program that is killed with jobs in SLURM's queue: the next start goes on with them.
#include <csignal>
#include <fstream>
#include <set>
#include <sstream>

#include <sys/wait.h>
#include <unistd.h>

#include "integration/slurm/real_cluster.hpp"

namespace coromd::queue {
namespace {

using namespace test;
using testing::Each;
using testing::Pair;

class SlurmRestart : public RealCluster {
protected:
    pid_t start() const {
        const std::string folder = temporary_.path().string();
        const pid_t pid = ::fork();
        if (pid == 0) {
            if (::chdir(folder.c_str()) != 0 || std::freopen("stderr", "a", stderr) == nullptr) ::_exit(126);
            ::execl(COROMD_PLAIN_JOBS, "plain_jobs", "settings.toml", "campaign", "40", nullptr);
            ::_exit(127);
        }
        return pid;
    }
    /// SLURM's commands, of which sbatch says that it was called and waits for the file `go`.
    void make_commands() const {
        const fs::path folder = temporary_.path() / "commands";
        fs::create_directory(folder);
        const std::string wait = "touch '" + temporary_.path().string() + "/began'\nwhile [ ! -e '" +
                                 temporary_.path().string() + "/go' ]; do sleep 0.05; done\n";
        for (const std::string name :
             {"sbatch", "squeue", "sacct", "scancel", "scontrol", "sacctmgr", "sinfo"}) {
            write_file(folder / name, "#!/bin/sh\n" + (name == "sbatch" ? wait : std::string()) + "exec " +
                                          name + " \"$@\"\n");
            fs::permissions(folder / name, fs::perms::owner_all);
        }
    }
    static int wait(pid_t pid) {
        int status = 0;
        ::waitpid(pid, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    static void kill(pid_t pid) {
        ::kill(pid, SIGKILL);
        EXPECT_EQ(wait(pid), 128 + SIGKILL);
    }
};

TEST_F(SlurmRestart, JobsOfAKilledProgramAreFoundAgainAndNoneIsDoubled) {
    const std::string name = "restart" + std::to_string(::getpid());
    // A file for the next start and one for the user: without those of whoever runs this test.
    write_file(temporary_.path() / "settings.toml",
               "agent = \"" COROMD_PROGRAM
               "\"\n"
               "[queues.cluster]\nkind = \"slurm\"\npoll = \"1 s\"\ncommands = \"commands\"\n"
               "max_running = 8\nretries = {infrastructure = 0}\njob_name = \"" +
                   name + "\"\n");
    make_commands();
    const std::string runs = (temporary_.path() / "campaign" / "runs").string();

    // In the middle of a submission, of which nobody knows what will become of it: here it comes late.
    const pid_t first = start();
    const std::string folder = "'" + temporary_.path().string() + "'";
    context_.run(until(context_, "test -e " + folder + "/began"));
    kill(first);
    context_.run(shell(context_, "touch " + folder + "/go"));

    // When some have ended, some run and some wait.
    const pid_t second = start();
    context_.run(until(context_, "test $(grep -c . '" + runs + "') -ge 5"));
    kill(second);

    EXPECT_EQ(wait(start()), 0) << read_text_file(temporary_.path() / "stderr");
    Log lines;
    std::istringstream in(read_text_file(runs));
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    EXPECT_EQ(lines.size(), 40u);
    EXPECT_EQ(std::set(lines.begin(), lines.end()).size(), 40u);
    const std::string seen =
        context_.run(shell(context_, "squeue -h -r -t all -o '%i|%j' | grep '|" + name + "-'"));
    EXPECT_THAT(submissions(seen), Each(Pair(testing::_, 1))) << seen;
    EXPECT_GE(submissions(seen).size(), 40u);
}

}  // namespace
}  // namespace coromd::queue
