// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What it takes to get jobs into SLURM's queue: `slurm_submit_bench COROMD [jobs]` gives that many (200) to a
// queue of kind "slurm", which makes arrays of them, and then calls sbatch for each of as many. They wait for
// an hour that does not come, and are cancelled. COROMD is the program; SLURM_CONF says which cluster, such
// as that of tests/integration/slurm/cluster.sh. Exits with 1 where the ratio is below 20.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <unistd.h>

#include "coromd/core/error.hpp"
#include "coromd/queue/queue.hpp"
#include "coromd/runtime/event.hpp"
#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/race.hpp"

namespace {

namespace fs = std::filesystem;
using namespace coromd::queue;
using coromd::runtime::task;
using Clock = std::chrono::steady_clock;

constexpr double kWanted = 20.0;

/// Notes when the first job, and when the last of `jobs` jobs has got its id.
class Notes final : public JobLedger {
public:
    explicit Notes(std::size_t jobs) : jobs_(jobs) {}

    task<Claim> claim(std::string key, std::string specification) override {
        return ledger_->claim(std::move(key), std::move(specification));
    }
    task<int> begin_attempt(std::string key) override { return ledger_->begin_attempt(std::move(key)); }
    task<void> submitted(std::string key, int attempt, std::string submission) override {
        if (submission.starts_with("slurm ")) {
            arrays.insert(submission.substr(6, submission.find_first_of("_ ", 6) - 6));
            first.set();
            if (++submitted_ == jobs_) all.set();
        }
        return ledger_->submitted(std::move(key), attempt, std::move(submission));
    }
    task<void> ended(JobResult result) override { return ledger_->ended(std::move(result)); }
    void release(const std::string& key) noexcept override { ledger_->release(key); }

    std::set<std::string> arrays;
    coromd::runtime::Event first;
    coromd::runtime::Event all;

private:
    std::unique_ptr<JobLedger> ledger_ = memory_ledger();
    std::size_t jobs_;
    std::size_t submitted_ = 0;
};

task<void> as_jobs(Queue& queue, int first, int jobs, fs::path directory) {
    std::vector<task<JobResult>> all;
    for (int i = first; i < first + jobs; ++i) {
        Job job("job" + std::to_string(i), {"/bin/true"});
        job.in_directory(directory).scheduler_option("begin", "now+1hour");
        all.push_back(queue.run(std::move(job)));
    }
    co_await coromd::runtime::gather(std::move(all));
}

double by_coromd(coromd::runtime::Context& context, int jobs, const fs::path& directory,
                 const char* program) {
    Notes notes(static_cast<std::size_t>(jobs) + 1);
    const coromd::Registry<QueueKind> kinds = builtin_queues();
    const coromd::Setting none;
    coromd::SettingsReader reader(none, "queues.slurm");
    const Site site{directory / "spool", program};
    Queue queue("slurm", context, notes, kinds.find("slurm")->make(context, site, reader));
    Clock::time_point begin;
    Clock::time_point end;
    // The cluster's limits are asked for once, with the first job.
    auto others = [&]() -> task<void> {
        co_await notes.first.wait();
        begin = Clock::now();
        co_await as_jobs(queue, 1, jobs, directory);
    };
    auto wait = [&]() -> task<void> {
        co_await notes.all.wait();
        end = Clock::now();
    };
    std::vector<task<void>> all;
    all.push_back(as_jobs(queue, 0, 1, directory));
    all.push_back(others());
    all.push_back(wait());
    context.run(coromd::runtime::race(std::move(all)));
    std::printf("%d jobs in %zu calls of sbatch\n", jobs, notes.arrays.size() - 1);
    return std::chrono::duration<double>(end - begin).count();
}

task<void> call_sbatch(coromd::runtime::Context& context, int jobs, std::vector<std::string>& ids) {
    for (int i = 0; i < jobs; ++i) {
        coromd::runtime::Command command(
            {"sbatch", "--parsable", "--begin=now+1hour", "--output=/dev/null", "--wrap=/bin/true"});
        const auto result = co_await coromd::runtime::run_process(context, std::move(command));
        if (!result.status.success()) coromd::fail(coromd::ErrorKind::job, "sbatch: {}", result.stderr_tail);
        ids.push_back(result.stdout_tail.substr(0, result.stdout_tail.find('\n')));
    }
}

double by_single_calls(coromd::runtime::Context& context, int jobs) {
    std::vector<std::string> ids{"scancel"};
    const auto begin = Clock::now();
    context.run(call_sbatch(context, jobs, ids));
    const std::chrono::duration<double> wall = Clock::now() - begin;
    context.run(coromd::runtime::run_process(context, coromd::runtime::Command(ids)));
    return wall.count();
}

double run(int jobs, const fs::path& directory, const char* program) {
    coromd::runtime::Context context;
    const double ours = by_coromd(context, jobs, directory, program);
    std::printf("%-24s %8.3f s  %8.0f jobs/s\n", "coromd", ours, jobs / ours);
    const double theirs = by_single_calls(context, jobs);
    std::printf("%-24s %8.3f s  %8.0f jobs/s\n", "an sbatch for each", theirs, jobs / theirs);
    std::printf("ratio %.1f (wanted: %.0f)\n", theirs / ours, kWanted);
    return theirs / ours;
}

}  // namespace

int main(int argc, char** argv) {
    const int jobs = argc > 2 ? std::atoi(argv[2]) : 200;
    std::string name = (fs::temp_directory_path() / "coromd-bench-XXXXXX").string();
    if (argc < 2 || jobs < 1 || ::mkdtemp(name.data()) == nullptr) {
        std::fprintf(stderr, "usage: slurm_submit_bench COROMD [jobs]\n");
        return 2;
    }
    int code = 1;
    try {
        code = run(jobs, name, argv[1]) >= kWanted ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
    fs::remove_all(name);
    return code;
}
