// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm/request.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agent_run.hpp"
#include "coromd/core/error.hpp"
#include "coromd/queue/attempt_files.hpp"
#include "placeholders.hpp"
#include "slurm/duration.hpp"
#include "slurm/text.hpp"

namespace coromd::queue::slurm {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

/// SLURM may send its warning a minute early: it is used where that does not matter.
constexpr milliseconds kLongJob = 30min;

}  // namespace

SbatchOptions options_of(const Settings& settings, const Job& job) {
    SbatchOptions options = settings.options;
    SbatchOptions own;
    for (const auto& [name, value] : job.scheduler_options()) own.set(name, value);
    options.overlay(own);
    options.overlay(resource_options(job.resources()));
    // Or the job would wait for ever for one that has failed.
    if (options.value("dependency") && !options.value("kill-on-invalid-dep"))
        options.set("kill-on-invalid-dep", "yes");
    return options;
}

Request make_request(const Settings& settings, const Spool& spool, const Attempt& attempt, Submitted record) {
    const Job& job = attempt.job();
    Request request;
    request.tracked = std::make_shared<Tracked>(run_id(job.key(), attempt.number()));
    request.tracked->recoverable = job.is_recoverable();
    request.record = std::move(record);
    request.options = options_of(settings, job);

    JobFile& file = request.file;
    file = job_file(attempt, filled_in(job, std::nullopt), spool);
    file.signalled_together = true;
    file.heartbeat = settings.heartbeat;
    const auto time = request.options.value("time");
    const auto limit = time ? parse_time(*time) : std::nullopt;
    file.walltime = limit && *limit != kUnlimited ? milliseconds(*limit) : milliseconds(0);
    file.stop_early = settings.stop_early.count() > 0
                          ? settings.stop_early
                          : std::clamp<milliseconds>(file.walltime / 10, 10s, 120s);
    if (file.walltime.count() == 0 || file.walltime >= kLongJob)
        request.warning = fmt::format("--signal=B:USR1@{}",
                                      std::chrono::ceil<std::chrono::seconds>(file.stop_early).count());
    return request;
}

void write_request(const Settings& settings, Request& request) {
    JobFile& file = request.file;
    if (settings.has_template) {
        const fs::path path = file.directory / kScriptFile;
        write_plainly(path,
                      settings.script.shebang() + "\n" + settings.script.body(shell_quote(file.command)));
        // By its interpreter: file systems of scratch data may not allow programs.
        file.command.clear();
        const std::string_view shebang = trimmed(std::string_view(settings.script.shebang()).substr(2));
        const std::size_t blank = std::min(shebang.find_first_of(" \t"), shebang.size());
        file.command.emplace_back(shebang.substr(0, blank));
        const std::string_view option = trimmed(shebang.substr(blank));
        if (!option.empty()) file.command.emplace_back(option);
        file.command.push_back(path.string());
        file.script = true;
    }
    request.job_file = write_job_file(file);
}

}  // namespace coromd::queue::slurm
