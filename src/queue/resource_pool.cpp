// SPDX-License-Identifier: LGPL-3.0-or-later
#include "resource_pool.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "coromd/core/error.hpp"

namespace coromd::queue {

namespace {

/// How far behind the first in line a job is looked for that fits into the gap.
constexpr int kDepth = 64;

}  // namespace

/// One who waits, in the line from its making to its end.
class ResourcePool::Turn {
public:
    Turn(ResourcePool& pool, const Resources& needs) : needs(needs), pool_(pool) {
        at_ = pool_.line_.insert(pool_.line_.end(), this);
    }
    Turn(const Turn&) = delete;
    ~Turn() {
        if (in_line_) pool_.line_.erase(at_);
        // Who was in the way may have left.
        pool_.serve();
    }

    void grant(Share got) noexcept {
        share = std::move(got);
        pool_.line_.erase(at_);
        in_line_ = false;
        granted.set();
    }

    const Resources needs;
    Share share;
    runtime::Event granted;
    int overtaken = 0;

private:
    ResourcePool& pool_;
    std::list<Turn*>::iterator at_;
    bool in_line_ = true;
};

Share::Share(Share&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      cores_(std::move(other.cores_)),
      gpus_(std::move(other.gpus_)),
      extra_cores_(other.extra_cores_),
      memory_mib_(other.memory_mib_) {}

Share& Share::operator=(Share&& other) noexcept {
    if (pool_ != nullptr) pool_->give_back(*this);
    pool_ = std::exchange(other.pool_, nullptr);
    cores_ = std::move(other.cores_);
    gpus_ = std::move(other.gpus_);
    extra_cores_ = other.extra_cores_;
    memory_mib_ = other.memory_mib_;
    return *this;
}

Share::~Share() {
    if (pool_ != nullptr) pool_->give_back(*this);
}

bool Share::neighbours() const noexcept {
    return extra_cores_ == 0 && !cores_.empty() &&
           cores_.back() - cores_.front() + 1 == static_cast<int>(cores_.size());
}

ResourcePool::ResourcePool(PoolSize size)
    : size_(std::move(size)),
      core_taken_(static_cast<std::size_t>(size_.cores), false),
      gpu_jobs_(size_.gpus.size(), 0),
      free_cores_(size_.cores),
      free_memory_mib_(static_cast<std::int64_t>(size_.memory_mib)) {}

void ResourcePool::check(const Job& job) const {
    const Resources& needs = job.resources();
    if (needs.all_cores() > size_.cores)
        fail(ErrorKind::usage, "job '{}' asks for {} cores; this queue has {}", job.key(), needs.all_cores(),
             size_.cores);
    if (needs.gpus > 0 && size_.gpus.empty())
        fail(ErrorKind::usage, "job '{}' asks for {} GPUs; this queue has none", job.key(), needs.gpus);
    if (needs.gpus > static_cast<int>(size_.gpus.size()))
        fail(ErrorKind::usage, "job '{}' asks for {} GPUs; this queue has {}", job.key(), needs.gpus,
             size_.gpus.size());
    if (needs.nodes > 1)
        fail(ErrorKind::usage, "job '{}' asks for {} nodes; this queue has one", job.key(), needs.nodes);
    if (size_.memory_mib > 0 && needs.memory_mib > size_.memory_mib)
        fail(ErrorKind::usage, "job '{}' asks for {} MiB of memory; this queue has {}", job.key(),
             needs.memory_mib, size_.memory_mib);
}

runtime::task<Share> ResourcePool::take(Resources needs) {
    Turn turn(*this, needs);
    serve();
    co_await turn.granted.wait();
    co_return std::move(turn.share);
}

Share ResourcePool::take_now(const Resources& needs) {
    return give(needs);
}

bool ResourcePool::fits(const Resources& needs) const noexcept {
    if (needs.all_cores() > free_cores_) return false;
    if (size_.memory_mib > 0 && static_cast<std::int64_t>(needs.memory_mib) > free_memory_mib_) return false;
    const auto open = std::ranges::count_if(gpu_jobs_, [&](int jobs) { return jobs < size_.jobs_per_gpu; });
    return needs.gpus <= open;
}

/// The first run of free neighbours; else the first ones that are free.
std::vector<int> ResourcePool::pick_cores(int n) const {
    std::vector<int> free;
    int run = 0;
    for (int core = 0; core < size_.cores; ++core) {
        if (core_taken_[static_cast<std::size_t>(core)]) {
            run = 0;
            continue;
        }
        free.push_back(core);
        if (++run < n) continue;
        std::vector<int> neighbours(static_cast<std::size_t>(n));
        std::iota(neighbours.begin(), neighbours.end(), core + 1 - n);
        return neighbours;
    }
    free.resize(std::min(free.size(), static_cast<std::size_t>(n)));
    return free;
}

/// Those with the fewest jobs, as places in size_.gpus.
std::vector<int> ResourcePool::pick_gpus(int n) const {
    std::vector<int> places(gpu_jobs_.size());
    std::iota(places.begin(), places.end(), 0);
    std::ranges::stable_sort(places, {},
                             [&](int place) { return gpu_jobs_[static_cast<std::size_t>(place)]; });
    places.resize(std::min(places.size(), static_cast<std::size_t>(n)));
    return places;
}

Share ResourcePool::give(const Resources& needs) {
    Share share;
    share.cores_ = pick_cores(needs.all_cores());
    share.extra_cores_ = needs.all_cores() - static_cast<int>(share.cores_.size());
    for (const int place : pick_gpus(needs.gpus)) {
        ++gpu_jobs_[static_cast<std::size_t>(place)];
        share.gpus_.push_back(size_.gpus[static_cast<std::size_t>(place)]);
    }
    share.memory_mib_ = needs.memory_mib;
    for (const int core : share.cores_) core_taken_[static_cast<std::size_t>(core)] = true;
    free_cores_ -= needs.all_cores();
    free_memory_mib_ -= static_cast<std::int64_t>(needs.memory_mib);
    share.pool_ = this;
    return share;
}

void ResourcePool::give_back(Share& share) noexcept {
    for (const int core : share.cores_) core_taken_[static_cast<std::size_t>(core)] = false;
    free_cores_ += static_cast<int>(share.cores_.size()) + share.extra_cores_;
    for (const int gpu : share.gpus_) {
        const auto place = std::ranges::find(size_.gpus, gpu) - size_.gpus.begin();
        --gpu_jobs_[static_cast<std::size_t>(place)];
    }
    free_memory_mib_ += static_cast<std::int64_t>(share.memory_mib_);
    share.pool_ = nullptr;
    serve();
}

void ResourcePool::serve() noexcept {
    while (!line_.empty() && fits(line_.front()->needs)) line_.front()->grant(give(line_.front()->needs));
    if (line_.empty()) return;
    Turn& first = *line_.front();
    int looked_at = 0;
    for (auto at = std::next(line_.begin()); at != line_.end() && looked_at < kDepth; ++looked_at) {
        if (free_cores_ <= 0 || first.overtaken >= size_.backfill) return;
        Turn& turn = **at++;
        if (!fits(turn.needs)) continue;
        ++first.overtaken;
        turn.grant(give(turn.needs));
    }
}

}  // namespace coromd::queue
