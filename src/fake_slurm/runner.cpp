// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What slurmstepd does: environment, files, a session for the script. The files are opened before the
// fork, because a job whose files cannot be opened does not start.
#include <algorithm>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "commands.hpp"
#include "coromd/core/file.hpp"

namespace coromd::fake_slurm {

namespace {

/// %j, %4a and so on. A backslash keeps the pattern as it is.
std::string fill_in(const std::string& pattern, const Job& job, const std::string& node) {
    if (pattern.find('\\') != std::string::npos) {
        std::string plain = pattern;
        std::erase(plain, '\\');
        return plain;
    }
    std::string text;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] != '%' || i + 1 == pattern.size()) {
            text += pattern[i];
            continue;
        }
        std::size_t width = 0;
        while (i + 1 < pattern.size() && pattern[i + 1] >= '0' && pattern[i + 1] <= '9')
            width = std::min<std::size_t>(10, 10 * width + static_cast<std::size_t>(pattern[++i] - '0'));
        const char code = i + 1 < pattern.size() ? pattern[++i] : '%';
        const auto number = [&](int value) { text += fmt::format("{:0{}}", value, width); };
        switch (code) {
            case 'A':
                number(job.base_id());
                break;
            case 'a':
                number(job.task >= 0 ? job.task : 0);
                break;
            case 'j':
            case 'J':
                number(job.id);
                break;
            case 'n':
            case 't':
                number(0);
                break;
            case 's':
                text += "batch";
                break;
            case 'N':
                text += node;
                break;
            case 'u':
                text += user_name();
                break;
            case 'x':
                text += job.spec->name;
                break;
            case '%':
                text += '%';
                break;
            default:
                text += fmt::format("%{}", code);
        }
    }
    return text;
}

std::string absolute(const std::string& file, const Job& job) {
    return file.starts_with('/') ? file : job.spec->directory + "/" + file;
}

class Environment {
public:
    explicit Environment(const std::vector<std::string>& inherited) : variables_(inherited) {}
    void set(const std::string& name, const std::string& value) {
        std::erase_if(variables_, [&](const std::string& one) {
            return one.size() > name.size() && one[name.size()] == '=' && one.starts_with(name);
        });
        variables_.push_back(name + "=" + value);
    }
    void set(const std::string& name, long value) { set(name, std::to_string(value)); }
    std::vector<char*> pointers() {
        std::vector<char*> all;
        for (std::string& one : variables_) all.push_back(one.data());
        all.push_back(nullptr);
        return all;
    }

private:
    std::vector<std::string> variables_;
};

/// "8(x2),4": what SLURM writes for each node's number of something.
std::string repeated(const std::vector<int>& numbers) {
    std::string text;
    for (std::size_t i = 0; i < numbers.size();) {
        std::size_t next = i;
        while (next < numbers.size() && numbers[next] == numbers[i]) ++next;
        if (!text.empty()) text += ',';
        text += std::to_string(numbers[i]);
        if (next - i > 1) text += fmt::format("(x{})", next - i);
        i = next;
    }
    return text;
}

Environment environment_of(const Cluster& cluster, const Job& job, const std::string& node) {
    const Spec& spec = *job.spec;
    Environment all(*spec.environment);
    const std::string hosts = cluster.node_list(job);
    std::vector<int> cores, tasks;
    int task_count = 0;
    for (const Share& share : job.shares) {
        cores.push_back(share.cores);
        tasks.push_back(share.tasks);
        task_count += share.tasks;
    }
    for (const char* name : {"SLURM_JOB_ID", "SLURM_JOBID"}) all.set(name, job.id);
    for (const char* name : {"SLURM_JOB_NODELIST", "SLURM_NODELIST"}) all.set(name, hosts);
    for (const char* name : {"SLURM_JOB_NUM_NODES", "SLURM_NNODES"}) all.set(name, job.node_count());
    all.set("SLURM_JOB_NAME", spec.name);
    all.set("SLURM_JOB_PARTITION", spec.partition);
    all.set("SLURM_JOB_USER", user_name());
    all.set("SLURM_JOB_UID", ::getuid());
    if (!spec.account.empty()) all.set("SLURM_JOB_ACCOUNT", spec.account);
    if (!spec.qos.empty()) all.set("SLURM_JOB_QOS", spec.qos);
    all.set("SLURM_CLUSTER_NAME", "fake");
    all.set("SLURMD_NODENAME", node);
    all.set("SLURM_NODEID", 0);
    all.set("SLURM_PROCID", 0);
    all.set("SLURM_LOCALID", 0);
    all.set("SLURM_CPUS_ON_NODE", cores.front());
    all.set("SLURM_JOB_CPUS_PER_NODE", repeated(cores));
    all.set("SLURM_TASKS_PER_NODE", repeated(tasks));
    all.set("SLURM_SUBMIT_DIR", spec.submit_directory);
    // As SLURM does: only what was asked for.
    if (spec.cores_per_task > 0) all.set("SLURM_CPUS_PER_TASK", spec.cores_per_task);
    if (spec.tasks > 0 || spec.tasks_per_node > 0)
        for (const char* name : {"SLURM_NTASKS", "SLURM_NPROCS"}) all.set(name, task_count);
    if (spec.tasks_per_node > 0) all.set("SLURM_NTASKS_PER_NODE", spec.tasks_per_node);
    if (spec.memory_per_node > 0) all.set("SLURM_MEM_PER_NODE", spec.memory_per_node);
    if (spec.memory_per_core > 0) all.set("SLURM_MEM_PER_CPU", spec.memory_per_core);
    if (job.restarts > 0) all.set("SLURM_RESTART_COUNT", job.restarts);
    if (job.array_id != 0) {
        all.set("SLURM_ARRAY_JOB_ID", job.array_id);
        all.set("SLURM_ARRAY_TASK_ID", job.task);
        all.set("SLURM_ARRAY_TASK_COUNT", spec.array_count);
        all.set("SLURM_ARRAY_TASK_MIN", spec.array_min);
        all.set("SLURM_ARRAY_TASK_MAX", spec.array_max);
    }
    if (job.shares.front().gpus != 0) {
        std::string devices;
        for (int device = 0; device < 64; ++device) {
            if ((job.shares.front().gpus >> device & 1) == 0) continue;
            devices += fmt::format("{}{}", devices.empty() ? "" : ",", device);
        }
        all.set("CUDA_VISIBLE_DEVICES", devices);
        all.set("SLURM_JOB_GPUS", devices);
        all.set("SLURM_GPUS_ON_NODE", std::popcount(job.shares.front().gpus));
    }
    all.set("COROMD_FAKE_SLURM", cluster.directory().string());
    return all;
}

int open_output(const std::string& file, bool append) {
    return ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (append ? 0 : O_TRUNC), 0666);
}

[[noreturn]] void complain_and_exit(const char* what, const char* file, int code) {
    const std::string text = fmt::format("slurmstepd: error: {}: {}: {}\n", what, file, std::strerror(errno));
    if (::write(STDERR_FILENO, text.data(), text.size()) < 0) ::_exit(code);
    ::_exit(code);
}

}  // namespace

std::string output_file(const Job& job, const std::vector<Node>& nodes, bool of_errors) {
    const Spec& spec = *job.spec;
    std::string pattern = of_errors && !spec.error.empty() ? spec.error : spec.output;
    if (pattern.empty()) pattern = job.array_id != 0 ? "slurm-%A_%a.out" : "slurm-%j.out";
    const std::string node =
        job.shares.empty() ? "" : nodes.at(static_cast<std::size_t>(job.shares[0].node)).name;
    return absolute(fill_in(pattern, job, node), job);
}

void print_into_output(const Job& job, const std::vector<Node>& nodes, const std::string& line) {
    const FileDescriptor out(::open(output_file(job, nodes, true).c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    const std::string text = line + "\n";
    // A full disk is the job's trouble.
    if (out && ::write(out.get(), text.data(), text.size()) < 0) return;
}

pid_t run_script(const Cluster& cluster, const Job& job, const std::vector<Node>& nodes) {
    const Spec& spec = *job.spec;
    const std::string node = nodes.at(static_cast<std::size_t>(job.shares[0].node)).name;
    Environment environment = environment_of(cluster, job, node);
    std::vector<char*> variables = environment.pointers();
    std::vector<std::string> words = spec.arguments;
    words.insert(words.begin(), spec.script_file);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    const mode_t before = ::umask(spec.umask);
    const std::string out_file = output_file(job, nodes, false);
    const std::string err_file = output_file(job, nodes, true);
    const FileDescriptor out(open_output(out_file, spec.append));
    const FileDescriptor err(err_file == out_file ? ::fcntl(out.get(), F_DUPFD_CLOEXEC, 3)
                                                  : open_output(err_file, spec.append));
    const std::string in_file =
        spec.input.empty() ? "/dev/null" : absolute(fill_in(spec.input, job, node), job);
    const FileDescriptor in(::open(in_file.c_str(), O_RDONLY | O_CLOEXEC));
    ::umask(before);
    if (!out || !err || !in) return 0;

    const pid_t controller = ::getpid();
    const pid_t pid = ::fork();
    if (pid != 0) return pid < 0 ? 0 : pid;
    ::setsid();
    // Without its controller nobody would end a job.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != controller) ::_exit(1);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    std::signal(SIGPIPE, SIG_DFL);
    ::umask(spec.umask);
    ::dup2(in.get(), STDIN_FILENO);
    ::dup2(out.get(), STDOUT_FILENO);
    ::dup2(err.get(), STDERR_FILENO);
    if (::chdir(spec.directory.c_str()) != 0) {
        std::fprintf(stderr, "slurmstepd: error: couldn't chdir to `%s': %s: going to /tmp instead\n",
                     spec.directory.c_str(), std::strerror(errno));
        std::fflush(stderr);
        if (::chdir("/tmp") != 0) complain_and_exit("chdir", "/tmp", 1);
    }
    ::execve(arguments[0], arguments.data(), variables.data());
    complain_and_exit("execve()", arguments[0], 2);
}

}  // namespace coromd::fake_slurm
