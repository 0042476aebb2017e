// SPDX-License-Identifier: LGPL-3.0-or-later
//
// mdrun on a real cluster, stopped by everybody who can: what it did counts, and it was told once. A second
// signal would make it hurry and end where no continuation is exact.
#include <csignal>

#include "coromd/queue/spool.hpp"
#include "coromd/runtime/race.hpp"
#include "integration/engine/alanine.hpp"
#include "integration/slurm/real_cluster.hpp"

namespace coromd::engine::gromacs {
namespace {

using namespace test;
using namespace std::chrono_literals;
using queue::test::shell;
using queue::test::until;
using runtime::task;

int count(std::string_view text, std::string_view what) {
    int n = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++n;
    return n;
}

class SlurmMdrun : public Alanine {
protected:
    ~SlurmMdrun() override { EXPECT_EQ(std::system("test -z \"$(squeue -h)\" || scancel -u root"), 0); }

    /// A walker that has velocities of its own.
    std::unique_ptr<MdEngine> walker(const std::string& name) {
        auto engine = system_->engine(name);
        context_.run(prepare(*engine));
        return engine;
    }

    task<void> prepare(MdEngine& engine) {
        const trajectory::Trajectory reference = co_await system_->reference();
        co_await propagation::start_with_new_velocities(context_, engine, reference, 0, 300.0,
                                                        campaign_->random(engine.name()));
    }

    /// Waits until its MD goes on; returns the scheduler's id of it.
    task<std::string> running_id(const MdEngine& engine) {
        const std::string part = "'" + engine.directory().string() + "/md.part0001.attempt1/md.part0001.";
        co_await until(context_, "grep -q 'Started mdrun' " + part + "log' && test -s " + part + "xtc'");
        const queue::Spool spool(at("spool"));
        co_return spool.runner(queue::run_id(engine.name() + "/md.part0001", 1)).value().scheduler_job;
    }

    /// The part lies where accepted ones do, and mdrun was told once.
    static void expect_part(const MdEngine& engine) {
        const fs::path log = engine.directory() / "md.part0001.log";
        ASSERT_TRUE(fs::exists(log)) << engine.name();
        const std::string text = read_text_file(log);
        EXPECT_EQ(count(text, "Received the TERM signal"), 1) << engine.name();
        EXPECT_EQ(count(text, "Finished mdrun"), 1) << engine.name();
        EXPECT_TRUE(fs::exists(engine.directory() / "md.part0001.cpt")) << engine.name();
        for (const auto& entry : fs::directory_iterator(engine.directory()))
            EXPECT_FALSE(entry.is_directory()) << entry.path();
    }

    /// `stop` is what somebody else does to it, with ID for the job; the part counts.
    task<void> stopped_by(MdEngine& engine, RunLimits limits, std::string stop) {
        bool counts = false;
        auto run = [&]() -> task<void> {
            const auto part = co_await engine.run(limits);
            counts = part.has_value();
        };
        auto other = [&]() -> task<void> {
            const std::string id = co_await running_id(engine);
            co_await shell(context_, "ID=" + id + "; " + stop);
        };
        co_await runtime::gather(run(), other());
        EXPECT_TRUE(counts) << engine.name();
        EXPECT_EQ(engine.part(), 1) << engine.name();
        EXPECT_GT(engine.steps_done(), 0) << engine.name();
        expect_part(engine);
    }

    task<void> cancelled_by_us(MdEngine& engine, RunLimits limits) {
        auto run = [&]() -> task<void> { co_await engine.run(limits); };
        auto wait = [&]() -> task<void> { co_await running_id(engine); };
        std::vector<task<void>> both;
        both.push_back(run());
        both.push_back(wait());
        const auto first = co_await runtime::race(std::move(both));
        EXPECT_EQ(first.index, 1u);
        expect_part(engine);
    }

    queue::test::ClusterEnvironment environment_;
    runtime::Context context_{2};
    Reports reports_;
    std::unique_ptr<campaign::Campaign> campaign_ =
        campaign::Campaign::open(context_, at("campaign"), campaign::OpenMode::resume_or_create, 1);
    queue::Queue local_{"local", context_, campaign_->ledger(), queue::local_backend(context_)};
    // One node for each, so that only one is preempted. An hour with the five minutes that an engine adds is
    // asked to stop after 10 s, or when SLURM's warning comes, which may be a minute early; what asks for
    // nothing has two hours.
    std::unique_ptr<queue::Queue> cluster_ = queue::test::slurm_queue(
        context_, campaign_->ledger(), at("spool"),
        {{"options.exclusive", "true"}, {"options.time", "120"}, {"stop_early", "3890 s"}});
    std::unique_ptr<MdSystem> system_ = gromacs::system(
        EngineContext{context_, reports_, campaign_->directory(), {}}, input(), *cluster_, local_);
};

TEST_F(SlurmMdrun, WhoeverStopsItTheWorkCountsAndItIsToldOnce) {
    const auto limit = walker("limit");
    const auto ours = walker("ours");
    const auto others = walker("others");
    const auto preempted = walker("preempted");
    RunLimits endless;
    endless.total_steps(1'000'000'000);
    RunLimits an_hour = endless;
    an_hour.walltime(1h);
    const std::string high =
        "sbatch --partition=high --nodelist=$(squeue -h -j $ID -o %N) --exclusive --output=/dev/null --wrap "
        "true";
    context_.run(runtime::gather(stopped_by(*limit, an_hour, "true"), cancelled_by_us(*ours, endless),
                                 stopped_by(*others, endless, "scancel $ID"),
                                 stopped_by(*preempted, endless, high)));
    // What the scheduler puts back into the queue does not run MD again.
    context_.run(until(context_, "test -z \"$(squeue -h)\""));
    expect_part(*preempted);
}

}  // namespace
}  // namespace coromd::engine::gromacs
