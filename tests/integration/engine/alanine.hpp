// SPDX-License-Identifier: LGPL-3.0-or-later
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coromd/campaign/campaign.hpp"
#include "coromd/core/file.hpp"
#include "coromd/core/recorder.hpp"
#include "coromd/engine/gromacs/system.hpp"
#include "coromd/propagation/until.hpp"
#include "coromd/queue/queue.hpp"
#include "coromd/runtime/context.hpp"
#include "coromd/trajectory/trajectory.hpp"
#include "unit/core/fixtures.hpp"

namespace coromd::engine::gromacs::test {

namespace fs = std::filesystem;

/// How GROMACS is called (environment: GMX).
inline std::string gmx() {
    const char* const name = std::getenv("GMX");
    return name != nullptr ? name : "gmx";
}

inline bool gmx_runs() {
    static const bool kRuns = std::system((gmx() + " --version >/dev/null 2>&1").c_str()) == 0;
    return kRuns;
}

/// Passes progress on.
struct Reports final : Recorder {
    std::function<void(const Progress&)> on_progress;

    void progress(const Progress& progress) override {
        if (on_progress) on_progress(progress);
    }
    void note(std::string_view, std::string_view) override {}
    void product(const Product&) override {}
};

/// The steps of all frames.
inline std::vector<std::int64_t> steps_of(const trajectory::Trajectory& trajectory) {
    std::vector<std::int64_t> steps;
    for (std::int64_t i = 0; i < trajectory.n_frames(); ++i) steps.push_back(trajectory.step(i));
    return steps;
}

/// 0, by, 2 by, ... up to `last`.
inline std::vector<std::int64_t> steps_by(std::int64_t by, std::int64_t last) {
    std::vector<std::int64_t> steps;
    for (std::int64_t step = 0; step <= last; step += by) steps.push_back(step);
    return steps;
}

/// Campaigns on the alanine dipeptide of the examples, with real GROMACS.
class Alanine : public TemporaryFolder {
protected:
    void SetUp() override {
        TemporaryFolder::SetUp();
        ASSERT_TRUE(gmx_runs()) << "there is no " << gmx();
        ASSERT_TRUE(fs::exists(prepared() / "start.gro"))
            << "the test prepare_alanine_dipeptide makes " << prepared() << ": run this one with ctest";
    }

    static fs::path prepared() { return COROMD_ALANINE; }
    static fs::path example() { return COROMD_ALANINE_EXAMPLE; }

    /// The example's input, with other values for some keys of its mdp.
    Input input(const std::vector<std::pair<std::string, std::string>>& changes = {}) const {
        Mdp mdp = Mdp::read(example() / "md.mdp");
        for (const auto& [key, value] : changes) mdp.set(key, std::string_view(value));
        mdp.write(at("md.mdp"), true);
        Input input(prepared() / "topol.top", at("md.mdp"), prepared() / "start.gro");
        input.gmx({gmx()});
        return input;
    }

    /// One start of a program. The next one finds the campaign as this one left it.
    struct Program {
        Program(const Alanine& test, const Input& input)
            : campaign(campaign::Campaign::open(context, test.at("campaign"),
                                                campaign::OpenMode::resume_or_create, 1)),
              queue("local", context, campaign->ledger(), queue::local_backend(context)),
              system(gromacs::system(EngineContext{context, reports, campaign->directory(), {}}, input, queue,
                                     queue)) {}

        /// A walker that has velocities of its own.
        std::unique_ptr<MdEngine> start(const std::string& name) {
            auto engine = system->engine(name);
            context.run(prepare(*engine, name));
            return engine;
        }

        /// Whether there was anything left to do.
        bool run(MdEngine& engine, RunLimits limits) { return context.run(engine.run(limits)).has_value(); }

        runtime::task<> prepare(MdEngine& engine, std::string name) {
            const trajectory::Trajectory reference = co_await system->reference();
            co_await propagation::start_with_new_velocities(context, engine, reference, 0, 300.0,
                                                            campaign->random(name));
        }

        runtime::Context context;
        Reports reports;
        std::unique_ptr<campaign::Campaign> campaign;
        queue::Queue queue;
        std::unique_ptr<MdSystem> system;
    };
};

}  // namespace coromd::engine::gromacs::test
