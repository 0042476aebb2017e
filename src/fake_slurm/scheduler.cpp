// SPDX-License-Identifier: LGPL-3.0-or-later
//
// Which job starts where. First come, first served: a job that finds no room stops those behind it,
// so a pass looks at few jobs however many wait. Jobs that wait for anything but room are kept apart,
// in `waiting_`, until they need not.
#include <algorithm>
#include <bit>
#include <utility>

#include "cluster.hpp"
#include "text.hpp"

namespace coromd::fake_slurm {

namespace {

/// The `count` lowest devices of `free`.
std::uint64_t lowest(std::uint64_t free, int count) {
    std::uint64_t taken = 0;
    for (; count > 0 && free != 0; --count) {
        const std::uint64_t device = free & (~free + 1);
        taken |= device;
        free &= ~device;
    }
    return taken;
}

/// What a job needs, with SLURM's defaults filled in.
struct Need {
    explicit Need(const Spec& spec, long gpus_per_node) : asked(spec) {
        cores_per_task = std::max(1, spec.cores_per_task);
        nodes = spec.nodes;
        if (nodes == 0 && spec.gpus > gpus_per_node && gpus_per_node > 0)
            nodes = static_cast<int>((spec.gpus + gpus_per_node - 1) / gpus_per_node);
        tasks = spec.tasks;
        if (tasks == 0) tasks = std::max(1, nodes) * std::max(1, spec.tasks_per_node);
        if (nodes == 0 && spec.tasks_per_node > 0)
            nodes = (tasks + spec.tasks_per_node - 1) / spec.tasks_per_node;
        nodes = std::min(nodes, tasks);
    }

    int gpus_of(int tasks_there, int node_count) const {
        return std::max({asked.gpus_per_node, asked.gpus_per_task * tasks_there,
                         (asked.gpus + node_count - 1) / std::max(1, node_count)});
    }

    std::optional<Share> share_of(const Node& node, int index, int wanted, int node_count) const {
        if (node.down || node.drained) return std::nullopt;
        if (asked.exclusive && (node.free_cores != node.cores || node.free_gpus != node.gpus))
            return std::nullopt;
        Share share{.node = index, .cores = wanted * cores_per_task, .tasks = wanted};
        const int gpus = gpus_of(wanted, node_count);
        share.memory = asked.memory_per_node + asked.memory_per_core * share.cores;
        share.gpus = lowest(node.free_gpus, gpus);
        if (node.free_cores < share.cores || node.free_memory < share.memory) return std::nullopt;
        if (std::popcount(share.gpus) < gpus) return std::nullopt;
        if (asked.exclusive) share.cores = node.cores;
        return share;
    }

    const Spec& asked;
    int tasks = 1;
    int nodes = 0;
    int cores_per_task = 1;
};

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::optional<std::vector<Share>> Cluster::place(const Spec& spec, const std::vector<Node>& nodes) const {
    const Need need(spec, settings_.gpus_per_node);
    std::vector<int> candidates;
    for (int i = 0; i < static_cast<int>(nodes.size()); ++i) {
        const std::string& name = nodes[static_cast<std::size_t>(i)].name;
        if (contains(spec.exclude, name)) continue;
        if (spec.node_list.empty() || contains(spec.node_list, name)) candidates.push_back(i);
    }
    const auto share_of = [&](int i, int tasks, int count) {
        return need.share_of(nodes[static_cast<std::size_t>(i)], i, tasks, count);
    };
    // As few nodes as can be, or as many as were asked for; the tasks spread evenly.
    const int fewest = std::max(need.nodes, 1);
    const int most =
        need.nodes > 0 ? need.nodes : std::min<int>(need.tasks, static_cast<int>(candidates.size()));
    for (int count = fewest; count <= most; ++count) {
        std::vector<Share> shares;
        for (const int i : candidates) {
            const int done = static_cast<int>(shares.size());
            const int tasks = need.tasks / count + (done < need.tasks % count ? 1 : 0);
            if (const auto share = share_of(i, tasks, count)) shares.push_back(*share);
            if (static_cast<int>(shares.size()) == count) return shares;
        }
    }
    return std::nullopt;
}

void Cluster::occupy(const Job& job, int sign) {
    for (const Share& share : job.shares) {
        Node& node = nodes_.at(static_cast<std::size_t>(share.node));
        node.free_cores -= sign * share.cores;
        node.free_memory -= sign * share.memory;
        node.free_gpus ^= share.gpus;
    }
}

Cluster::Waits Cluster::waits_for_dependency(const Job& job, const Dependency& dependency) {
    if (dependency.type == "singleton") {
        for (const int id : active_)
            if (id < job.base_id() && jobs_.at(id).spec->name == job.spec->name &&
                jobs_.at(id).base_id() != job.base_id())
                return Waits::yes;
        return Waits::no;
    }
    JobRef ref{.id = dependency.id, .tasks = TaskSet::parse(dependency.tasks)};
    if (dependency.tasks.empty()) ref.tasks.reset();
    if (dependency.type == "aftercorr" && job.task >= 0) {
        ref.tasks.emplace();
        ref.tasks->insert(job.task);
    }
    // An unknown job is no reason to wait: SLURM forgets jobs soon after their end.
    Waits result = Waits::no;
    for (const int id : select(ref, false)) {
        const Job& other = jobs_.at(id);
        if (dependency.type == "after") {
            if (other.pending()) result = Waits::yes;
            continue;
        }
        if (other.active() || other.pending()) {
            if (result == Waits::no) result = Waits::yes;
            continue;
        }
        const bool good = other.state == "COMPLETED";
        if (dependency.type != "afterany" && good != (dependency.type != "afternotok"))
            result = Waits::forever;
    }
    return result;
}

Cluster::Waits Cluster::waits_for_dependencies(const Job& job) {
    Waits all = Waits::no;
    bool one_done = false;
    bool one_possible = false;
    for (const Dependency& dependency : job.spec->dependencies) {
        const Waits waits = waits_for_dependency(job, dependency);
        one_done |= waits == Waits::no;
        one_possible |= waits == Waits::yes;
        if (waits == Waits::forever || all == Waits::no) all = waits;
    }
    if (!job.spec->any_dependency) return all;
    return one_done ? Waits::no : one_possible ? Waits::yes : Waits::forever;
}

void Cluster::move_waiting(double now) {
    const double delay = faults_.seconds("start_delay");
    for (const int id : std::set<int>(waiting_)) {
        Job& job = jobs_.at(id);
        if (job.held || now < job.eligible + delay) continue;
        const Waits waits = job.spec->dependencies.empty() ? Waits::no : waits_for_dependencies(job);
        if (waits == Waits::no) {
            job.reason = job.impossible ? "PartitionConfig" : "None";
            waiting_.erase(id);
            queue_.insert(id);
        } else if (waits == Waits::forever && job.spec->kill_on_invalid_dependency) {
            cancel(job, 0);
        } else {
            job.reason = waits == Waits::forever ? "DependencyNeverSatisfied" : "Dependency";
        }
    }
}

Cluster::Placement Cluster::start_waiting(Job& job) {
    const bool throttles = job.array_id != 0 && job.spec->throttle > 0;
    if (throttles && running_of_array_[job.array_id] >= job.spec->throttle) return Placement::throttled;
    auto shares = place(*job.spec, nodes_);
    if (!shares) return Placement::busy;
    start(job.is_array() ? split_off(job, job.tasks.front()).id : job.id, std::move(*shares));
    return Placement::done;
}

void Cluster::schedule() {
    // Polling the queue is no reason to look at all jobs that wait.
    if (!std::exchange(changed_, false) && faults_.seconds("start_delay") <= 0.0) return;
    move_waiting(wall_clock());
    bool blocked = false;
    int id = 0;
    for (auto it = queue_.begin(); it != queue_.end() && !blocked; it = queue_.upper_bound(id)) {
        id = *it;
        while (queue_.contains(id)) {
            Job& job = jobs_.at(id);
            if (job.impossible) break;
            const Placement placement = start_waiting(job);
            if (placement == Placement::done) continue;
            job.reason = placement == Placement::throttled ? "JobArrayTaskLimit" : "Resources";
            blocked = placement == Placement::busy;
            break;
        }
    }
}

bool Cluster::start(int id, std::vector<Share> shares) {
    Job& job = jobs_.at(id);
    queue_.erase(id);
    job.shares = std::move(shares);
    job.started = wall_clock();
    job.reason = "None";

    const double force_after = faults_.seconds("force_after");
    std::string forced;
    const auto bad = expand_hosts(faults_.text("bad_nodes"));
    for (const Share& share : job.shares)
        if (contains(bad, nodes_[static_cast<std::size_t>(share.node)].name)) forced = "NODE_FAIL";
    if (forced.empty()) forced = upper(faults_.strikes("force_state").value_or(""));
    if (forced.empty() && faults_.strikes("requeue_next")) forced = "REQUEUED";

    const bool never_starts = forced == "BOOT_FAIL" || forced == "REVOKED" || forced == "DEADLINE";
    if (never_starts) {
        job.state = forced;
        job.ended = job.started;
        close_record(job);
        return false;
    }
    job.pid = run_script(*this, job, nodes_);
    if (job.pid == 0) {
        job.state = "FAILED";
        job.exit_signal = 53;
        job.ended = job.started;
        close_record(job);
        return false;
    }
    job.state = "RUNNING";
    job.script_ended = false;
    by_pid_[job.pid] = id;
    running_.insert(id);
    occupy(job, 1);
    if (job.array_id != 0) ++running_of_array_[job.array_id];
    job.forced_state = forced;
    job.forced_at = job.started + force_after;
    return true;
}

}  // namespace coromd::fake_slurm
