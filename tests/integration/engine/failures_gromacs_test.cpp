// SPDX-License-Identifier: LGPL-3.0-or-later
//
// What a user reads when GROMACS refuses: its own words on the cause, not its banner.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coromd/core/error.hpp"
#include "integration/engine/alanine.hpp"

namespace coromd::engine::gromacs {
namespace {

using namespace test;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Lt;
using testing::Not;

using Changes = std::vector<std::pair<std::string, std::string>>;

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    const auto at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

/// A message for a person: no banner, no advice on the web, no more than a few lines.
void expect_readable(const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::job);
    EXPECT_THAT(std::ranges::count(error.message(), '\n'), Lt(8)) << error.message();
    EXPECT_THAT(error.message(), AllOf(Not(HasSubstr("For more information")), Not(HasSubstr("-----")),
                                       Not(HasSubstr("Source file:")), Not(HasSubstr("GROMACS - gmx"))));
    EXPECT_THAT(error.what(), AllOf(HasSubstr("walkers/000/"), HasSubstr("command: ")));
}

class Failures : public Alanine {
protected:
    /// A copy of the topology, changed, beside the files that it includes.
    fs::path topology(std::string_view what, std::string_view by) const {
        fs::copy_file(prepared() / "posre.itp", at("posre.itp"), fs::copy_options::overwrite_existing);
        write_file_durably(at("topol.top"), replaced(read_text_file(prepared() / "topol.top"), what, by));
        return at("topol.top");
    }

    Input with_topology(const fs::path& topology) const {
        const Input good = input();
        Input changed(topology, at("md.mdp"), good.structure());
        return changed.gmx(good.gmx());
    }

    /// Starts a walker. Not by way of reference(), which would fail before.
    static Error error_of_start(Program& program) {
        const auto engine = program.system->engine("walkers/000");
        return error_of([&] {
            program.context.run(propagation::start_with_new_velocities(program.context, *engine,
                                                                       program.system->structure(), 0, 300.0,
                                                                       program.campaign->random("x")));
        });
    }
};

struct Refusal {
    std::string name;  // of the test
    Changes mdp;
    std::string message;
};

std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
    return out << refusal.name;
}

class MdpFailures : public Failures, public testing::WithParamInterface<Refusal> {};

TEST_P(MdpFailures, SayWhatGromppSays) {
    Program program(*this, input(GetParam().mdp));
    const Error error = error_of_start(program);
    expect_readable(error);
    EXPECT_THAT(error.message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Mdps, MdpFailures,
    testing::Values(
        Refusal{"UnknownKey", {{"nonsense-key", "3"}}, "Unknown left-hand 'nonsense-key' in parameter file"},
        Refusal{"Warnings", {{"tcoupl", "berendsen"}}, "The Berendsen thermostat does not generate"},
        Refusal{"WarningsCanBeAllowed", {{"tcoupl", "berendsen"}}, "-maxwarn"},
        Refusal{"GenVelAndContinuation",
                {{"gen-vel", "yes"}, {"continuation", "yes"}},
                "Choose only one of gen-vel = yes and continuation = yes"},
        Refusal{"UnknownChoice", {{"integrator", "mdd"}}, "Invalid enum 'mdd' for variable integrator"},
        Refusal{"NoNumber", {{"nstlist", "5x"}}, "is not an\ninteger value"},
        Refusal{
            "UnknownGroup", {{"tc-grps", "Watr"}}, "Group Watr referenced in the .mdp file was not found"},
        Refusal{"NumberOfGroups", {{"tc-grps", "Protein SOL"}}, "2 groups, 1 ref-t values"},
        Refusal{"BoxTooSmall",
                {{"rvdw", "1.6"}, {"rcoulomb", "1.6"}},
                "longer than half the shortest box vector"}),
    [](const auto& info) { return info.param.name; });

TEST_F(Failures, OfAMissingInclude) {
    Program program(*this,
                    with_topology(topology("amber99sb-ildn.ff/tip3p.itp", "amber99sb-ildn.ff/nothere.itp")));
    const Error error = error_of_start(program);
    expect_readable(error);
    EXPECT_EQ(error.message(),
              "Fatal error:\nTopology include file \"amber99sb-ildn.ff/nothere.itp\" not found");
}

TEST_F(Failures, OfAWrongNumberOfAtoms) {
    const std::string waters =
        std::to_string((trajectory::Trajectory(prepared() / "start.gro", {}).n_atoms() - 22) / 3);
    std::string text = read_text_file(prepared() / "topol.top");
    const auto at_number = text.rfind(waters);
    ASSERT_NE(at_number, std::string::npos);
    Program program(*this, with_topology(topology(text.substr(at_number - 10),
                                                  text.substr(at_number - 10, 10) + "100\n")));
    const Error error = error_of_start(program);
    expect_readable(error);
    EXPECT_THAT(error.message(),
                AllOf(HasSubstr("number of coordinates in coordinate file"), HasSubstr("322")));
}

TEST_F(Failures, OfAnUnknownArgumentOfGrompp) {
    Program program(*this, input().grompp_arguments({"-maxworn", "1"}));
    const Error error = error_of_start(program);
    expect_readable(error);
    EXPECT_THAT(error.message(), HasSubstr("Unknown command-line option -maxworn"));
}

TEST_F(Failures, OfAnUnknownArgumentOfMdrun) {
    Program program(*this, input().mdrun_arguments({"-ntmpi", "1", "-dbl", "no"}));
    const auto engine = program.start("walkers/000");
    const Error error = error_of([&] { program.run(*engine, RunLimits().total_steps(20)); });
    expect_readable(error);
    EXPECT_THAT(error.message(), HasSubstr("Unknown command-line option -dbl"));
}

TEST_F(Failures, OfAMissingTpr) {
    Program program(*this, input());
    const auto engine = program.start("walkers/000");
    fs::remove(engine->directory() / "md.tpr");
    const Error error = error_of([&] { program.run(*engine, RunLimits().total_steps(20)); });
    expect_readable(error);
    EXPECT_THAT(error.message(), AllOf(HasSubstr("md.tpr"), HasSubstr("does not exist")));
}

TEST_F(Failures, OfADamagedCheckpoint) {
    Program program(*this, input());
    const auto engine = program.start("walkers/000");
    program.run(*engine, RunLimits().total_steps(20));
    write_file_durably(engine->directory() / "md.part0001.cpt", "garbage and more garbage");
    const Error error = error_of([&] { program.run(*engine, RunLimits().total_steps(40)); });
    expect_readable(error);
    EXPECT_THAT(error.message(), HasSubstr("checkpoint file is corrupted"));
}

TEST_F(Failures, OfAMissingCheckpoint) {
    Program program(*this, input());
    const auto engine = program.start("walkers/000");
    program.run(*engine, RunLimits().total_steps(20));
    fs::remove(engine->directory() / "md.part0001.cpt");
    const Error error = error_of([&] { program.run(*engine, RunLimits().total_steps(40)); });
    expect_readable(error);
    EXPECT_THAT(error.message(), AllOf(HasSubstr("md.part0001.cpt"), HasSubstr("is gone")));
}

TEST_F(Failures, OfASystemThatBlowsUp) {
    // One atom on top of another.
    std::string text = read_text_file(prepared() / "start.gro");
    std::vector<std::size_t> lines{0};
    for (auto at_end = text.find('\n'); at_end != std::string::npos; at_end = text.find('\n', at_end + 1))
        lines.push_back(at_end + 1);
    constexpr std::size_t kFirstAtom = 2;
    constexpr std::size_t kNumbers = 20;
    text.replace(lines[kFirstAtom + 4] + kNumbers, 24, text.substr(lines[kFirstAtom + 6] + kNumbers, 24));
    write_file_durably(at("overlap.gro"), text);
    const Input good = input();
    Program program(*this, Input(good.topology(), at("md.mdp"), at("overlap.gro")).gmx(good.gmx()));
    const auto engine = program.start("walkers/000");
    const Error error = error_of([&] { program.run(*engine, RunLimits().total_steps(2000)); });
    expect_readable(error);
    EXPECT_THAT(error.message(), AnyOf(HasSubstr("LINCS WARNING"), HasSubstr("Fatal error")));
}

}  // namespace
}  // namespace coromd::engine::gromacs
