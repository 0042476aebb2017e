// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/queue/job.hpp"

namespace coromd::queue {

/// What the agent beside a job has to know of it: `job.json` in the attempt's directory. The format is
/// in docs/design/agent.md.
struct JobFile {
    std::string key;
    int attempt = 0;
    std::filesystem::path spool;      ///< absolute, as are all paths here
    std::filesystem::path directory;  ///< the attempt's; a restart makes one of its own beside it
    std::vector<std::string> command;
    /// The command is a script that starts programs: signals go to those, not to their shell.
    bool script = false;
    std::map<std::string, std::string> environment;
    std::string input;                        ///< text for its standard input
    std::chrono::milliseconds walltime{0};    ///< 0: without limit
    std::chrono::milliseconds stop_early{0};  ///< how long before the limit it is asked to stop
    std::chrono::milliseconds grace{0};
    std::chrono::milliseconds heartbeat{30000};
    /// How long a record that cannot be written is tried again: a full disk may be mended.
    std::chrono::milliseconds record_patience{300000};
    StopRule stop;
    /// The scheduler's own SIGTERM goes to all processes of the job, not to the agent alone.
    bool signalled_together = false;
    /// Half of its work counts: what a restart finds ended gracefully is not run again.
    bool recoverable = false;
    std::vector<int> cores;  ///< to which it is bound; empty: not bound
    std::vector<int> gpus;   ///< ids for CUDA_VISIBLE_DEVICES; empty: left as it is

    std::string to_json() const;
    /// Throws Error(input).
    static JobFile from_json(std::string_view text);
};

/// What the agent writes when the job has ended: the word that counts, before any scheduler's.
struct ExitRecord {
    std::string key;
    int attempt = 0;
    /// Why the command could not be started; empty where it was.
    std::string error;
    JobExit exit;  ///< with the files

    std::string to_json() const;
    /// Throws Error(input).
    static ExitRecord from_json(std::string_view text);
};

}  // namespace coromd::queue
