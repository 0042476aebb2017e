// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "coromd/queue/job.hpp"
#include "coromd/runtime/event.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::queue {

/// What there is to give.
struct PoolSize {
    int cores = 1;
    std::vector<int> gpus;  ///< their ids
    int jobs_per_gpu = 1;
    std::uint64_t memory_mib = 0;  ///< 0: not counted
    /// How many smaller jobs may overtake the first in line, so that cores are not idle while it waits
    /// for many: after that nothing starts before it.
    int backfill = 100;
};

class ResourcePool;

/// What a job got. Given back when it is destroyed. Must not outlive the pool.
class Share {
public:
    Share() = default;
    Share(Share&& other) noexcept;
    Share& operator=(Share&& other) noexcept;
    ~Share();

    /// In ascending order.
    const std::vector<int>& cores() const noexcept { return cores_; }
    /// The cores follow one another: programs that pin themselves can be told the first.
    bool neighbours() const noexcept;
    const std::vector<int>& gpus() const noexcept { return gpus_; }

private:
    friend class ResourcePool;

    ResourcePool* pool_ = nullptr;
    std::vector<int> cores_;
    std::vector<int> gpus_;
    int extra_cores_ = 0;  // taken beyond what there is, by a job that ran already
    std::uint64_t memory_mib_ = 0;
};

/// Cores, GPUs and memory of one machine, given out first come, first served; smaller jobs fill the
/// gaps. Belongs to the loop thread.
class ResourcePool {
public:
    explicit ResourcePool(PoolSize size);

    /// Throws Error(usage) that names the job where it asks for more than there is.
    void check(const Job& job) const;

    /// Waits for its turn.
    /// Cancellation: leaves the line, throws Cancelled at once.
    runtime::task<Share> take(Resources needs);
    /// What a job that runs already has, whether it is free or not.
    Share take_now(const Resources& needs);

    const PoolSize& size() const noexcept { return size_; }

private:
    friend class Share;
    class Turn;

    bool fits(const Resources& needs) const noexcept;
    Share give(const Resources& needs);
    void give_back(Share& share) noexcept;
    void serve() noexcept;
    std::vector<int> pick_cores(int n) const;
    std::vector<int> pick_gpus(int n) const;

    PoolSize size_;
    std::vector<bool> core_taken_;
    std::vector<int> gpu_jobs_;  // running on each of size_.gpus
    int free_cores_;             // below 0 where take_now() took what there was not
    std::int64_t free_memory_mib_;
    std::list<Turn*> line_;
};

}  // namespace coromd::queue
