// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What the SLURM queue itself costs, with the stand-in coromd-fake-slurm (its CPU is not counted):
// `slurm_bench [jobs [pending]]` runs 1,000 jobs of /bin/true, then one that takes a second, then has
// 100,000 jobs wait in SLURM and watches them for ten seconds. TMPDIR says on which file system.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include "coromd/core/error.hpp"
#include "coromd/queue/queue.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/race.hpp"
#include "coromd/runtime/timer.hpp"
#include "process_usage.hpp"

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using namespace coromd;
using queue::Job;
using queue::JobResult;
using queue::Queue;
using runtime::task;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// A stand-in of a cluster, in a folder of its own.
class FakeCluster {
public:
    FakeCluster(fs::path program, fs::path directory, const std::string& options)
        : program_(std::move(program)), directory_(std::move(directory)) {
        call("setup", options);
    }
    ~FakeCluster() { call("stop", ""); }
    FakeCluster(const FakeCluster&) = delete;
    FakeCluster& operator=(const FakeCluster&) = delete;

    void call(const std::string& command, const std::string& arguments) const {
        const std::string line =
            fmt::format("{} {} {} {} >/dev/null", program_.string(), command, directory_.string(), arguments);
        if (std::system(line.c_str()) != 0) fail(ErrorKind::system, "this failed: {}", line);
    }
    fs::path commands() const { return directory_ / "bin"; }
    /// How often one of SLURM's commands was called.
    int calls(const std::string& command) const {
        std::ifstream log(directory_ / "calls.log");
        int n = 0;
        for (std::string line; std::getline(log, line);)
            n += line.find(" " + command + " ") != line.npos ? 1 : 0;
        return n;
    }

private:
    fs::path program_;
    fs::path directory_;
};

class Bench {
public:
    Bench(const fs::path& directory, const std::string& options)
        : directory_(directory),
          bin_(fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin"),
          cluster(bin_ / "coromd-fake-slurm", directory / "cluster", options) {
        Setting::Table table;
        table["commands"] = Setting(cluster.commands().string(), Origin{});
        const Setting setting(std::move(table), Origin{});
        SettingsReader settings(setting, "queues.bench");
        const queue::Site site{directory / "spool", bin_ / "coromd"};
        const auto kinds = queue::builtin_queues();
        queue_ = std::make_unique<Queue>("bench", context, *ledger_,
                                         kinds.at("slurm").make(context, site, settings));
    }

    task<JobResult> run(std::string key, std::vector<std::string> command) {
        Job job(std::move(key), std::move(command));
        job.in_directory(directory_ / "jobs");
        return queue_->run(std::move(job));
    }

private:
    fs::path directory_;
    fs::path bin_;
    std::unique_ptr<queue::JobLedger> ledger_ = queue::memory_ledger();
    std::unique_ptr<Queue> queue_;

public:
    runtime::Context context;
    FakeCluster cluster;
};

void instant_jobs(const fs::path& directory, int jobs) {
    Bench bench(directory, fmt::format("--nodes 4 --cores-per-node {} --max-array-size 10001", jobs));
    std::vector<task<JobResult>> all;
    for (int i = 0; i < jobs; ++i) all.push_back(bench.run(fmt::format("true/{}", i), {"/bin/true"}));
    const double cpu = coromd::bench::own_cpu_seconds();
    const auto begin = Clock::now();
    const std::vector<JobResult> results = bench.context.run(runtime::gather(std::move(all)));
    for (const JobResult& result : results)
        if (!result.ok()) fail(ErrorKind::job, "{}: {}", result.key, result.reason);
    std::printf("%d instant jobs: own CPU %.2f s, %.1f MB, wall %.1f s, %d sbatch, %d squeue\n", jobs,
                coromd::bench::own_cpu_seconds() - cpu, coromd::bench::resident_mb(), seconds_since(begin),
                bench.cluster.calls("sbatch"), bench.cluster.calls("squeue"));

    double seen = 0.0;
    auto one = [&]() -> task<void> {
        const auto start = Clock::now();
        std::vector<std::string> command{"/bin/sleep", "1"};
        const JobResult result = co_await bench.run("sleep", std::move(command));
        seen = seconds_since(start) -
               static_cast<double>(result.exit.ended_ms - result.exit.started_ms) / 1000.0;
    };
    bench.context.run(one());
    std::printf("a job of one second: known to be done %.2f s after its second\n", seen);
}

void pending_jobs(const fs::path& directory, int jobs) {
    Bench bench(directory, fmt::format("--max-array-size 10001 --max-job-count {}", 2 * jobs));
    bench.cluster.call("faults", "start_delay=100000");
    const double before = coromd::bench::resident_mb();
    auto watch = [&]() -> task<void> {
        while (bench.cluster.calls("sbatch") < jobs / 10'000) co_await runtime::sleep_for(500ms);
        co_await runtime::sleep_for(5s);
        const double cpu = coromd::bench::own_cpu_seconds();
        const int polls = bench.cluster.calls("squeue");
        const auto begin = Clock::now();
        co_await runtime::sleep_for(10s);
        const int n = bench.cluster.calls("squeue") - polls;
        std::printf("%d jobs wait: own CPU %.0f ms per squeue (%d in %.0f s), %.2f KB per job in all\n", jobs,
                    1e3 * (coromd::bench::own_cpu_seconds() - cpu) / std::max(n, 1), n, seconds_since(begin),
                    (coromd::bench::resident_mb() - before) * 1e3 / jobs);
        std::fflush(stdout);
        bench.cluster.call("stop", "");
        // Taking them all back is not what is measured.
        fs::remove_all(directory);
        std::_Exit(0);
    };
    auto all = [&]() -> task<void> {
        std::vector<task<void>> children;
        auto one = [&](int i) -> task<void> {
            std::vector<std::string> command(1, "/bin/true");
            const JobResult result = co_await bench.run(fmt::format("wait/{}", i), std::move(command));
        };
        for (int i = 0; i < jobs; ++i) children.push_back(one(i));
        children.push_back(watch());
        co_await runtime::gather(std::move(children));
    };
    bench.context.run(all());
}

}  // namespace

int main(int argc, char** argv) {
    const int jobs = argc > 1 ? std::atoi(argv[1]) : 1000;
    const int pending = argc > 2 ? std::atoi(argv[2]) : 100'000;
    std::string name = (fs::temp_directory_path() / "coromd-bench-XXXXXX").string();
    if (jobs < 1 || pending < 1 || ::mkdtemp(name.data()) == nullptr) {
        std::fprintf(stderr, "usage: slurm_bench [jobs [pending]]\n");
        return 2;
    }
    try {
        instant_jobs(fs::path(name) / "instant", jobs);
        pending_jobs(fs::path(name) / "pending", pending);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
    fs::remove_all(name);
    return 1;
}
