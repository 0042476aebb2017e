// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Nodes that fail. What ran there may go on running, and the node may come back: no job may then be
// at work in one folder twice.
#include "integration/slurm/real_cluster.hpp"

namespace coromd::queue {
namespace {

using namespace test;
using namespace std::chrono_literals;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// Says in a file above its folder that it has begun, and appends to one in there who it is, again and again.
/// The first run of a job does so for ever, a later one for two seconds.
std::string appending(const std::string& key) {
    return std::string("me=$SLURMD_NODENAME.$$; echo $me >> ../began; echo $$ > ../pid.$SLURMD_NODENAME\n") +
           kNoteId +
           "n=$(grep -c . ../began); i=0\n"
           "while [ $n = 1 ] || [ $i -lt 20 ]; do echo $me >> who; i=$((i + 1)); sleep 0.1; done; echo " +
           key + " > done";
}

class SlurmNodes : public RealCluster {
protected:
    /// Runs the job, and has the node fail on which it begins: `fault` are words of cluster.sh, to which the
    /// node is added, as it is to `mend`.
    task<void> fail_under(Queue& queue, Job job, std::string words, std::string mend, JobResult& result) {
        auto run = [&]() -> task<void> { result = co_await queue.run(job); };
        auto break_it = [&]() -> task<void> {
            const std::string key = job.key();
            co_await running_id(key);
            const std::string node =
                co_await shell(context_, "cut -d . -f 1 '" + folder(key).string() + "/began'");
            broken_[key] = node;
            co_await fault(words + " " + node, mend + " " + node);
            // Its processes live on, or the test would tell nothing.
            if (words == "kill-node") co_await shell(context_, "kill -0 $(cat " + pid_file(key) + ")");
        };
        co_await runtime::gather(run(), break_it());
    }

    /// Where the job's first run has left its process id.
    std::string pid_file(const std::string& key) const {
        return "'" + (folder(key) / ("pid." + broken_.at(key))).string() + "'";
    }

    /// The lines of a file of the job's, each once.
    Log distinct(const std::string& key, const std::string& name) const {
        Log lines;
        std::istringstream in(output(key, name));
        for (std::string line; std::getline(in, line);)
            if (std::ranges::find(lines, line) == lines.end()) lines.push_back(line);
        return lines;
    }

    /// Its second run alone has written the file that arrived, and is not the first.
    void expect_second_run(const std::string& key) const {
        const Log began = distinct(key, "began");
        ASSERT_EQ(began.size(), 2u) << key;
        EXPECT_THAT(distinct(key, "who"), ElementsAre(began[1])) << key;
        EXPECT_THAT(began[0], StartsWith(broken_.at(key) + ".")) << key;
        EXPECT_THAT(began[1], testing::Not(StartsWith(broken_.at(key) + "."))) << key;
    }

    std::map<std::string, std::string> broken_;
};

TEST_F(SlurmNodes, FailuresAreNotTheProgramsFault) {
    Retries retries;
    retries.infrastructure = 2;
    retries.delay = 100ms;
    Queue& queue = make_queue({}, retries);
    const auto job = [&](const std::string& key, const std::string& not_there, bool requeue) {
        Job job = script(key, appending(key));
        job.scheduler_option("exclude", not_there).scheduler_option("comment", key);
        if (!requeue) job.scheduler_option("no-requeue", "");
        return job;
    };
    // n4 stays as it is.
    const Job lost = job("lost", "n2,n3", true);
    const Job lost_for_good = job("lost_for_good", "n2,n3", false);
    const Job crashed = job("crashed", "n1,n3", true);
    const Job down = job("down", "n1,n2", false);
    JobResult results[4];
    auto all = [&]() -> task<void> {
        auto zombie = [&]() -> task<void> {
            // It goes on beside its successor, until its next heartbeat at the latest.
            co_await until(context_, "test $(grep -c . '" + (folder("lost") / "began").string() + "') = 2");
            const std::string pid = co_await shell(context_, "cat " + pid_file("lost"));
            co_await until(context_, "! kill -0 " + pid);
        };
        // The two on one node: it fails for both at once.
        auto lost_run = [&]() -> task<void> { results[1] = co_await queue.run(lost_for_good); };
        auto first = [&]() -> task<void> {
            co_await running_id("lost_for_good");
            co_await fail_under(queue, lost, "kill-node", "start-node", results[0]);
        };
        co_await runtime::gather(lost_run(), first(), zombie(),
                                 fail_under(queue, crashed, "crash-node", "start-node", results[2]),
                                 fail_under(queue, down, "down-node", "resume-node", results[3]));
    };
    context_.run(all());
    broken_["lost_for_good"] = broken_["lost"];
    for (const JobResult& result : results) EXPECT_TRUE(result.ok()) << result.key << ": " << result.reason;
    EXPECT_EQ(results[0].attempt, 1);
    EXPECT_EQ(results[0].exit.restart, 1);
    EXPECT_EQ(results[1].attempt, 2);
    EXPECT_EQ(results[2].exit.restart, 1);
    EXPECT_EQ(results[3].attempt, 2);
    for (const char* key : {"lost", "lost_for_good", "crashed", "down"}) expect_second_run(key);

    // The node comes back: nothing of what it ran there stirs again.
    auto back = [&]() -> task<void> {
        co_await cluster(context_, "start-node " + broken_.at("lost"));
        const std::string pid = co_await shell(context_, "cat " + pid_file("lost_for_good"));
        co_await until(context_, "! kill -0 " + pid);
        co_await until(context_, "test -z \"$(squeue -h)\"");
    };
    context_.run(back());
    for (const char* key : {"lost", "lost_for_good", "crashed", "down"}) expect_second_run(key);
}

}  // namespace
}  // namespace coromd::queue
