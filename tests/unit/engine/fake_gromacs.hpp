// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coromd/campaign/campaign.hpp"
#include "coromd/core/file.hpp"
#include "coromd/core/recorder.hpp"
#include "coromd/engine/gromacs/system.hpp"
#include "coromd/queue/queue.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/runtime/timer.hpp"
#include "coromd/trajectory/frame_writer.hpp"
#include "unit/core/fixtures.hpp"

namespace coromd::engine::gromacs::test {

namespace fs = std::filesystem;

inline constexpr std::int64_t kNstout = 10;
inline constexpr double kDtPs = 0.002;

inline constexpr const char* kStructure =
    "water\n    3\n"
    "    1SOL     OW    1   0.100   0.100   0.100\n"
    "    1SOL    HW1    2   0.200   0.100   0.100\n"
    "    1SOL    HW2    3   0.100   0.200   0.100\n"
    "   2.00000   2.00000   2.00000\n";

/// The frame of a step: it is at `step` pm along x.
inline trajectory::Frame frame_of(std::int64_t step, bool velocities = false) {
    trajectory::Frame frame;
    frame.step = step;
    frame.time_ps = static_cast<double>(step) * kDtPs;
    frame.box = {{2, 0, 0}, {0, 2, 0}, {0, 0, 2}};
    const float x = static_cast<float>(step) / 1000.0F;
    frame.positions = {{x, 0.1F, 0.1F}, {x + 0.1F, 0.1F, 0.1F}, {x, 0.2F, 0.1F}};
    if (velocities) frame.velocities.assign(3, {1.0F, 2.0F, 3.0F});
    return frame;
}

/// What the stand-in for gmx does with the next jobs, and what it was asked.
struct FakeMd {
    /// Where a wall time ends a part.
    std::int64_t steps_per_slice = 50;
    /// mdrun goes on until it is stopped, and has come steps_per_slice far then.
    bool runs_until_stopped = false;
    /// What mdrun logs; {} is the step of its checkpoint.
    std::string log =
        "\nStarted mdrun on rank 0 Mon\n\nWriting checkpoint, step {} at Mon\n\nFinished mdrun on rank 0 "
        "Mon\n";
    /// Plays a job instead of all that.
    std::function<queue::JobExit(const queue::Job&, const fs::path& directory)> instead;

    std::vector<queue::Job> jobs;  ///< all that were run
};

/// The argument behind an option; empty where it is not given.
inline std::string option(const queue::Job& job, const std::string& name) {
    const auto& command = job.command();
    const auto at = std::ranges::find(command, name);
    return at == command.end() || at + 1 == command.end() ? std::string() : *(at + 1);
}

inline queue::JobExit exit_with(int code, std::string stderr_text = {}) {
    queue::JobExit exit;
    exit.exit_code = code;
    exit.stderr_tail = std::move(stderr_text);
    return exit;
}

inline queue::JobExit killed_by(int signal, std::string stderr_text = {}) {
    queue::JobExit exit;
    exit.signal = signal;
    exit.stderr_tail = std::move(stderr_text);
    return exit;
}

/// A job that fails with these last words.
inline queue::JobExit fail_saying(const fs::path& directory, std::string_view stderr_text) {
    write_file_durably(directory / "job.err", stderr_text);
    return exit_with(1);
}

/// A queue that writes what gmx would, without a process: checkpoints that hold the step, and
/// frames every kNstout steps, the first one of a part being that of its checkpoint.
class FakeGromacs final : public queue::Backend {
public:
    explicit FakeGromacs(FakeMd& md) : md_(md) {}

    runtime::task<std::unique_ptr<queue::Admission>> admit(const queue::Job&) override {
        co_return std::make_unique<queue::Admission>();
    }

    runtime::task<queue::JobExit> execute(queue::Attempt attempt, const queue::Admission&,
                                          queue::Submitted submitted) override {
        const queue::Job& job = attempt.job();
        const fs::path directory = attempt.directory();
        md_.jobs.push_back(job);
        co_await submitted("fake");
        if (md_.instead) co_return md_.instead(job, directory);
        queue::JobExit exit = exit_with(0);
        exit.started_ms = 1000;
        exit.ended_ms = 3500;
        if (job.leaf() == "grompp") {
            write_file_durably(directory / option(job, "-o"), "a tpr");
            co_return exit;
        }
        if (md_.runs_until_stopped) {
            try {
                co_await runtime::sleep_for(std::chrono::hours(1));
            } catch (const Cancelled&) {
                exit.stopped = true;
            }
        }
        mdrun(job, directory, exit.stopped);
        co_return exit;
    }

    runtime::task<std::optional<queue::JobExit>> reattach(queue::Attempt, std::string) override {
        co_return std::nullopt;
    }

    void forget(const queue::Attempt&, bool) noexcept override {}
    void send_signal(const queue::Attempt&, int) override {}

private:
    void mdrun(const queue::Job& job, const fs::path& directory, bool stopped) const {
        const std::string checkpoint = option(job, "-cpi");
        const std::int64_t begin = checkpoint.empty() ? 0 : std::stoll(read_text_file(checkpoint));
        const std::int64_t asked = std::stoll(job.parameters().at("nsteps"));
        const bool by_time = stopped || std::stod(job.parameters().at("maxh")) > 0;
        const std::int64_t steps =
            by_time && (asked < 0 || asked > md_.steps_per_slice) ? md_.steps_per_slice : asked;
        const std::int64_t end = begin + steps;

        const fs::path trajectory = directory / (job.leaf() + ".xtc");
        const std::int64_t first = (begin + kNstout - 1) / kNstout * kNstout;
        if (first > end) {
            write_file_durably(trajectory, "");
        } else {
            trajectory::FrameWriter writer(trajectory);
            for (std::int64_t step = first; step <= end; step += kNstout) writer.write(frame_of(step));
            writer.close();
        }
        write_file_durably(directory / (job.leaf() + ".cpt"), std::to_string(end));
        std::string log = md_.log;
        if (const auto at = log.find("{}"); at != std::string::npos) log.replace(at, 2, std::to_string(end));
        write_file_durably(directory / (job.leaf() + ".log"), log);
    }

    FakeMd& md_;
};

/// Keeps all progress and notes, and may act on them.
struct Reports final : Recorder {
    std::vector<Progress> all;
    std::vector<std::string> notes;
    std::function<void(const Progress&)> on_progress;

    void progress(const Progress& progress) override {
        all.push_back(progress);
        if (on_progress) on_progress(progress);
    }
    void note(std::string_view, std::string_view text) override { notes.emplace_back(text); }
    void product(const Product&) override {}
};

/// The input files of a system of three atoms, and a campaign on it.
class FakeSystem : public TemporaryFolder {
protected:
    void SetUp() override {
        TemporaryFolder::SetUp();
        write_file_durably(at("conf.gro"), kStructure);
        write_file_durably(at("topol.top"), "; three atoms\n");
        write_mdp("");
    }

    /// The mdp, with more lines.
    void write_mdp(const std::string& more) {
        write_file_durably(at("md.mdp"), "integrator = md\ndt = 0.002\nnstxout-compressed = 10\n" + more);
    }

    Input input() const { return Input(at("topol.top"), at("md.mdp"), at("conf.gro")); }

    /// One start of a program. The next one finds the campaign as this one left it.
    struct Program {
        Program(const FakeSystem& test, const Input& input, FakeMd& md)
            : campaign(campaign::Campaign::open(context, test.at("campaign"),
                                                campaign::OpenMode::resume_or_create, 1)),
              queue("fake", context, campaign->ledger(), std::make_unique<FakeGromacs>(md)),
              system(gromacs::system(EngineContext{context, reports, campaign->directory(), {}}, input, queue,
                                     queue)) {}

        runtime::Context context;
        Reports reports;
        std::unique_ptr<campaign::Campaign> campaign;
        queue::Queue queue;
        std::unique_ptr<MdSystem> system;
    };

    /// A trajectory to start from: frames of the steps 0, 10, and 20.
    trajectory::Trajectory start_frames(bool velocities = true) const {
        const fs::path file = at(velocities ? "frames.trr" : "frames.xtc");
        if (!fs::exists(file)) {
            trajectory::FrameWriter writer(file);
            for (const std::int64_t step : {0, 10, 20}) writer.write(frame_of(step, velocities));
            writer.close();
        }
        return trajectory::Trajectory(file, at("conf.gro"));
    }

    FakeMd md;
};

}  // namespace coromd::engine::gromacs::test
