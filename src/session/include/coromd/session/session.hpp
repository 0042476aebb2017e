// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coromd/campaign/campaign.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/random.hpp"
#include "coromd/core/recorder.hpp"
#include "coromd/core/settings.hpp"
#include "coromd/engine/gromacs/system.hpp"
#include "coromd/engine/md_system.hpp"
#include "coromd/engine/model/system.hpp"
#include "coromd/queue/queue.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/runtime/task.hpp"
#include "coromd/sampling/campaign_kind.hpp"
#include "coromd/session/terminal.hpp"

namespace coromd::session {

/// What a program returns to who started it.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInterrupted = 130;

/// kExitUsage for a request that makes no sense or contradicts what the campaign has recorded, else
/// kExitFailed.
int exit_code_of(const Error& error) noexcept;

/// How a session is set up; everything has a default.
class SessionOptions {
public:
    /// `directory`: the campaign's.
    explicit SessionOptions(std::filesystem::path directory) : directory_(std::move(directory)) {}

    /// Of all random numbers of the campaign (1).
    SessionOptions& seed(std::uint64_t seed);
    /// Refuse a directory in which anything is.
    SessionOptions& fresh(bool fresh = true);
    /// The merged settings; without them the site's and the user's are read.
    SessionOptions& settings(Setting settings);
    /// Take the campaign over from a program on another host that may still run.
    SessionOptions& take_over(bool take_over = true);
    /// What becomes of a change of what the campaign was begun with (refuse).
    SessionOptions& on_change(campaign::OnChange on_change);
    /// Show the log on standard error, in place of the progress.
    SessionOptions& verbose(bool verbose = true);
    SessionOptions& progress(ProgressStyle style);
    /// Nothing is created and no job is recorded: for checks before a run.
    SessionOptions& rehearsal(bool rehearsal = true);

private:
    friend class Session;

    std::filesystem::path directory_;
    std::uint64_t seed_ = 1;
    bool fresh_ = false;
    bool take_over_ = false;
    campaign::OnChange on_change_ = campaign::OnChange::refuse;
    bool verbose_ = false;
    bool rehearsal_ = false;
    std::optional<Setting> settings_;
    std::optional<ProgressStyle> progress_;
};

/// Everything that a program of one campaign has once: loop, pool, log, terminal, queues and the
/// campaign with its ledger. Lower floors get what they need of it and never see it.
class Session {
public:
    /// Goes on with the campaign in `directory`, or creates it.
    /// Throws as campaign::Campaign::open(), and Error(usage) for settings that are wrong.
    explicit Session(std::filesystem::path directory);
    explicit Session(SessionOptions options);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Runs a whole program: until `main` has ended, or it is shut down: by Ctrl-C (SIGINT, SIGTERM),
    /// by request_stop() of anybody (stop_request.hpp), or because the disk gets full. What becomes of jobs
    /// that run then: see runtime::Shutdown; a person at a terminal is asked. A Ctrl-C while it shuts
    /// down leaves at once. Says on standard error what went wrong or how to go on, and never throws what
    /// `main` throws.
    /// Returns what main() should return: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
    int run(runtime::task<void> main);

    runtime::Context& runtime() noexcept;
    Terminal& terminal() noexcept;
    /// Tells the terminal and the campaign.
    Recorder& recorder() noexcept;
    /// Throws Error(usage) in a rehearsal.
    campaign::Campaign& campaign();
    const std::filesystem::path& directory() const noexcept;
    /// Random numbers that belong to `key` in this campaign.
    RandomStream random(std::string_view key);

    /// A queue of the settings (`[queues.NAME]`); "local" is there without any.
    /// Throws Error(usage) that lists the known ones.
    queue::Queue& queue(const std::string& name = "local");
    /// The names of all queues, sorted.
    std::vector<std::string> queue_names() const;
    /// What an engine is made from.
    engine::EngineContext engine_context();
    /// A system for GROMACS whose jobs go to `queue`.
    std::unique_ptr<engine::MdSystem> gromacs(engine::gromacs::Input input,
                                              const std::string& queue = "local");
    /// A system for the model engine, whose walkers start from the positions in `structure` (.gro).
    std::unique_ptr<engine::MdSystem> model(engine::model::Model model,
                                            const std::filesystem::path& structure,
                                            const std::string& queue = "local");

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace coromd::session
