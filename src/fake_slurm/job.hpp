// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "task_set.hpp"

namespace coromd::fake_slurm {

/// What a job waits for: one condition of --dependency.
struct Dependency {
    std::string type{};   ///< afterok, afterany, afternotok, after, aftercorr, singleton
    int id = 0;           ///< the job; none for singleton
    std::string tasks{};  ///< elements of an array, "" for all
};

/// What sbatch was asked for; shared by the elements of an array.
struct Spec {
    std::string name{};
    std::string partition{};
    std::string account{};
    std::string qos{};
    std::string comment{};
    std::string directory{};
    std::string script_file{};  ///< where the controller keeps the script
    std::string submit_line{};
    std::string submit_directory{};
    std::vector<std::string> arguments{};
    /// What the job inherits, after --export. Shared, because most jobs are submitted from one.
    std::shared_ptr<const std::vector<std::string>> environment;
    std::string output{};  ///< patterns; "" for the default
    std::string error{};
    std::string input{};
    bool append = false;
    unsigned umask = 022;
    double limit_s = -1.0;  ///< SLURM's seconds, negative: none
    int nodes = 0;          ///< as asked for; 0: as needed
    int tasks = 0;          ///< as asked for; 0: one, or one per node
    int tasks_per_node = 0;
    int cores_per_task = 0;
    long memory_per_node = 0;  ///< MB
    long memory_per_core = 0;
    int gpus = 0;
    int gpus_per_node = 0;
    int gpus_per_task = 0;
    bool exclusive = false;
    std::vector<std::string> node_list{};
    std::vector<std::string> exclude{};
    std::vector<Dependency> dependencies{};
    bool any_dependency = false;  ///< separated by '?': one is enough
    std::string dependency_text{};
    bool kill_on_invalid_dependency = false;
    bool requeue = true;
    int signal = 0;  ///< of --signal
    double signal_before_s = 60.0;
    bool signal_script_only = false;
    int throttle = 0;  ///< of --array=...%N, 0: none
    std::string array_text{};
    int array_count = 0;
    int array_min = 0;
    int array_max = 0;
};

/// What a job has on a node.
struct Share {
    int node = 0;
    int cores = 0;
    int tasks = 0;
    long memory = 0;
    std::uint64_t gpus = 0;  ///< a bit per device
};

/// A job, an element of an array, or all elements of an array that did not start: as in SLURM those
/// share one record, from which an element is split off when something happens to it.
struct Job {
    int id = 0;        ///< the raw id, of its own for every element
    int array_id = 0;  ///< the id of the array, 0 for none
    int task = -1;     ///< the element
    TaskSet tasks{};   ///< the elements that did not start; then task is -1
    std::shared_ptr<const Spec> spec{};

    std::string state = "PENDING";
    std::string reason = "None";
    bool held = false;
    bool impossible = false;  ///< more than the cluster has
    double limit_s = -1.0;
    int restarts = 0;
    int exit_code = 0;
    int exit_signal = 0;
    double submitted = 0.0;
    double eligible = 0.0;
    double started = 0.0;
    double ended = 0.0;
    std::vector<Share> shares{};  ///< kept after the end, for NodeList

    // While its processes live:
    pid_t pid = 0;  ///< of the script, and the process group; 0: none
    bool script_ended = false;
    bool ending = false;  ///< the state is final, the processes are not gone
    bool suspended = false;
    bool requeue = false;  ///< goes back to the queue when they are
    bool hold_after = false;
    bool signalled = false;  ///< --signal was sent
    double kill_at = 0.0;    ///< when KILL follows on TERM
    double forced_at = 0.0;  ///< when forced_state comes true
    std::string forced_state{};

    bool is_array() const { return !tasks.empty(); }
    bool pending() const { return state == "PENDING"; }
    /// Whether squeue shows it without being asked for all states.
    bool active() const { return state == "PENDING" || state == "RUNNING" || state == "SUSPENDED" || ending; }
    /// "12", "12_3", "12_[4-9%2]".
    ///
    /// As squeue does, it abbreviates lists of elements beyond `limit` characters; 0: never.
    std::string shown_id(std::size_t limit = 0) const;
    /// The number that the user knows it by: the array's or its own.
    int base_id() const { return array_id != 0 ? array_id : id; }
    int node_count() const;
    int core_count() const;
};

/// "PD" of "PENDING"; the first two letters of states that SLURM does not have.
std::string compact_state(std::string_view state);
/// The reverse, for -t; states may be given either way.
std::string full_state(std::string_view state);

}  // namespace coromd::fake_slurm
