// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What the journal of a campaign costs: `journal_bench [jobs]`.
//
//   events     each job is claimed, begun, submitted and ended; all three events are durable when the next
//              call is made; so many jobs at a time, as a campaign has walkers
//   peer       the same number of rows in SQLite itself, in as many transactions as the journal has had
//              at least: one for each round of jobs
//   resume     the campaign is opened again, and all jobs are answered as finished, up to the first new one
//   status     what is asked for `coromd status`
//
// TMPDIR says on which file system.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>
#include <sqlite3.h>

#include "coromd/campaign/campaign.hpp"
#include "coromd/runtime/gather.hpp"

namespace {

namespace fs = std::filesystem;
using coromd::campaign::Campaign;
using coromd::campaign::OpenMode;
using coromd::queue::JobResult;
using coromd::queue::JobState;
using coromd::runtime::task;

constexpr int kAtOnce = 500;
constexpr const char* kSpecification =
    "{\n \"command\": [\"gmx\", \"-quiet\", \"mdrun\", \"-s\", \"md.tpr\", \"-noappend\"]\n}";

std::string key_of(int i) {
    return fmt::format("walkers/{:05}/md.part{:04}", i % 1000, i / 1000 + 1);
}

task<void> do_jobs(coromd::queue::JobLedger& ledger, int first, int jobs, int step) {
    for (int i = first; i < jobs; i += step) {
        const std::string key = key_of(i);
        co_await ledger.claim(key, kSpecification);
        const int attempt = co_await ledger.begin_attempt(key);
        co_await ledger.submitted(key, attempt, "agent 4711 123456");
        JobResult result;
        result.key = key;
        result.attempt = attempt;
        result.state = JobState::finished;
        result.exit.exit_code = 0;
        result.exit.node = "n1";
        result.files = {{"md.part0001.xtc", 123456, std::string(32, 'a')}, {"md.part0001.cpt", 999, ""}};
        co_await ledger.ended(std::move(result));
    }
}

task<void> claim(coromd::queue::JobLedger& ledger, int i) {
    const coromd::queue::Claim known = co_await ledger.claim(key_of(i), kSpecification);
    if (known.state != JobState::finished) std::abort();
}

double seconds_of(const auto& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void fill_plainly(const fs::path& file, int rows, int transactions) {
    sqlite3* database = nullptr;
    sqlite3_open(file.c_str(), &database);
    sqlite3_exec(database,
                 "PRAGMA journal_mode = PERSIST; PRAGMA synchronous = FULL;"
                 "CREATE TABLE events (seq INTEGER PRIMARY KEY, at, job, attempt, kind, data)",
                 nullptr, nullptr, nullptr);
    sqlite3_stmt* insert = nullptr;
    sqlite3_prepare_v2(database, "INSERT INTO events VALUES (?, 1, 1, 1, 'finished', ?)", -1, &insert,
                       nullptr);
    const std::string data(400, 'x');
    for (int i = 0, done = 0; i < transactions; ++i) {
        sqlite3_exec(database, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
        for (; done < static_cast<int>(static_cast<long>(rows) * (i + 1) / transactions); ++done) {
            sqlite3_bind_int(insert, 1, done + 1);
            sqlite3_bind_text(insert, 2, data.c_str(), -1, SQLITE_STATIC);
            sqlite3_step(insert);
            sqlite3_reset(insert);
        }
        sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr);
    }
    sqlite3_finalize(insert);
    sqlite3_close(database);
}

}  // namespace

int main(int argc, char** argv) {
    const int jobs = argc > 1 ? std::atoi(argv[1]) : 100'000;
    std::string folder = (fs::temp_directory_path() / "coromd-bench-XXXXXX").string();
    if (jobs < kAtOnce || !::mkdtemp(folder.data())) return 1;
    coromd::runtime::Context context;
    {
        const auto campaign = Campaign::open(context, folder + "/campaign", OpenMode::fresh, 1);
        std::vector<task<void>> walkers;
        for (int i = 0; i < kAtOnce; ++i) walkers.push_back(do_jobs(campaign->ledger(), i, jobs, kAtOnce));
        const double took = seconds_of([&] { context.run(coromd::runtime::gather(std::move(walkers))); });
        const double plain =
            seconds_of([&] { fill_plainly(folder + "/plain.sqlite", 3 * jobs, 3 * jobs / kAtOnce); });
        std::printf("events    %8.0f events/s (wanted: 10000)   %.2f of SQLite's own %8.0f rows/s\n",
                    3 * jobs / took, plain / took, 3 * jobs / plain);
    }
    {
        std::vector<task<void>> claims;
        const double took = seconds_of([&] {
            const auto campaign =
                Campaign::open(context, folder + "/campaign", OpenMode::resume_or_create, 1);
            for (int i = 0; i < jobs; ++i) claims.push_back(claim(campaign->ledger(), i));
            context.run(coromd::runtime::gather(std::move(claims)));
        });
        std::printf("resume    %.2f s to the first new job behind %d finished ones (wanted: 5 for 100000)\n",
                    took, jobs);
    }
    const double took = seconds_of([&] {
        const coromd::campaign::Snapshot snapshot(folder + "/campaign");
        snapshot.job_counts();
        snapshot.walkers();
        snapshot.jobs_in(JobState::failed, 20);
    });
    std::printf("status    %.3f s\n", took);
    fs::remove_all(folder);
    return 0;
}
