// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/runtime/gather.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/timer.hpp"
#include "unit/queue/fixtures.hpp"

namespace coromd::queue::test {

/// How long is waited at most for what must come: a test that waits so long has failed.
constexpr std::chrono::minutes kPatience{2};

/// Our clients talk to the cluster of the fixture. Before a context, as threads read the environment.
struct ClusterEnvironment {
    ClusterEnvironment() { ::setenv("SLURM_CONF", COROMD_SLURM_CONF, 1); }
};

/// Runs a line of shell; returns its output without the last newline. Throws where it fails.
inline task<std::string> shell(runtime::Context& context, std::string line) {
    runtime::Command command({"/bin/sh", "-c", line});
    command.tail_limit(1 << 20);
    runtime::ProcessResult result = co_await runtime::run_process(context, std::move(command));
    if (!result.status.success())
        fail(ErrorKind::job, "'{}': {}: {}", line, result.status.text(), result.stderr_tail);
    while (result.stdout_tail.ends_with('\n')) result.stdout_tail.pop_back();
    co_return std::move(result.stdout_tail);
}

/// Waits, with a bound, until a line of shell succeeds.
inline task<void> until(runtime::Context& context, std::string line) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        runtime::Command command({"/bin/sh", "-c", line});
        const runtime::ProcessResult result = co_await runtime::run_process(context, std::move(command));
        if (result.status.success()) co_return;
        if (std::chrono::steady_clock::now() > deadline)
            fail(ErrorKind::job, "waited in vain until '{}'", line);
        co_await runtime::sleep_for(std::chrono::milliseconds(100));
    }
}

/// The same for a result that another coroutine waits for.
inline task<void> until_ok(const JobResult& result) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!result.ok()) {
        if (std::chrono::steady_clock::now() > deadline) fail(ErrorKind::job, "waited in vain for a result");
        co_await runtime::sleep_for(std::chrono::milliseconds(20));
    }
}

inline std::string cluster_command(const std::string& words) {
    std::string command = words;
    std::string arguments;
    if (const auto blank = words.find(' '); blank != words.npos) {
        command = words.substr(0, blank);
        arguments = words.substr(blank);
    }
    return std::string(COROMD_SLURM_CLUSTER_SCRIPT) + " " + command + " " + COROMD_SLURM_CLUSTER + arguments +
           " >&2";
}

/// Brings about a fault, or ends it: the words of cluster.sh without its folder ("kill-node n1").
inline task<void> cluster(runtime::Context& context, std::string words) {
    co_await shell(context, cluster_command(words));
}

/// A queue with these settings over those that make tests quick; options.* are sbatch's.
inline std::unique_ptr<Queue> slurm_queue(runtime::Context& context, JobLedger& ledger, const fs::path& spool,
                                          const std::map<std::string, std::string>& settings,
                                          Retries retries = {}) {
    const auto value_of = [](const std::string& text) {
        const bool number = text.find_first_not_of("0123456789") == text.npos && !text.empty();
        return number ? Setting(std::int64_t{std::stoll(text)}, Origin{}) : Setting(text, Origin{});
    };
    Setting::Table table;
    table.emplace("heartbeat", value_of("1 s"));
    table.emplace("poll", value_of("1 s"));
    Setting::Table options;
    options.emplace("time", value_of("10"));
    for (const auto& [name, text] : settings) {
        const bool option = name.starts_with("options.");
        (option ? options : table).insert_or_assign(option ? name.substr(8) : name, value_of(text));
    }
    table.insert_or_assign("options", Setting(std::move(options), Origin{}));
    const Setting all(std::move(table), Origin{});
    SettingsReader reader(all, "queues.test");
    const Site site{spool, COROMD_PROGRAM};
    const Registry<QueueKind> kinds = builtin_queues();
    auto queue = std::make_unique<Queue>("test", context, ledger,
                                         kinds.find("slurm")->make(context, site, reader), retries);
    reader.finish();
    return queue;
}

/// How often each pair of job name and array index was submitted; `accounts`: lines of
/// `sacct -n -P -X -o JobID,JobName`.
inline std::map<std::string, int> submissions(const std::string& accounts) {
    std::map<std::string, int> count;
    for (std::size_t begin = 0; begin < accounts.size();) {
        const std::size_t end = std::min(accounts.find('\n', begin), accounts.size());
        // "12_3|coromd-5f..." -> "coromd-5f..._3"
        std::string id = accounts.substr(begin, end - begin);
        const std::size_t bar = id.find('|');
        const std::string name = id.substr(bar + 1);
        id.resize(bar);
        const std::size_t index = id.find('_');
        ++count[name + (index == id.npos ? "" : id.substr(index))];
        begin = end + 1;
    }
    return count;
}

/// A queue on the real cluster, with a ledger in memory.
class RealCluster : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(fs::exists(COROMD_SLURM_CLUSTER "/env.sh"))
            << "there is no cluster: run this with ctest, or after cluster.sh up " COROMD_SLURM_CLUSTER;
    }
    ~RealCluster() override {
        queues_.clear();
        for (const std::string& words : mend_)
            if (std::system(cluster_command(words).c_str()) != 0) ADD_FAILURE() << words << " failed";
        if (std::system("test -z \"$(squeue -h)\" || scancel -u root") != 0)
            ADD_FAILURE() << "scancel failed";
    }

    /// Runs `words` of cluster.sh, and at the end of the test, whatever became of it, `mend`.
    task<void> fault(std::string words, std::string mend) {
        mend_.push_back(mend);
        co_await cluster(context_, words);
    }

    Queue& make_queue(const std::map<std::string, std::string>& settings = {}, Retries retries = {}) {
        const fs::path spool = temporary_.path() / ("spool" + std::to_string(queues_.size()));
        queues_.push_back(slurm_queue(context_, ledger_, spool, settings, retries));
        return *queues_.back();
    }

    Job script(const std::string& key, const std::string& text) const {
        Job job(key, {"/bin/sh", "-c", text});
        job.in_directory(folder(key)).grace(std::chrono::seconds(20));
        return job;
    }
    fs::path folder(const std::string& key) const { return temporary_.path() / key; }
    std::string output(const std::string& key, const std::string& name) const {
        return read_text_file(folder(key) / name);
    }
    /// The scheduler's id of a job whose program has written $SLURM_... into the file `id`.
    task<std::string> running_id(std::string key) {
        const std::string file = (folder(key) / (key + ".attempt1") / "id").string();
        co_await until(context_, "test -s '" + file + "'");
        co_return co_await shell(context_, "cat '" + file + "'");
    }

    ClusterEnvironment environment_;
    TemporaryDirectory temporary_;
    runtime::Context context_{2};
    Log log_;
    RecordingLedger ledger_{log_};
    std::vector<std::unique_ptr<Queue>> queues_;
    std::vector<std::string> mend_;
};

/// For scripts: notes the id under which the scheduler knows the job.
constexpr const char* kNoteId =
    "echo ${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID} > id.new\n"
    "mv id.new id\n";

}  // namespace coromd::queue::test
