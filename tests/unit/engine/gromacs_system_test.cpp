// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/engine/gromacs/system.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "coromd/core/settings.hpp"
#include "coromd/runtime/gather.hpp"
#include "unit/engine/fake_gromacs.hpp"

namespace coromd::engine::gromacs {
namespace {

using namespace test;
using runtime::task;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using trajectory::Trajectory;

/// The reference, asked for twice at the same time.
task<std::vector<Trajectory>> reference_twice(MdSystem& system) {
    std::vector<task<Trajectory>> children;
    children.push_back(system.reference());
    children.push_back(system.reference());
    co_return co_await runtime::gather(std::move(children));
}

class GromacsSystem : public FakeSystem {
protected:
    /// What check() says of an input; the program is one that is there everywhere.
    void check(Input input) {
        input.gmx({"true"});
        Program(*this, input, md).system->check();
    }
};

TEST_F(GromacsSystem, TellsWhatTheMdpAndTheStructureSay) {
    Program program(*this, input(), md);
    EXPECT_EQ(program.system->nstout(), kNstout);
    EXPECT_DOUBLE_EQ(program.system->dt_ps(), kDtPs);
    EXPECT_EQ(program.system->structure().n_atoms(), 3);
    EXPECT_EQ(program.system->engine("a/b")->directory(), at("campaign") / "a/b");
    EXPECT_EQ(program.system->engine("a/b")->name(), "a/b");
}

TEST_F(GromacsSystem, HasGromacsDefaultForTheStep) {
    write_file_durably(at("md.mdp"), "nstxout-compressed = 10\n");
    EXPECT_DOUBLE_EQ(Program(*this, input(), md).system->dt_ps(), 0.001);
}

TEST_F(GromacsSystem, ReferenceIsMadeOnceAndFallsBackToTheStructure) {
    Program program(*this, input(), md);
    // What the stand-in wrote is no tpr.
    const std::vector<Trajectory> references = program.context.run(reference_twice(*program.system));
    ASSERT_THAT(references, SizeIs(2));
    EXPECT_EQ(references[0].structure(), at("conf.gro"));
    EXPECT_EQ(references[1].structure(), at("conf.gro"));
    ASSERT_THAT(md.jobs, SizeIs(1));
    EXPECT_EQ(md.jobs.front().key(), "system/grompp");
    EXPECT_EQ(option(md.jobs.front(), "-t"), "");
    EXPECT_THAT(program.reports.notes, ElementsAre(AllOf(HasSubstr("system.tpr"), HasSubstr("mass"))));
}

TEST_F(GromacsSystem, ReferenceThrowsWhatGromppSaid) {
    Program program(*this, input(), md);
    md.instead = [](const queue::Job&, const fs::path& directory) {
        return fail_saying(directory, "\nProgram: gmx\n\nFatal error:\nno such force field\n");
    };
    const Error error = error_of([&] { program.context.run(program.system->reference()); });
    EXPECT_EQ(error.kind(), ErrorKind::job);
    EXPECT_EQ(error.message(), "Fatal error:\nno such force field");
}

TEST_F(GromacsSystem, GivesGromppAndMdrunWhatTheInputSays) {
    write_file_durably(at("index.ndx"), "[ all ]\n1 2 3\n");
    Input all = input();
    all.index(at("index.ndx")).cores(3).gmx({"srun", "gmx_mpi"});
    all.grompp_arguments({"-maxwarn", "1"}).mdrun_arguments({"-dlb", "no"});
    Program program(*this, all, md);
    const auto engine = program.system->engine("w");
    program.context.run(engine->prepare(start_frames(), 0));
    program.context.run(engine->run(RunLimits().total_steps(10)));

    ASSERT_THAT(md.jobs, SizeIs(2));
    const queue::Job& grompp = md.jobs[0];
    const queue::Job& mdrun = md.jobs[1];
    EXPECT_EQ(grompp.command()[0], "srun");
    EXPECT_EQ(grompp.command()[1], "gmx_mpi");
    EXPECT_EQ(option(grompp, "-n"), at("index.ndx"));
    EXPECT_EQ(option(grompp, "-maxwarn"), "1");
    EXPECT_EQ(option(mdrun, "-dlb"), "no");
    EXPECT_EQ(option(mdrun, "-ntomp"), "{cores}");
    EXPECT_THAT(mdrun.command(), testing::Not(Contains("-ntmpi")));
    EXPECT_EQ(mdrun.resources().cores, 3);
    EXPECT_EQ(mdrun.environment().at("GMX_MAXBACKUP"), "-1");
}

TEST_F(GromacsSystem, NoticesAChangeInAnIncludedTopology) {
    write_file_durably(at("topol.top"), "#include \"one.itp\"\n#include \"amber.ff/forcefield.itp\"\n");
    write_file_durably(at("one.itp"), "#include \"two.itp\"\n#include \"one.itp\"\n");
    write_file_durably(at("two.itp"), "; before\n");
    const auto prepare = [&] {
        Program program(*this, input(), md);
        const auto engine = program.system->engine("w");
        program.context.run(engine->prepare(start_frames(), 0));
    };
    prepare();
    prepare();
    EXPECT_THAT(md.jobs, SizeIs(1));
    write_file_durably(at("two.itp"), "; after\n");
    EXPECT_EQ(error_of(prepare).kind(), ErrorKind::conflict);
}

// check()

TEST_F(GromacsSystem, CheckTakesWhatWillRun) {
    EXPECT_NO_THROW(check(input()));
    for (const char* integrator : {"MD", "md-vv", "md_vv-avek", "sd", "bd"}) {
        write_file_durably(at("md.mdp"),
                           "nstxout-compressed = 10\nintegrator = " + std::string(integrator) + "\n");
        EXPECT_NO_THROW(check(input())) << integrator;
    }
    write_mdp("gen-vel = no\ntinit = 0\ninit-step = 0\ncompressed-x-grps = system\n");
    EXPECT_NO_THROW(check(input()));
}

struct BadMdp {
    std::string name;  // of the test
    std::string text;
    std::string complaint;
};

std::ostream& operator<<(std::ostream& out, const BadMdp& mdp) {
    return out << mdp.name;
}

class CheckOfMdp : public GromacsSystem, public testing::WithParamInterface<BadMdp> {};

TEST_P(CheckOfMdp, NamesTheLine) {
    write_file_durably(at("md.mdp"), "nstxout-compressed = 10\n" + GetParam().text + "\n");
    const Error error = error_of([&] { check(input()); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("md.mdp:2"), HasSubstr(GetParam().complaint)));
}

INSTANTIATE_TEST_SUITE_P(Mdps, CheckOfMdp,
                         testing::Values(BadMdp{"NoDynamics", "integrator = steep", "is no dynamics"},
                                         BadMdp{"NewVelocities", "gen-vel = yes", "gen-vel"},
                                         BadMdp{"NoStep", "dt = 0", "dt must be positive"},
                                         BadMdp{"LaterStart", "tinit = 100", "tinit must be 0"},
                                         BadMdp{"LaterStep", "init-step = 5000", "init-step must be 0"},
                                         BadMdp{"PartOfTheAtoms", "compressed-x-grps = Protein",
                                                "compressed-x-grps"}),
                         [](const auto& info) { return info.param.name; });

TEST_F(GromacsSystem, CheckAllowsFewerAtomsInAnXtcThatIsNotUsed) {
    write_mdp("nstxout = 10\ncompressed-x-grps = Protein\n");
    EXPECT_NO_THROW(check(input().output(OutputFormat::trr)));
}

TEST_F(GromacsSystem, CheckSaysHowToGetGromacs) {
    Program program(*this, input().gmx({"no-such-gmx-anywhere"}), md);
    const Error error = error_of([&] { program.system->check(); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("no-such-gmx-anywhere"), HasSubstr("install GROMACS")));
}

TEST_F(GromacsSystem, CheckFindsMissingFiles) {
    fs::remove(at("topol.top"));
    EXPECT_EQ(error_of([&] { check(input()); }).kind(), ErrorKind::system);
    write_file_durably(at("topol.top"), "");
    write_file_durably(at("conf.gro"), "cut\n    3\n");
    EXPECT_EQ(error_of([&] { check(input()); }).kind(), ErrorKind::input);
}

TEST_F(GromacsSystem, InputRefusesWhatCannotRun) {
    EXPECT_EQ(error_of([&] { input().cores(0); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([&] { input().gmx({}); }).kind(), ErrorKind::usage);
}

// The settings of the kind "gromacs"

class GromacsSettings : public GromacsSystem {
protected:
    /// The table of an [engine], with more keys.
    void make(std::vector<std::pair<std::string, Setting::Value>> more) {
        Setting::Table table;
        for (const char* key : {"topology", "mdp", "structure"}) {
            const std::string file = std::string(key) == "topology" ? "topol.top"
                                     : std::string(key) == "mdp"    ? "md.mdp"
                                                                    : "conf.gro";
            table.emplace(key, Setting(at(file).string(), {"campaign.toml", 3, 1}));
        }
        for (auto& [key, value] : more)
            table.emplace(key, Setting(std::move(value), {"campaign.toml", 7, 1}));
        const Setting setting(std::move(table), {"campaign.toml", 2, 1});
        SettingsReader reader(setting, "engine");

        Program program(*this, input(), md);
        const EngineContext context{program.context, program.reports, program.campaign->directory(),
                                    [&](const std::string& name) -> queue::Queue& {
                                        queues_.push_back(name);
                                        return program.queue;
                                    }};
        const auto system = builtin_engines().at("gromacs").make(context, reader);
        reader.finish();
        EXPECT_EQ(system->nstout(), kNstout);
    }

    std::vector<std::string> queues_;
};

TEST_F(GromacsSettings, HaveDefaults) {
    make({});
    EXPECT_THAT(queues_, ElementsAre("local", "local"));
}

TEST_F(GromacsSettings, MayNameTwoQueues) {
    make({{"queue", "gpu"}, {"helper_queue", "login"}, {"cores", std::int64_t{4}}});
    EXPECT_THAT(queues_, ElementsAre("gpu", "login"));
}

TEST_F(GromacsSettings, AreRefusedWithTheirLine) {
    for (const auto& [key, value] :
         std::vector<std::pair<std::string, Setting::Value>>{{"output", "dcd"},
                                                             {"cores", std::int64_t{0}},
                                                             {"cores", std::int64_t{4294967297}},
                                                             {"index", "nowhere.ndx"}}) {
        const Error error = error_of([&] { make({{key, value}}); });
        EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
        EXPECT_THAT(error.what(), AllOf(HasSubstr("campaign.toml:7"), HasSubstr(key)));
    }
}

}  // namespace
}  // namespace coromd::engine::gromacs
