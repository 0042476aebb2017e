// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The parts of a walker's MD with mdrun, which counts them itself (-noappend). How far a part came is
// what its log says of the last checkpoint.
#include <chrono>
#include <csignal>
#include <map>
#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/runtime/offload.hpp"
#include "messages.hpp"
#include "parts_engine.hpp"
#include "system_impl.hpp"

namespace coromd::engine::gromacs {

namespace fs = std::filesystem;
using runtime::task;

namespace {

constexpr const char* kTprFile = "md.tpr";

/// Why an mdrun failed, for a person.
std::string failure_reason(const queue::JobExit& exit, const std::string& log) {
    std::string reason = error_text(exit.stderr_tail);
    if (reason.empty()) reason = error_text(log);
    if (!reason.empty()) return reason;
    reason = exit.text();
    if (is_stop_signal(exit.signal)) return reason;
    if (const std::string sign = instability(exit.stderr_tail); !sign.empty())
        return reason + "; the system had become unstable:\n" + sign;
    if (exit.exit_code == 0) reason += ", but the log does not say that a run finished with a checkpoint";
    return reason;
}

queue::Verdict judge_mdrun(const queue::JobExit& exit, const fs::path& log_file, const fs::path& checkpoint) {
    const std::string log = read_tail(log_file, kLogTail);
    const RunSummary run = summarise_log(log);
    // mdrun ends with 1 when it was told to stop, as it does after a fatal error.
    const bool ended_well = exit.exit_code == 0 || (exit.exit_code == 1 && run.told_to_stop) || !exit.known;
    if (ended_well && run.finished && run.checkpoint_step) return queue::Verdict::good();
    // Without it, mdrun begins at step 0 again and ends well.
    if (!checkpoint.empty() && !fs::exists(checkpoint))
        return queue::Verdict::bad(
            queue::FailureClass::user,
            fmt::format("the checkpoint to go on from, '{}', is gone", checkpoint.string()));
    return queue::Verdict::bad(
        is_stop_signal(exit.signal) ? queue::FailureClass::infrastructure : queue::FailureClass::user,
        failure_reason(exit, log));
}

class GromacsEngine final : public PartsEngine {
public:
    GromacsEngine(const GromacsSystem& system, std::string name)
        : PartsEngine(system, system.context(), system.md_queue(), std::move(name),
                      system.input().output() == OutputFormat::xtc ? ".xtc" : ".trr"),
          system_(system) {}

private:
    task<void> make_ready(fs::path start_file) override {
        auto describe_job = [&] { return system_.grompp(name(), start_file, kTprFile); };
        GromacsSystem::Grompp grompp = co_await runtime::offload(context().runtime, describe_job);
        tpr_content_ = fingerprint(grompp.job.specification());
        co_await system_.run_grompp(std::move(grompp));
    }

    std::string input_file() const override { return kTprFile; }

    std::map<std::string, std::string> program() const override {
        std::map<std::string, std::string> details{{"engine", "gromacs"}};
        if (!system_.version().empty()) details["version"] = system_.version();
        return details;
    }

    queue::Job describe_part(const std::string& part, const fs::path& checkpoint) override {
        const fs::path tpr = directory() / kTprFile;
        std::vector<std::string> command = system_.input().gmx();
        command.insert(command.end(), {"-quiet",
                                       "mdrun",
                                       "-s",
                                       tpr,
                                       "-noappend",
                                       "-o",
                                       "md.trr",
                                       "-x",
                                       "md.xtc",
                                       "-e",
                                       "md.edr",
                                       "-g",
                                       "md.log",
                                       "-c",
                                       "md.confout.gro",
                                       "-px",
                                       "md.pullx.xvg",
                                       "-pf",
                                       "md.pullf.xvg",
                                       "-cpo",
                                       part + ".cpt",
                                       "-nsteps",
                                       "{nsteps}",
                                       "-maxh",
                                       "{maxh}",
                                       "-ntomp",
                                       "{cores}",
                                       "-pin",
                                       "{pin}",
                                       "-pinoffset",
                                       "{first_core}",
                                       "-pinstride",
                                       "1"});
        const auto& extra = system_.input().mdrun_arguments();
        command.insert(command.end(), extra.begin(), extra.end());
        if (!checkpoint.empty()) command.insert(command.end(), {"-cpi", checkpoint});

        queue::Job job(name() + "/" + part, std::move(command));
        queue::Resources resources;
        resources.cores = system_.input().cores();
        job.needs(resources)
            .reads(tpr, tpr_content_)
            .writes(part + ".cpt")
            .writes(part + ".log")
            .environment("GMX_MAXBACKUP", "-1")
            .judged_by([log = part + ".log", checkpoint](const queue::JobExit& exit, const fs::path& where) {
                return judge_mdrun(exit, where / log, checkpoint);
            })
            .stops_by({SIGTERM, part + ".log", "Started mdrun", "Received the TERM signal"})
            .recoverable();
        return job;
    }

    std::int64_t last_step(const std::string& part) const override {
        const fs::path log = directory() / (part + ".log");
        const RunSummary summary = summarise_log(read_tail(log, kLogTail));
        if (!summary.checkpoint_step)
            fail(ErrorKind::input, "'{}' does not tell how far the part came: was it changed?", log.string());
        return *summary.checkpoint_step;
    }

    const GromacsSystem& system_;
    Fingerprint tpr_content_;
};

}  // namespace

std::unique_ptr<MdEngine> make_engine(const GromacsSystem& system, std::string name) {
    return std::make_unique<GromacsEngine>(system, std::move(name));
}

}  // namespace coromd::engine::gromacs
