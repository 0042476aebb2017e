// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What a job costs beside its program: `local_bench [jobs]` runs /bin/true that many times, in a bare
// loop of posix_spawn and waitpid (the machine's own floor), as direct jobs of a local queue with a
// ledger in memory, as direct jobs that leave a file, which has to be synced and moved, and as jobs under
// the agent. TMPDIR says on which file system. The ratio is that to the bare loop's rate.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coromd/core/error.hpp"
#include "coromd/queue/queue.hpp"
#include "coromd/runtime/gather.hpp"
#include "process_usage.hpp"

namespace {

namespace fs = std::filesystem;
using coromd::queue::Job;
using coromd::queue::JobResult;
using coromd::queue::Queue;
using coromd::runtime::task;

constexpr int kAtOnce = 4;

void bare_loop(int jobs) {
    char program[] = "/bin/true";
    char* argv[] = {program, nullptr};
    for (int i = 0; i < jobs; ++i) {
        pid_t pid = 0;
        if (::posix_spawn(&pid, program, nullptr, nullptr, argv, environ) != 0) std::abort();
        ::waitpid(pid, nullptr, 0);
    }
}

task<void> as_job(Queue& queue, Job job) {
    const JobResult result = co_await queue.run(job);
    if (!result.ok()) throw coromd::queue::job_error(job, result);
}

double floor_rate = 0.0;

void measure(const char* name, int jobs, const std::function<void()>& all) {
    const double before = coromd::bench::resident_mb();
    const double cpu_before = coromd::bench::own_cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    all();
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    const double rate = jobs / wall.count();
    if (floor_rate == 0.0) floor_rate = rate;
    std::printf("%-28s %8.0f jobs/s   ratio %5.2f   own CPU %.3f ms/job   memory %+.1f MB\n", name, rate,
                rate / floor_rate, 1e3 * (coromd::bench::own_cpu_seconds() - cpu_before) / jobs,
                coromd::bench::resident_mb() - before);
}

/// `make` names the i-th job. As many programs at once as a campaign has walkers.
void run_all(coromd::runtime::Context& context, Queue& queue, int jobs, const std::function<Job(int)>& make) {
    constexpr int kWalkers = 64;
    int next = 0;
    const auto walker = [&]() -> task<void> {
        while (next < jobs) co_await as_job(queue, make(next++));
    };
    std::vector<task<void>> all;
    for (int i = 0; i < kWalkers; ++i) all.push_back(walker());
    context.run(coromd::runtime::gather(std::move(all)));
}

void run(int jobs, const fs::path& directory) {
    coromd::runtime::Context context;
    const auto ledger = coromd::queue::memory_ledger();
    coromd::queue::Site site;
    site.spool = directory / "spool";
    site.agent = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin" / "coromd";
    Queue queue("local", context, *ledger, coromd::queue::local_backend(context, kAtOnce, site));
    const auto job = [&](const char* kind, int i, const char* program) {
        Job job(std::string(kind) + "/" + std::to_string(i), {program});
        job.in_directory(directory);
        return job;
    };

    measure("posix_spawn and waitpid", jobs, [&] { bare_loop(jobs); });
    measure("direct jobs", jobs, [&] {
        run_all(context, queue, jobs, [&](int i) { return job("true", i, "/bin/true").direct(); });
    });
    measure("direct jobs again, larger", 4 * jobs, [&] {
        run_all(context, queue, 4 * jobs, [&](int i) { return job("more", i, "/bin/true").direct(); });
    });
    measure("direct jobs that leave a file", jobs, [&] {
        run_all(context, queue, jobs, [&](int i) {
            const std::string name = std::to_string(i);
            Job copy("copy/" + name, {"/bin/cp", "/proc/self/stat", name});
            copy.in_directory(directory).writes(name).direct();
            return copy;
        });
    });
    measure("jobs under the agent", jobs,
            [&] { run_all(context, queue, jobs, [&](int i) { return job("agent", i, "/bin/true"); }); });
}

}  // namespace

int main(int argc, char** argv) {
    const int jobs = argc > 1 ? std::atoi(argv[1]) : 5000;
    std::string name = (fs::temp_directory_path() / "coromd-bench-XXXXXX").string();
    if (jobs < 1 || !::mkdtemp(name.data())) {
        std::fprintf(stderr, "usage: local_bench [jobs]\n");
        return 2;
    }
    int code = 0;
    try {
        run(jobs, name);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        code = 1;
    }
    fs::remove_all(name);
    return code;
}
