// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What a job costs beside its program: `local_bench [jobs]` runs /bin/true that many times, bare
// (run_process, the machine's own floor), as jobs of a local queue with a ledger in memory, and as
// jobs that leave a file, which has to be synced and moved. TMPDIR says on which file system.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "coromd/core/error.hpp"
#include "coromd/queue/queue.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/semaphore.hpp"

namespace {

namespace fs = std::filesystem;
using coromd::queue::Job;
using coromd::queue::JobResult;
using coromd::queue::Queue;
using coromd::runtime::task;

constexpr std::size_t kAtOnce = 4;

task<void> bare(coromd::runtime::Context& context, coromd::runtime::Semaphore& free) {
    const coromd::runtime::Permit permit = co_await free.acquire();
    coromd::runtime::Command command({"/bin/true"});
    co_await coromd::runtime::run_process(context, std::move(command));
}

task<void> as_job(Queue& queue, Job job) {
    const JobResult result = co_await queue.run(job);
    if (!result.ok()) throw coromd::queue::job_error(job, result);
}

void measure(const char* name, int jobs, coromd::runtime::Context& context,
             const std::function<task<void>(int)>& one) {
    std::vector<task<void>> all;
    for (int i = 0; i < jobs; ++i) all.push_back(one(i));
    const auto start = std::chrono::steady_clock::now();
    context.run(coromd::runtime::gather(std::move(all)));
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    std::printf("%-24s %8.0f jobs/s  %8.3f ms/job\n", name, jobs / wall.count(), 1e3 * wall.count() / jobs);
}

void run(int jobs, const fs::path& directory) {
    coromd::runtime::Context context;
    coromd::runtime::Semaphore free(kAtOnce);
    const auto ledger = coromd::queue::memory_ledger();
    Queue queue("local", context, *ledger, coromd::queue::local_backend(context, kAtOnce));

    measure("bare processes", jobs, context, [&](int) { return bare(context, free); });
    measure("jobs", jobs, context, [&](int i) {
        Job job("true/" + std::to_string(i), {"/bin/true"});
        job.in_directory(directory);
        return as_job(queue, std::move(job));
    });
    measure("jobs that leave a file", jobs, context, [&](int i) {
        const std::string name = std::to_string(i);
        Job job("touch/" + name, {"/bin/cp", "/proc/self/stat", name});
        job.in_directory(directory).writes(name);
        return as_job(queue, std::move(job));
    });
}

}  // namespace

int main(int argc, char** argv) {
    const int jobs = argc > 1 ? std::atoi(argv[1]) : 1000;
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
