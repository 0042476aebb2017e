// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "coromd/queue/job.hpp"
#include "coromd/runtime/task.hpp"

namespace coromd::queue {

/// What the ledger knows of a key when a queue asks for it.
struct Claim {
    JobState state = JobState::unknown;
    int attempts = 0;                 ///< attempts begun so far
    std::optional<JobResult> result;  ///< of the last attempt that ended
    std::string submission;           ///< where an attempt that was left behind runs; empty where none does
};

/// The memory of all jobs: why nothing is run twice. A queue asks it before every side effect.
///
/// Each call returns when what it says is durable. A call that was begun is carried out even if
/// its awaiter is cancelled meanwhile. Besides what is named below each may throw Error(system), or
/// Error(conflict) where another program has taken over: then nothing was changed.
class JobLedger {
public:
    virtual ~JobLedger() = default;

    /// Asks for a key and marks it as taken for this run of the program.
    /// Throws Error(conflict) where the key was taken in this run already, or is known with another
    /// specification (the message shows the difference).
    /// Cancellation: not cancellable.
    virtual runtime::task<Claim> claim(std::string key, std::string specification) = 0;

    /// Records the intent of a new attempt, and with the first one the specification; returns its
    /// number, from 1.
    /// Throws Error(usage) for a key that is not claimed, Error(conflict) where the job is finished.
    /// Cancellation: not cancellable.
    virtual runtime::task<int> begin_attempt(std::string key) = 0;

    /// Records where the attempt runs, in the queue's own words.
    /// Throws Error(conflict) where it is not the last one or has ended.
    /// Cancellation: not cancellable.
    virtual runtime::task<void> submitted(std::string key, int attempt, std::string submission) = 0;

    /// Records the end of an attempt. `result.state` is finished, failed, interrupted or cancelled;
    /// Error(usage) else. Throws Error(conflict) where it is not the last one or has ended.
    /// Cancellation: not cancellable.
    virtual runtime::task<void> ended(JobResult result) = 0;

    /// Gives a key back, so that it can be claimed again in this run: where no attempt was begun (a
    /// wait for resources that was cancelled).
    virtual void release(const std::string& key) noexcept = 0;
};

/// Forgets everything with the program: for short programs and tests.
std::unique_ptr<JobLedger> memory_ledger();

/// The lines in which two specifications differ ("- old", "+ new"), for messages.
std::string specification_difference(const std::string& recorded, const std::string& asked);

}  // namespace coromd::queue
