// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstddef>
#include <list>
#include <utility>

#include "coromd/runtime/task.hpp"

namespace coromd::runtime {

class Semaphore;

/// Permits taken from a Semaphore, given back when it is destroyed. Must not outlive the Semaphore.
class Permit {
public:
    Permit() = default;
    Permit(Permit&& other) noexcept
        : semaphore_(std::exchange(other.semaphore_, nullptr)), count_(std::exchange(other.count_, 0)) {}
    Permit& operator=(Permit&& other) noexcept;
    ~Permit() { release(); }

    /// Gives the permits back now.
    void release() noexcept;
    /// How many permits it holds.
    std::size_t count() const noexcept { return count_; }

private:
    friend class Semaphore;
    Permit(Semaphore& semaphore, std::size_t count) : semaphore_(&semaphore), count_(count) {}

    Semaphore* semaphore_ = nullptr;
    std::size_t count_ = 0;
};

/// Limits how much goes on at once: cores, jobs in a queue, open files.
///
/// Strictly first come, first served: one that asks for many permits is never overtaken by those
/// behind it that ask for few. Belongs to the loop thread.
class Semaphore {
public:
    explicit Semaphore(std::size_t permits);
    ~Semaphore();
    Semaphore(const Semaphore&) = delete;
    Semaphore& operator=(const Semaphore&) = delete;

    /// Waits for its turn and for `n` free permits, and takes them. Throws Error(usage) where `n` is
    /// more than there ever are.
    ///
    /// Cancellation: leaves the queue without a permit and throws Cancelled at once.
    task<Permit> acquire(std::size_t n = 1);

    std::size_t capacity() const noexcept { return capacity_; }
    std::size_t available() const noexcept { return available_; }
    /// How many coroutines are queued.
    std::size_t waiting() const noexcept { return queue_.size(); }

private:
    class Turn;
    friend class Permit;

    void give_back(std::size_t n) noexcept;
    void serve() noexcept;

    std::size_t capacity_;
    std::size_t available_;
    std::list<Turn*> queue_;
};

}  // namespace coromd::runtime
