// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"
#include "slurm/answers.hpp"

namespace coromd::queue::slurm {

/// What a command of SLURM's said.
struct Answer {
    CommandFailure failure = CommandFailure::none;
    std::string out;
    std::string error;  ///< its standard error, or why it could not be run

    bool good() const noexcept { return failure == CommandFailure::none; }
};

/// Runs SLURM's commands. A command that fails is a value: what is to be done about it differs.
class Client {
public:
    struct Options {
        /// Where the commands are; empty: in PATH.
        std::string folder;
        /// A command that takes longer is killed: it may have done its work.
        std::chrono::milliseconds timeout{90'000};
    };

    Client(runtime::Context& context, Options options);

    /// `words`: the command's name and its arguments.
    /// Cancellation: the command is stopped, throws Cancelled.
    runtime::task<Answer> call(std::vector<std::string> words) const;

    runtime::Context& context() const noexcept { return context_; }

private:
    runtime::Context& context_;
    Options options_;
};

/// Values joined by commas, in pieces that fit on a command line.
std::vector<std::string> chunked(const std::vector<std::string>& values);

}  // namespace coromd::queue::slurm
