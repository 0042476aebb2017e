// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The life of a job:
//
//   PENDING --start--> RUNNING --script ends--> COMPLETED, FAILED
//                         |
//                         +--end(state)--> state, `ending`: TERM, KILL --processes gone--> state
//                                                                    `--requeue--> PENDING again
//
// `ending` is what squeue shows as COMPLETING: sacct has the final state already, the cores are not
// free yet.
#include "cluster.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <limits>

#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "text.hpp"

namespace coromd::fake_slurm {

namespace {

bool requeues_after(const Job& job, const std::string& state) {
    return state == "REQUEUED" || (job.spec->requeue && (state == "NODE_FAIL" || state == "PREEMPTED"));
}

/// To all processes of a job. In its first instant the script has no group of its own yet.
void signal_all(const Job& job, int signal) {
    if (::kill(-job.pid, signal) != 0 && !job.script_ended) ::kill(job.pid, signal);
}

}  // namespace

std::optional<JobRef> JobRef::parse(std::string_view text) {
    const auto bar = text.find('_');
    const auto id = to_int(text.substr(0, bar));
    if (!id || *id < 1 || *id > std::numeric_limits<int>::max()) return std::nullopt;
    JobRef ref{.id = static_cast<int>(*id), .tasks = std::nullopt};
    if (bar == text.npos) return ref;
    std::string_view tasks = text.substr(bar + 1);
    if (tasks == "*") return ref;
    if (tasks.starts_with('[') && tasks.ends_with(']')) tasks = tasks.substr(1, tasks.size() - 2);
    ref.tasks = TaskSet::parse(tasks.substr(0, tasks.find('%')));
    if (!ref.tasks || ref.tasks->empty()) return std::nullopt;
    return ref;
}

Cluster::Cluster(std::filesystem::path directory, Settings settings, Faults& faults)
    : directory_(std::move(directory)), settings_(std::move(settings)), faults_(faults) {
    for (long i = 1; i <= settings_.nodes; ++i) {
        Node node;
        node.name = fmt::format("{}{}", settings_.node_prefix, i);
        node.cores = node.free_cores = static_cast<int>(settings_.cores_per_node);
        node.memory = node.free_memory = settings_.memory_per_node;
        const auto gpus = static_cast<unsigned>(settings_.gpus_per_node);
        node.gpus = node.free_gpus = gpus >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << gpus) - 1;
        nodes_.push_back(node);
    }
    empty_nodes_ = nodes_;
}

void Cluster::set_active(const Job& job, bool active) {
    changed_ = true;
    const std::size_t elements = std::max<std::size_t>(1, job.tasks.size());
    if (active && active_.insert(job.id).second) active_count_ += elements;
    if (!active && active_.erase(job.id) > 0) active_count_ -= elements;
}

void Cluster::submit(Job job) {
    const int id = job.id;
    // An id that is used again hides the job that had it.
    forget(id, true);
    job.submitted = job.eligible = wall_clock();
    job.limit_s = job.spec->limit_s;
    job.impossible = !place(*job.spec, empty_nodes_);
    if (!job.spec->dependencies.empty()) job.reason = "Dependency";
    if (job.held) job.reason = "JobHeldUser";
    if (job.array_id != 0) members_[job.array_id].push_back(id);
    next_id_ = id + 1;
    set_active(job, true);
    waiting_.insert(id);
    jobs_[id] = std::move(job);
}

Job& Cluster::split_off(Job& record, int task) {
    if (record.tasks.size() == 1) {
        // The last one keeps the id of the array.
        record.tasks = {};
        record.task = task;
        return record;
    }
    Job one = record;
    record.tasks.erase(task);
    one.tasks = {};
    one.task = task;
    while (jobs_.contains(next_id_)) ++next_id_;
    one.id = next_id_++;
    members_[one.array_id].push_back(one.id);
    active_.insert(one.id);
    (waiting_.contains(record.id) ? waiting_ : queue_).insert(one.id);
    return jobs_[one.id] = std::move(one);
}

std::vector<int> Cluster::select(const JobRef& ref, bool split) {
    const auto found = members_.find(ref.id);
    std::vector<int> ids;
    if (found == members_.end()) {
        if (!ref.tasks && jobs_.contains(ref.id)) ids.push_back(ref.id);
        return ids;
    }
    const std::vector<int> members = found->second;  // splitting adds to it
    for (const int id : members) {
        Job& job = jobs_.at(id);
        if (!ref.tasks) {
            ids.push_back(id);
        } else if (!job.is_array()) {
            if (ref.tasks->contains(job.task)) ids.push_back(id);
        } else {
            std::vector<int> wanted = ref.tasks->indices();
            std::erase_if(wanted, [&](int task) { return !job.tasks.contains(task); });
            if (wanted.empty()) continue;
            if (!split || wanted.size() == job.tasks.size())
                ids.push_back(id);
            else
                for (const int task : wanted) ids.push_back(split_off(jobs_.at(id), task).id);
        }
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

bool Cluster::remembered(const Job& job, double now) const {
    return job.active() || now - job.ended < settings_.min_job_age;
}

void Cluster::forget(int id, bool kill) {
    const auto it = jobs_.find(id);
    if (it == jobs_.end()) return;
    Job& job = it->second;
    if (job.pid > 0) {
        if (kill)
            signal_all(job, SIGKILL);
        else
            abandoned_.insert(job.pid);
        by_pid_.erase(job.pid);
        occupy(job, -1);
        if (job.array_id != 0) --running_of_array_[job.array_id];
    }
    std::erase_if(steps_, [&](const Step& step) { return step.job == id; });
    const auto members = members_.find(job.array_id);
    if (members != members_.end()) {
        std::erase(members->second, id);
        if (members->second.empty()) members_.erase(members);
    }
    set_active(job, false);
    for (std::set<int>* set : {&queue_, &waiting_, &running_}) set->erase(id);
    jobs_.erase(it);
}

std::string Cluster::node_list(const Job& job) const {
    std::vector<std::string> names;
    for (const Share& share : job.shares)
        names.push_back(nodes_.at(static_cast<std::size_t>(share.node)).name);
    return compress_hosts(names);
}

void Cluster::cancel(Job& job, int user) {
    const std::string state = fmt::format("CANCELLED by {}", user);
    if (job.ending) {
        job.requeue = false;
        job.state = state;
    } else if (job.pending()) {
        job.state = state;
        job.started = job.ended = wall_clock();
        close_record(job);
    } else if (job.active()) {
        end(job, state, "");
    }
}

void Cluster::requeue(Job& job, bool hold) {
    job.hold_after = hold;
    if (job.pid > 0) {
        job.requeue = true;
        if (!job.ending) end(job, "REQUEUED", "DUE TO JOB REQUEUE");
    } else if (!job.pending()) {
        set_active(job, true);
        back_to_queue(job);
    } else if (hold) {
        this->hold(job, true);
    }
}

void Cluster::hold(Job& job, bool held) {
    if (!job.pending() || job.held == held) return;
    changed_ = true;
    job.held = held;
    job.reason = held ? "JobHeldUser" : "None";
    queue_.erase(job.id);
    waiting_.insert(job.id);
}

void Cluster::print_cancelled(const Job& job, std::string_view why) const {
    const std::string line = fmt::format("slurmstepd: error: *** JOB {} ON {} CANCELLED AT {}{}{} ***",
                                         job.id, nodes_.at(static_cast<std::size_t>(job.shares[0].node)).name,
                                         moment(wall_clock(), "Unknown"), why.empty() ? "" : " ", why);
    print_into_output(job, nodes_, line);
}

void Cluster::end(Job& job, const std::string& state, std::string_view why) {
    if (job.pid == 0 || job.ending) return;
    const double now = wall_clock();
    job.state = state;
    job.ending = true;
    job.ended = now;
    const bool at_once = state == "NODE_FAIL" || state == "OUT_OF_MEMORY";
    if (state == "OUT_OF_MEMORY") {
        job.exit_signal = 125;
    } else {
        print_cancelled(job, why);
    }
    signal_all(job, SIGCONT);
    signal_all(job, at_once ? SIGKILL : SIGTERM);
    job.kill_at = now + settings_.kill_wait;
}

void Cluster::signal(Job& job, int signal, bool script_only, bool with_children) {
    if (signal == SIGKILL && !script_only && !with_children) return cancel(job, static_cast<int>(::getuid()));
    if (job.pid == 0) return;
    // slurmstepd says so whatever the script makes of the signal.
    if ((script_only || with_children) && signal == SIGTERM) print_cancelled(job, "");
    if (script_only) ::kill(job.pid, signal);
    if (with_children) signal_all(job, signal);
    if (script_only || with_children) return;
    // Neither the script nor its children get it: SLURM signals the steps.
    for (const Step& step : steps_)
        if (step.job == job.id && step.granted) ::kill(step.srun, signal);
}

void Cluster::node_failed(int node) {
    const std::set<int> running = running_;
    for (const int id : running) {
        Job& job = jobs_.at(id);
        const bool there = std::any_of(job.shares.begin(), job.shares.end(),
                                       [&](const Share& share) { return share.node == node; });
        if (!there || job.ending) continue;
        job.requeue = job.spec->requeue;
        end(job, "NODE_FAIL", "");
    }
}

void Cluster::reap(pid_t pid, int status) {
    const auto it = by_pid_.find(pid);
    if (it == by_pid_.end()) {  // an orphan of a job, or a forgotten job
        if (abandoned_.erase(pid) > 0) ::kill(-pid, SIGKILL);
        return;
    }
    Job& job = jobs_.at(it->second);
    by_pid_.erase(it);
    job.script_ended = true;
    if (job.ending) {
        tick();
        return;
    }
    // What the script leaves behind does not outlive it.
    ::kill(-pid, SIGKILL);
    if (!job.forced_state.empty()) {
        job.state = job.forced_state;
        job.requeue = requeues_after(job, job.state);
        if (job.state == "OUT_OF_MEMORY") job.exit_signal = 125;
        job.ended = wall_clock();
        processes_gone(job);
        return;
    }
    job.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    job.exit_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    job.state = job.exit_code == 0 && job.exit_signal == 0 ? "COMPLETED" : "FAILED";
    job.ended = wall_clock();
    processes_gone(job);
}

bool Cluster::group_alive(const Job& job) const {
    return ::kill(-job.pid, 0) == 0;
}

void Cluster::processes_gone(Job& job) {
    occupy(job, -1);
    if (job.array_id != 0) --running_of_array_[job.array_id];
    std::erase_if(steps_, [&](const Step& step) { return step.job == job.id; });
    job.pid = 0;
    job.ending = job.suspended = false;
    job.forced_state.clear();
    running_.erase(job.id);
    if (job.requeue)
        back_to_queue(job);
    else
        close_record(job);
}

void Cluster::close_record(Job& job) {
    set_active(job, false);
    for (std::set<int>* set : {&queue_, &waiting_}) set->erase(job.id);
    if (job.state != "COMPLETED") {
        const std::string word = job.state.substr(0, job.state.find(' '));
        job.reason = word == "FAILED"          ? "NonZeroExitCode"
                     : word == "TIMEOUT"       ? "TimeLimit"
                     : word == "OUT_OF_MEMORY" ? "OutOfMemory"
                     : word == "NODE_FAIL"     ? "NodeDown"
                                               : "None";
    } else {
        job.reason = "None";
    }
}

void Cluster::back_to_queue(Job& job) {
    changed_ = true;
    history_.push_back(job);
    ++job.restarts;
    job.state = "PENDING";
    job.reason = job.hold_after ? "JobHeldUser" : "BeginTime";
    job.held = job.hold_after;
    job.requeue = job.hold_after = job.signalled = job.script_ended = false;
    job.started = job.ended = job.kill_at = 0.0;
    job.exit_code = job.exit_signal = 0;
    job.eligible = wall_clock();
    job.shares.clear();
    waiting_.insert(job.id);
}

void Cluster::tick() {
    const double now = wall_clock();
    const std::set<int> running = running_;
    for (const int id : running) {
        Job& job = jobs_.at(id);
        if (job.ending) {
            if (job.script_ended && !group_alive(job)) {
                processes_gone(job);
            } else if (now >= job.kill_at) {
                signal_all(job, SIGKILL);
                job.kill_at = now + 0.02;
            }
            continue;
        }
        if (!job.forced_state.empty() && now >= job.forced_at) {
            job.requeue = requeues_after(job, job.forced_state);
            end(job, job.forced_state, job.forced_state == "PREEMPTED" ? "DUE TO PREEMPTION" : "");
            continue;
        }
        if (job.limit_s < 0.0) continue;
        const double limit = job.started + settings_.real(job.limit_s);
        if (job.spec->signal != 0 && !job.signalled &&
            now >= limit - settings_.real(job.spec->signal_before_s)) {
            job.signalled = true;
            signal(job, job.spec->signal, job.spec->signal_script_only, false);
        }
        if (now >= limit) end(job, "TIMEOUT", "DUE TO TIME LIMIT");
    }
}

double Cluster::next_tick() const {
    double next = std::numeric_limits<double>::infinity();
    for (const int id : running_) {
        const Job& job = jobs_.at(id);
        if (job.ending) {
            next = std::min(next, job.script_ended ? wall_clock() + 0.02 : job.kill_at);
            continue;
        }
        if (!job.forced_state.empty()) next = std::min(next, job.forced_at);
        if (job.limit_s < 0.0) continue;
        const double limit = job.started + settings_.real(job.limit_s);
        next = std::min(next, limit);
        if (job.spec->signal != 0 && !job.signalled)
            next = std::min(next, limit - settings_.real(job.spec->signal_before_s));
    }
    const double delay = faults_.seconds("start_delay");
    if (delay > 0.0)
        for (const int id : waiting_)
            if (const double due = jobs_.at(id).eligible + delay; due > wall_clock())
                next = std::min(next, due);
    return next;
}

void Cluster::stop() {
    for (const pid_t pid : abandoned_) ::kill(-pid, SIGKILL);
    for (const int id : std::set<int>(running_)) {
        Job& job = jobs_.at(id);
        signal_all(job, SIGKILL);
        job.requeue = false;
        if (!job.ending) job.state = "CANCELLED by 0";
        job.ended = wall_clock();
        processes_gone(job);
    }
    for (const int id : std::set<int>(active_)) cancel(jobs_.at(id), 0);
}

}  // namespace coromd::fake_slurm
