// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm/client.hpp"

#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/runtime/process.hpp"
#include "coromd/runtime/timeout.hpp"

namespace coromd::queue::slurm {

namespace {

/// A row of squeue is some hundred bytes, and a cluster has up to a million jobs.
constexpr std::size_t kMaxOutput = std::size_t{256} << 20;
/// Well below the limit of one argument (128 KiB on Linux).
constexpr std::size_t kMaxList = 96 << 10;

}  // namespace

Client::Client(runtime::Context& context, Options options)
    : context_(context), options_(std::move(options)) {}

runtime::task<Answer> Client::call(std::vector<std::string> words) const {
    const std::string name = words.front();
    if (!options_.folder.empty()) words.front() = options_.folder + "/" + name;
    runtime::Command command(std::move(words));
    command.tail_limit(kMaxOutput).environment(kEnvironment.first, kEnvironment.second);
    // Messages are compared; lists must not be filtered or formatted as a user likes them.
    command.environment("LC_ALL", "C").environment("SLURM_TIME_FORMAT", "standard");
    Answer answer;
    try {
        std::optional<runtime::ProcessResult> result =
            co_await runtime::with_timeout(options_.timeout, runtime::run_process(context_, command));
        if (result) {
            answer.out = std::move(result->stdout_tail);
            answer.error = std::move(result->stderr_tail);
            if (!result->status.success())
                answer.failure = classify_failure(result->status.exit_code, answer.error);
        } else {
            answer.failure = CommandFailure::timed_out;
            answer.error =
                fmt::format("{} did not answer within {} s", name, options_.timeout.count() / 1000);
        }
    } catch (const Error& error) {
        answer.error = error.message();
        const bool missing = answer.error.find("No such file") != std::string::npos ||
                             answer.error.find("Permission denied") != std::string::npos;
        answer.failure = missing ? CommandFailure::not_started : CommandFailure::other;
    }
    if (!answer.good())
        context_.log().debug("{}: {}: {}", command.text(), to_string(answer.failure), answer.error);
    co_return answer;
}

std::vector<std::string> chunked(const std::vector<std::string>& values) {
    std::vector<std::string> chunks;
    for (const std::string& value : values) {
        if (chunks.empty() || chunks.back().size() + value.size() + 1 > kMaxList) {
            chunks.push_back(value);
        } else {
            chunks.back() += "," + value;
        }
    }
    return chunks;
}

}  // namespace coromd::queue::slurm
