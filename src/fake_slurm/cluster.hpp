// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "faults.hpp"
#include "job.hpp"
#include "settings.hpp"

namespace coromd::fake_slurm {

/// An emulated node.
struct Node {
    std::string name{};
    int cores = 0;
    long memory = 0;
    std::uint64_t gpus = 0;
    int free_cores = 0;
    long free_memory = 0;
    std::uint64_t free_gpus = 0;
    bool down = false;
    bool drained = false;
    std::string reason{};
};

/// "12", "12_3", "12_[3-5]" of a command line.
struct JobRef {
    int id = 0;
    std::optional<TaskSet> tasks{};
    static std::optional<JobRef> parse(std::string_view text);
};

/// A step of srun that waits for cores of its job or has them.
struct Step {
    int job = 0;
    int number = 0;
    int connection = 0;  ///< its srun's; the step lasts as long as that
    pid_t srun = 0;
    int cores = 0;
    long memory = 0;
    bool granted = false;
};

/// All jobs and nodes: what slurmctld knows. One thread, the controller's, owns it. Time is wall_clock().
class Cluster {
public:
    Cluster(std::filesystem::path directory, Settings settings, Faults& faults);

    const std::filesystem::path& directory() const { return directory_; }
    const Settings& settings() const { return settings_; }
    Faults& faults() { return faults_; }
    std::vector<Node>& nodes() { return nodes_; }
    /// By raw id. Includes ended jobs and what requeued jobs were before, see history().
    std::map<int, Job>& jobs() { return jobs_; }
    /// Ids of jobs that wait, run or end.
    const std::set<int>& active() const { return active_; }
    /// Jobs that wait, run or end, each element of an array counted.
    std::size_t active_count() const { return active_count_; }
    /// Earlier runs of requeued jobs.
    std::vector<Job>& history() { return history_; }
    std::vector<Step>& steps() { return steps_; }

    /// The id that the next submission gets.
    int next_id() const { return next_id_; }
    void set_next_id(int id) { next_id_ = id; }
    void submit(Job job);

    /// The raw ids that a user means; elements that share a record are split off only where `split`.
    std::vector<int> select(const JobRef& ref, bool split);
    /// Whether the controller still knows an ended job.
    bool remembered(const Job& job, double now) const;
    /// Drops a job from all tables, without a trace.
    void forget(int id, bool kill);

    void cancel(Job& job, int user);
    void requeue(Job& job, bool hold);
    void hold(Job& job, bool held);
    /// Ends a running job with a state: its processes get TERM and, a little later, KILL.
    void end(Job& job, const std::string& state, std::string_view why);
    void signal(Job& job, int signal, bool script_only, bool with_children);
    void node_failed(int node);
    std::string node_list(const Job& job) const;

    /// Tells that schedule() may find more than it did the last time.
    void touch() { changed_ = true; }
    /// Starts what can be started.
    void schedule();
    /// A child of the controller ended.
    void reap(pid_t pid, int status);
    /// Time limits, kills, delayed faults.
    void tick();
    /// When tick() has something to do next; infinity for never.
    double next_tick() const;
    /// Kills everything at once.
    void stop();

    void save() const;
    void load();

private:
    enum class Waits { no, yes, forever };
    enum class Placement { done, busy, throttled };

    Job& split_off(Job& record, int task);
    Waits waits_for_dependency(const Job& job, const Dependency& dependency);
    Waits waits_for_dependencies(const Job& job);
    void move_waiting(double now);
    Placement start_waiting(Job& job);
    std::optional<std::vector<Share>> place(const Spec& spec, const std::vector<Node>& nodes) const;
    bool start(int id, std::vector<Share> shares);
    void print_cancelled(const Job& job, std::string_view why) const;
    void occupy(const Job& job, int sign);
    void processes_gone(Job& job);
    void close_record(Job& job);
    void set_active(const Job& job, bool active);
    void back_to_queue(Job& job);
    bool group_alive(const Job& job) const;

    std::filesystem::path directory_;
    Settings settings_;
    Faults& faults_;
    std::vector<Node> nodes_;
    std::vector<Node> empty_nodes_;
    std::map<int, Job> jobs_;
    std::unordered_map<int, std::vector<int>> members_;  ///< of arrays
    std::unordered_map<int, int> running_of_array_;
    std::unordered_map<pid_t, int> by_pid_;
    std::set<int> active_;
    std::set<int> queue_;        ///< pending, could start: FIFO
    std::set<int> waiting_;      ///< pending on something else than resources
    std::set<int> running_;      ///< with processes
    std::set<pid_t> abandoned_;  ///< process groups of forgotten jobs
    std::vector<Job> history_;
    std::vector<Step> steps_;
    std::size_t active_count_ = 0;
    bool changed_ = true;
    int next_id_ = 1;
};

/// Forks and executes a job's script in a session of its own. 0 where its files cannot be opened; what
/// else fails shows in the exit code, as with slurmstepd.
pid_t run_script(const Cluster& cluster, const Job& job, const std::vector<Node>& nodes);
/// The output file of a job, with its pattern filled in.
std::string output_file(const Job& job, const std::vector<Node>& nodes, bool of_errors);
/// Appends a line of slurmstepd to what a job prints.
void print_into_output(const Job& job, const std::vector<Node>& nodes, const std::string& line);

}  // namespace coromd::fake_slurm
