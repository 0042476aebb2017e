// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>

namespace coromd::agent {

/// Nothing was run: the attempt was taken by somebody else, or is not wanted any more.
inline constexpr int kNothingToDo = 0;
/// The job file cannot be read (EX_DATAERR of sysexits.h), or the record cannot be written (EX_IOERR).
inline constexpr int kBadJobFile = 65;
inline constexpr int kNoRecord = 74;

/// Runs the program of a job file (queue::JobFile) and stays beside it to its end, whoever wants that:
///
///   the program itself       its end is recorded
///   SIGUSR2, or a stop file  the queue wants it to stop: by the job's rule, after its grace SIGKILL
///   SIGUSR1, the walltime    the same, because time is nearly up
///   SIGTERM, SIGINT, SIGHUP  the same, because the scheduler or a person says so
///   a later run of the job   SIGKILL: its files are nobody's any more
///
/// Writes the exit record when the program and all that it started have ended. The program dies with
/// this process. Blocks the signals named, for this is all that the process does.
///
/// Returns the exit code of the program (128 + its signal, as shells do), or one of those above.
int supervise(const std::filesystem::path& job_file);

/// The job file that `list`, one path a line, has for this element of a job array
/// (SLURM_ARRAY_TASK_ID). Throws Error(input) where there is none.
std::filesystem::path array_element(const std::filesystem::path& list);

}  // namespace coromd::agent
