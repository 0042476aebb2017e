// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "coromd/queue/job.hpp"

namespace coromd::campaign {

/// Something that happened to a job, as the journal has it.
struct JobEvent {
    enum class Kind { begun, submitted, ended, changed };

    Kind kind = Kind::begun;
    int attempt = 0;
    queue::JobState end = queue::JobState::unknown;  ///< of an `ended`
    std::string data{};  ///< token, words of the queue, result, or specification: see schema.sql
    std::int64_t seq = 0;
    std::int64_t at_ms = 0;

    /// As the journal names it: "begun", "submitted", "changed", or the state at the end.
    std::string_view kind_name() const noexcept;
    /// Sets `kind` and `end`. Throws Error(input) for a name that is none.
    void set_kind(std::string_view name);
};

/// How a job stands after some events.
struct JobRecord {
    std::string key;
    std::string specification;
    queue::JobState state = queue::JobState::unknown;
    int attempts = 0;        ///< begun so far
    std::string submission;  ///< of an attempt that has not ended
    std::optional<std::int64_t> result_seq;
    std::int64_t began_ms = 0;  ///< of the last attempt
    std::optional<std::int64_t> ended_ms;

    friend bool operator==(const JobRecord&, const JobRecord&) = default;
};

/// How the job stands after one more event. Depends on nothing else: a journal that is read again adds
/// up to the same. Throws Error(conflict) for what cannot follow.
JobRecord fold(JobRecord job, const JobEvent& event);

}  // namespace coromd::campaign
