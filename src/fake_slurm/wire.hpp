// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "coromd/core/file.hpp"

namespace coromd::fake_slurm {

/// What a command hands to the controller: all that decides about its answer.
struct Request {
    std::string command{};                 ///< "sbatch"; "coromd-fake-slurm" for its own commands
    std::vector<std::string> arguments{};  ///< without argv[0]
    std::vector<std::string> environment{};
    std::string directory{};  ///< the working directory
    std::string input{};      ///< standard input, where the command reads it
    int pid = 0;
    unsigned umask = 022;
};

/// What the command prints and returns.
struct Answer {
    int code = 0;
    std::string out{};
    std::string err{};
    bool retry = false;  ///< the command prints, sleeps and asks again
    bool more = false;   ///< another answer follows (srun that waits for free cores)
    /// For srun: what to run.
    nlohmann::json launch{};
};

/// An answer that is an error.
inline Answer failure(std::string message, int code = 1) {
    return {.code = code, .err = message + "\n"};
}

// Messages are MessagePack behind a length of 8 bytes: paths and environments need not be UTF-8.
std::string encode(const Request& request);
std::string encode(const Answer& answer);
Request decode_request(const std::string& message);
Answer decode_answer(const std::string& message);
/// Takes a whole message, without its length, from the front of `buffer`.
std::optional<std::string> take_message(std::string& buffer);

/// The path of the cluster's socket, which works however long the path of `directory` is (the limit
/// is 108 bytes) as long as `holder` lives.
std::string socket_path(const std::filesystem::path& directory, FileDescriptor& holder);

}  // namespace coromd::fake_slurm
