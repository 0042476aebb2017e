// SPDX-License-Identifier: LGPL-3.0-or-later
//
//   (none) -- begun --> started -- ended --> finished: for good
//                        |   |           --> failed, interrupted, cancelled -- begun --> started
//                        |   +-- submitted: where it runs; the last one counts
//                        +-- begun --> started: the attempt before was left behind
//
// Only the last attempt of a job can be submitted or end, and only once.
#include "journal.hpp"

#include <utility>

#include "coromd/core/error.hpp"

namespace coromd::campaign {

using queue::JobState;

std::string_view JobEvent::kind_name() const noexcept {
    switch (kind) {
        case Kind::begun:
            return "begun";
        case Kind::submitted:
            return "submitted";
        case Kind::changed:
            return "changed";
        default:
            return to_string(end);
    }
}

void JobEvent::set_kind(std::string_view name) {
    end = JobState::unknown;
    if (name == "begun") {
        kind = Kind::begun;
    } else if (name == "submitted") {
        kind = Kind::submitted;
    } else if (name == "changed") {
        kind = Kind::changed;
    } else {
        kind = Kind::ended;
        end = queue::job_state(name);
    }
}

JobRecord fold(JobRecord job, const JobEvent& event) {
    const bool first = job.state == JobState::unknown;
    if (event.kind == JobEvent::Kind::changed) {
        if (first) fail(ErrorKind::conflict, "the job '{}' is changed before it was begun", job.key);
        // What is finished was made as it was asked for then.
        if (job.state != JobState::finished) job.specification = event.data;
        return job;
    }
    if (event.kind == JobEvent::Kind::begun) {
        if (job.state == JobState::finished)
            fail(ErrorKind::conflict, "the job '{}' is finished and cannot be begun again", job.key);
        if (event.attempt != job.attempts + 1)
            fail(ErrorKind::conflict, "attempt {} of the job '{}' cannot follow attempt {}", event.attempt,
                 job.key, job.attempts);
        job.state = JobState::started;
        job.attempts = event.attempt;
        job.submission.clear();
        job.began_ms = event.at_ms;
        job.ended_ms.reset();
        return job;
    }
    if (job.state != JobState::started || event.attempt != job.attempts)
        fail(ErrorKind::conflict, "attempt {} of the job '{}' does not run: it has ended, or was never begun",
             event.attempt, job.key);
    if (event.kind == JobEvent::Kind::submitted) {
        job.submission = event.data;
        return job;
    }
    if (event.end == JobState::unknown || event.end == JobState::started)
        fail(ErrorKind::usage, "an attempt of '{}' cannot end as '{}'", job.key, to_string(event.end));
    job.state = event.end;
    job.submission.clear();
    job.result_seq = event.seq;
    job.ended_ms = event.at_ms;
    return job;
}

}  // namespace coromd::campaign
