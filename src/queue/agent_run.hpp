// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coromd/queue/queue.hpp"
#include "coromd/queue/spool.hpp"

// What all kinds of queues that run jobs under the agent have in common.

namespace coromd::queue {

/// The attempt for the agent, without what only the queue knows.
JobFile job_file(const Attempt& attempt, std::vector<std::string> command, const Spool& spool);

/// A file that is written anew by the next attempt, should it get lost: not synced.
/// Throws Error(system).
void write_plainly(const std::filesystem::path& path, std::string_view text);

/// Puts it into the attempt's directory. Returns its path.
std::filesystem::path write_job_file(const JobFile& file);

/// The record of the attempt's last run that has one, as an exit. Throws Error(system) where the
/// program could not be started; empty where there is no record.
std::optional<JobExit> recorded_exit(const Spool& spool, const Attempt& attempt);

/// Starts an agent on this machine (`launcher` is put before its command), waits for its end and
/// returns what it recorded. Throws, returns and is cancelled as Backend::execute().
runtime::task<JobExit> run_agent(runtime::Context& context, const Site& site, const Spool& spool,
                                 JobFile file, Attempt attempt, std::vector<std::string> launcher,
                                 Submitted submitted);

/// Goes on with an attempt that run_agent() of an earlier program has begun, on this machine or on
/// another. Returns and is cancelled as Backend::reattach().
runtime::task<std::optional<JobExit>> follow_agent(runtime::Context& context, const Spool& spool,
                                                   Attempt attempt);

/// Throws Error(conflict): another kind of queue has the attempt, as it says in `submission`.
[[noreturn]] void fail_other_kind(const Attempt& attempt, const std::string& submission);

/// A heartbeat that is older belongs to an agent that is dead, or whose node is.
inline constexpr std::chrono::minutes kSilence{10};

/// What run_agent() hands to `submitted` begins with this.
inline constexpr const char* kUnderAgent = "agent ";

}  // namespace coromd::queue
